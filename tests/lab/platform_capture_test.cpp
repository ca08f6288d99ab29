// Capture and quiet ports at work: a LAN host, a gateway and the world, each a namespace of this
// process; the TUN and the packet socket are read by the test in the place of braid. Needs root.
#include <doctest/doctest.h>

#include "platform/capture.h"
#include "platform/clock.h"
#include "platform/host_settings.h"
#include "platform/nft_plan.h"
#include "platform/nft_table.h"
#include "platform/packet_socket.h"
#include "platform/tun.h"
#include "tests/lab/platform_namespace.h"
#include "tests/lab/platform_sockets.h"

namespace braid::platform {

namespace {

// lan 10.0.0.2 -- 10.0.0.1 gateway 198.51.100.1 -- 198.51.100.2 world, which also is 203.0.113.5
// (the concentrator) and 203.0.113.9 (a server); the same in IPv6.
struct Lab {
  Namespace lan;
  Namespace world;
  Namespace gateway;
  std::optional<NetlinkSocket> netlink;
  std::unique_ptr<Tun> tun;
  HostSettings settings;
  std::unique_ptr<NftTable> table;
  GatewayNftPlan plan{.lan_interfaces = {"lan0"},
                      .uplinks = {"wan1"},
                      .concentrators = {*IpAddress::parse("203.0.113.5")},
                      .concentrator_port = 8803,
                      .local_ports = {61000, 61999},
                      .mark = 0x42};

  Lab() {
    run("ip link add lan0 type veth peer name eth0; ip link add wan1 type veth peer name w0");
    run("ip link set eth0 netns " + lan.path() + "; ip link set w0 netns " + world.path());
    run("ip addr add 10.0.0.1/24 dev lan0; ip -6 addr add fd00::1/64 dev lan0 nodad");
    run("ip addr add 198.51.100.1/24 dev wan1; ip -6 addr add 2001:db8:1::1/64 dev wan1 nodad");
    run("ip link set lan0 up; ip link set wan1 up");
    run("ip route add default via 198.51.100.2; ip -6 route add default via 2001:db8:1::2");
    lan.enter();
    run("ip addr add 10.0.0.2/24 dev eth0; ip -6 addr add fd00::2/64 dev eth0 nodad");
    run("ip link set eth0 up; ip route add default via 10.0.0.1; ip -6 route add default via "
        "fd00::1");
    world.enter();
    run("ip addr add 198.51.100.2/24 dev w0; ip -6 addr add 2001:db8:1::2/64 dev w0 nodad");
    run("ip addr add 203.0.113.5/32 dev lo; ip addr add 203.0.113.9/32 dev lo");
    run("ip -6 addr add 2001:db8:f::9/128 dev lo nodad");
    run("ip link set w0 up; ip route add 10.0.0.0/24 via 198.51.100.1");
    run("ip -6 route add fd00::/64 via 2001:db8:1::1");
    gateway.enter();
    auto opened = NetlinkSocket::open();
    REQUIRE(opened);
    netlink.emplace(std::move(*opened));
    auto device = Tun::open("braid0");
    REQUIRE(device);
    tun = std::move(*device);
    const auto link = link_by_name(*netlink, "braid0");
    REQUIRE(link);
    REQUIRE_FALSE(add_address(*netlink, link->index, *IpPrefix::parse("192.0.2.1/32")));
    REQUIRE_FALSE(set_link_up(*netlink, link->index));
    REQUIRE(prepare_host(settings,
                         {.uplinks = {"wan1"}, .tun = "braid0", .local_ports = {61000, 61999}})
                .empty());
    table = std::make_unique<NftTable>();
    REQUIRE_FALSE(table->load(nft_text(plan)));
    REQUIRE_FALSE(install_capture(
        *netlink, {.tun_index = link->index, .lan_interfaces = {"lan0"}, .mark = plan.mark}));
  }
  // The settings are this namespace's, so they are restored in it.
  ~Lab() { gateway.enter(); }

  // Whether a TCP packet to this port comes out of the TUN in time.
  bool captured(std::uint16_t port, int milliseconds = 1500) {
    const Instant limit = clock_now() + std::chrono::milliseconds(milliseconds);
    while (clock_now() < limit) {
      wait_until(tun->fd(), POLLIN, 10);
      while (const auto packet = tun->read()) {
        const Bytes b = packet->bytes;
        const bool v4 = b[0] >> 4 == 4;
        if (b.size() >= 60 && b[v4 ? 9 : 6] == IPPROTO_TCP && load_be16(&b[v4 ? 22 : 42]) == port) {
          return true;
        }
      }
    }
    return false;
  }
};

}  // namespace

TEST_SUITE_BEGIN("platform_lab");
TEST_CASE("new TCP connections of the LAN come out of the TUN, of both families, until draining") {
  REQUIRE_NAMESPACES();
  Lab lab;
  lab.world.enter();
  const auto server = listener({"203.0.113.9", 81});
  lab.lan.enter();
  const auto v4 = start_connect({"10.0.0.2", 0}, {"203.0.113.9", 80});
  CHECK(lab.captured(80));
  const auto v6 = start_connect({"fd00::2", 0}, {"2001:db8:f::9", 82});
  CHECK(lab.captured(82));
  REQUIRE_FALSE(lab.table->load([&] {
    auto draining = lab.plan;
    draining.new_connections = GatewayNftPlan::NewConnections::kLeave;
    return nft_text(draining);
  }()));
  const auto late = start_connect({"10.0.0.2", 0}, {"203.0.113.9", 81});
  CHECK(connect_result(late, 2000) == 0);  // the kernel's own way
  CHECK_FALSE(lab.captured(81, 50));
  CHECK(lab.captured(80));  // the one of before still belongs to us: its SYN again
}

TEST_CASE("connections into the LAN, to the gateway itself and of UDP are left alone") {
  REQUIRE_NAMESPACES();
  Lab lab;
  const auto gateways = listener({"10.0.0.1", 22});
  lab.world.enter();
  const auto sink = bound_socket(SOCK_DGRAM, {"203.0.113.9", 53});
  lab.lan.enter();
  const auto lans = listener({"10.0.0.2", 443});
  const auto to_gateway = start_connect({"10.0.0.2", 0}, {"10.0.0.1", 22});
  CHECK(connect_result(to_gateway, 2000) == 0);
  lab.world.enter();
  const auto inbound = start_connect({"203.0.113.9", 0}, {"10.0.0.2", 443});
  CHECK(connect_result(inbound, 2000) == 0);

  lab.lan.enter();
  const auto udp = bound_socket(SOCK_DGRAM, {"10.0.0.2", 5353});
  const SocketAddress dns("203.0.113.9", 53);
  REQUIRE(::sendto(udp.get(), "?", 1, 0, dns.get(), dns.length) == 1);
  REQUIRE(wait_until(sink.get(), POLLIN, 2000));
  sockaddr_in from{};
  socklen_t length = sizeof from;
  char byte = 0;
  REQUIRE(::recvfrom(sink.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &length) == 1);
  CHECK(ntohl(from.sin_addr.s_addr) == 0xc6336401);  // masqueraded: 198.51.100.1
}

TEST_CASE(
    "the kernel is quiet towards the concentrator and nobody else, and the door sees its "
    "packets") {
  REQUIRE_NAMESPACES();
  Lab lab;
  const auto link = link_by_name(*lab.netlink, "wan1");
  REQUIRE(link);
  NextHops next_hops(kernel_of_link(*lab.netlink, link->index), *link);
  auto door = PacketSocket::open(
      *link, {.local_ports = {61000, 61999}, .peers = lab.plan.concentrators}, next_hops);
  REQUIRE(door);
  lab.world.enter();
  const auto ours = start_connect({"203.0.113.5", 8803}, {"198.51.100.1", 61005});
  const auto other_port = start_connect({"203.0.113.5", 8804}, {"198.51.100.1", 61005});
  const auto other_host = start_connect({"203.0.113.9", 8803}, {"198.51.100.1", 61005});
  CHECK(connect_result(other_port, 2000) == ECONNREFUSED);
  CHECK(connect_result(other_host, 2000) == ECONNREFUSED);
  CHECK(connect_result(ours, 300) == EINPROGRESS);
  bool seen = false;
  while (const auto packet = (*door)->read()) {
    const Bytes b = packet->bytes;
    CHECK(load_be32(&b[12]) == 0xcb007105);  // only the concentrator's get through
    if (load_be16(&b[20]) == 8803 && load_be16(&b[22]) == 61005) seen = true;
  }
  CHECK(seen);

  // A LAN host whose own source port lies in our range keeps its connection.
  const auto server = listener({"203.0.113.9", 8803});
  REQUIRE_FALSE(lab.table->load([&] {
    auto draining = lab.plan;
    draining.new_connections = GatewayNftPlan::NewConnections::kLeave;
    return nft_text(draining);
  }()));
  lab.lan.enter();
  const auto lan_host = start_connect({"10.0.0.2", 61005}, {"203.0.113.9", 8803});
  CHECK(connect_result(lan_host, 2000) == 0);
}
TEST_SUITE_END();

}  // namespace braid::platform
