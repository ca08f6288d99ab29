// The doors against the real kernel, in network namespaces of this process's own. Needs root.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/clock.h"
#include "platform/packet_socket.h"
#include "platform/tun.h"
#include "tests/lab/platform_namespace.h"
#include "tests/lab/platform_sockets.h"

namespace braid::platform {

namespace {

std::uint16_t fold(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint32_t sum_of(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  return sum;
}

struct TcpFields {
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint8_t flags = 0;  // 0x02 SYN, 0x10 ACK, 0x08 PSH
  std::uint16_t gso_size = 0;
};

// A TCP packet as the stack would hand it over: checksum left to the device.
PacketOut tcp_packet(const TcpFields& f, Bytes payload) {
  PacketOut packet{};
  std::uint8_t* h = packet.header.data();
  const bool v4 = f.source.is_v4();
  const std::size_t address_length = v4 ? 4 : 16;
  packet.transport_offset = v4 ? 20 : 40;
  packet.header_length = static_cast<std::uint16_t>(packet.transport_offset + 20);
  packet.checksum_offset = 16;
  packet.gso_size = f.gso_size;
  packet.payload = Slices(payload);
  const std::uint32_t tcp_length = 20 + packet.payload.size();
  if (v4) {
    h[0] = 0x45;
    store_be16(h + 2, static_cast<std::uint16_t>(20 + tcp_length));
    h[6] = 0x40;
    h[8] = 64;
    h[9] = IPPROTO_TCP;
  } else {
    h[0] = 0x60;
    store_be16(h + 4, static_cast<std::uint16_t>(tcp_length));
    h[6] = IPPROTO_TCP;
    h[7] = 64;
  }
  std::uint8_t* addresses = h + (v4 ? 12 : 8);
  std::copy(f.source.bytes().begin(), f.source.bytes().end(), addresses);
  std::copy(f.destination.bytes().begin(), f.destination.bytes().end(), addresses + address_length);
  const std::uint32_t pseudo =
      sum_of(Bytes(addresses, 2 * address_length)) + IPPROTO_TCP + tcp_length;
  if (v4) store_be16(h + 10, static_cast<std::uint16_t>(~fold(sum_of(Bytes(h, 20)))));
  std::uint8_t* tcp = h + packet.transport_offset;
  store_be16(tcp, f.source_port);
  store_be16(tcp + 2, f.destination_port);
  store_be32(tcp + 4, f.sequence);
  store_be32(tcp + 8, f.acknowledgement);
  tcp[12] = 0x50;
  tcp[13] = f.flags;
  store_be16(tcp + 14, 65535);
  store_be16(tcp + 16, fold(pseudo));
  return packet;
}

struct TcpSeen {
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t gso_size = 0;
  std::vector<std::uint8_t> payload;
};

std::optional<TcpSeen> parse_tcp(const PacketIn& packet) {
  const Bytes b = packet.bytes;
  if (b.size() < 40) return std::nullopt;
  const bool v4 = b[0] >> 4 == 4;
  if (b[v4 ? 9 : 6] != IPPROTO_TCP) return std::nullopt;
  const std::size_t ip = v4 ? 4U * (b[0] & 15U) : 40U;
  const std::size_t end = v4 ? load_be16(&b[2]) : 40U + load_be16(&b[4]);
  const std::uint8_t* tcp = &b[ip];
  const std::size_t start = ip + 4U * (tcp[12] >> 4U);
  return TcpSeen{tcp[13],
                 load_be32(tcp + 4),
                 load_be32(tcp + 8),
                 packet.gso_size,
                 {b.begin() + static_cast<std::ptrdiff_t>(start),
                  b.begin() + static_cast<std::ptrdiff_t>(end)}};
}

// The next TCP segment that `wanted` accepts, if it comes in time.
template <typename Wanted>
std::optional<TcpSeen> wait_for(Device& device, Duration patience, Wanted wanted) {
  const Instant limit = clock_now() + patience;
  while (clock_now() < limit) {
    pollfd poll_for{device.fd(), POLLIN, 0};
    ::poll(&poll_for, 1, 10);
    while (const auto packet = device.read()) {
      const auto seen = parse_tcp(*packet);
      if (seen && wanted(*seen)) return *seen;
    }
  }
  return std::nullopt;
}

template <typename Wanted>
TcpSeen expect(Device& device, Wanted wanted) {
  const auto seen = wait_for(device, 2s, wanted);
  REQUIRE(seen);
  return *seen;
}

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return bytes;
}

// The kernel notices a carrier a moment after `up`, and drops what is sent before.
Link link_that_is_up(NetlinkSocket& netlink, const std::string& name) {
  const Instant limit = clock_now() + 3s;
  for (;;) {
    const auto link = link_by_name(netlink, name);
    REQUIRE(link);
    if (link->up) return *link;
    REQUIRE(clock_now() < limit);
    ::usleep(1000);
  }
}

// Opens a connection to a kernel listener through `device` with hand-made segments, sends it `size`
// bytes in one super-packet and gets the first of them back, within an initial window of 536-byte
// pieces.
void converse(Device& device, const UniqueFd& listener, TcpFields f, std::size_t size,
              std::uint16_t gso_size) {
  const auto bytes = pattern(size);
  f.sequence = 1000;
  f.flags = 0x02;
  // Repeated, because the kernel puts IPv6 routes of a new address in a moment later.
  std::optional<TcpSeen> answer;
  for (int i = 0; i < 30 && !answer; ++i) {
    REQUIRE(device.send(tcp_packet(f, {})) == Door::Sent::kYes);
    answer = wait_for(device, 100ms, [](const TcpSeen& s) { return s.flags == 0x12; });
  }
  REQUIRE(answer);
  const TcpSeen& syn_ack = *answer;
  CHECK(syn_ack.acknowledgement == 1001);
  f.sequence = 1001;
  f.acknowledgement = syn_ack.sequence + 1;
  f.flags = 0x10;
  REQUIRE(device.send(tcp_packet(f, {})) == Door::Sent::kYes);
  f.flags = 0x18;
  f.gso_size = gso_size;
  REQUIRE(device.send(tcp_packet(f, bytes)) == Door::Sent::kYes);

  REQUIRE(wait_until(listener.get(), POLLIN, 2000));
  UniqueFd server(::accept(listener.get(), nullptr, nullptr));
  REQUIRE(server);
  const timeval limit{3, 0};
  ::setsockopt(server.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::vector<std::uint8_t> got(size);
  REQUIRE(::recv(server.get(), got.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size));
  CHECK(got == bytes);

  REQUIRE(::send(server.get(), got.data(), 4'000, 0) == 4'000);
  std::vector<std::uint8_t> back;
  std::uint16_t largest_gso = 0;
  while (back.size() < 4'000) {
    const auto seen = expect(device, [&](const TcpSeen& s) {
      return !s.payload.empty() && s.sequence == syn_ack.sequence + 1 + back.size();
    });
    back.insert(back.end(), seen.payload.begin(), seen.payload.end());
    largest_gso = std::max(largest_gso, seen.gso_size);
  }
  CHECK(std::equal(back.begin(), back.end(), bytes.begin()));
  CHECK(largest_gso > 0);  // it came as a super-packet
}

}  // namespace

TEST_SUITE_BEGIN("platform_lab");
TEST_CASE("super-packets cross the TUN both ways and the kernel's own socket gets every byte") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto tun = Tun::open("braid0");
  REQUIRE(tun);
  auto netlink = NetlinkSocket::open();
  REQUIRE(netlink);
  const auto link = link_by_name(*netlink, "braid0");
  REQUIRE(link);
  CHECK(link->kind == LinkKind::kRawIp);
  CHECK_FALSE(link->up);
  for (const char* prefix : {"192.0.2.1/24", "2001:db8::1/64"}) {
    REQUIRE_FALSE(add_address(*netlink, link->index, *IpPrefix::parse(prefix)));
    REQUIRE_FALSE(add_address(*netlink, link->index, *IpPrefix::parse(prefix)));  // again: same
  }
  REQUIRE_FALSE(set_link_mtu(*netlink, link->index, 1400));
  REQUIRE_FALSE(set_link_queue(*netlink, link->index, 3000));
  REQUIRE_FALSE(set_link_up(*netlink, link->index));
  CHECK(link_by_name(*netlink, "braid0")->up);
  CHECK(link_by_name(*netlink, "braid0")->mtu == 1400);
  const auto addresses = usable_addresses(*netlink, link->index);
  REQUIRE(addresses);
  REQUIRE(addresses->size() == 2);
  CHECK((*addresses)[0].prefix == *IpPrefix::parse("192.0.2.1/24"));
  CHECK((*addresses)[1].prefix == *IpPrefix::parse("2001:db8::1/64"));

  for (const auto& [ours, theirs] :
       {std::pair("192.0.2.9", "192.0.2.1"), std::pair("2001:db8::9", "2001:db8::1")}) {
    CAPTURE(ours);
    const auto listener = platform::listener(SocketAddress(theirs, 80));
    converse(**tun, listener,
             {.source = *IpAddress::parse(ours),
              .destination = *IpAddress::parse(theirs),
              .source_port = 5000,
              .destination_port = 80},
             30'000, 1300);
  }
  CHECK((*tun)->counters().lost == 0);
  CHECK((*tun)->counters().malformed == 0);
}

TEST_CASE("a TUN name that another process holds, or that is no name, is refused with a reason") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto first = Tun::open("braid0");
  REQUIRE(first);
  CHECK(Tun::open("braid0").error() == std::errc::device_or_resource_busy);
  CHECK(Tun::open("").error() == std::errc::invalid_argument);
  CHECK(Tun::open("a-name-longer-than-the-kernel-takes").error() == std::errc::invalid_argument);
}

TEST_CASE("writing to a TUN that is down loses the packet and says why") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto tun = Tun::open("braid0");
  REQUIRE(tun);
  const auto a = *IpAddress::parse("192.0.2.1");
  CHECK((*tun)->send(tcp_packet({.source = a, .destination = a}, {})) == Door::Sent::kLost);
  CHECK((*tun)->counters().lost == 1);
  CHECK((*tun)->counters().last_send_error == std::errc::io_error);
}

TEST_CASE("a packet socket talks to a kernel socket across a veth pair in super-packets") {
  REQUIRE_NAMESPACES();
  Namespace far;
  Namespace here;
  here.enter();
  run("ip link add wan1 type veth peer name v1");
  run("ip link set v1 netns " + far.path());
  run("ip addr add 198.51.100.1/24 dev wan1; ip -6 addr add 2001:db8:1::1/64 dev wan1 nodad");
  run("ip link set wan1 up");
  far.enter();
  run("ip addr add 198.51.100.2/24 dev v1; ip -6 addr add 2001:db8:1::2/64 dev v1 nodad");
  run("ip link set v1 up");
  auto far_netlink = NetlinkSocket::open();
  REQUIRE(far_netlink);
  static_cast<void>(link_that_is_up(*far_netlink, "v1"));
  const auto listener4 = platform::listener({"198.51.100.2", 8803});
  const auto listener6 = platform::listener({"2001:db8:1::2", 8803});
  here.enter();
  // Its TCP would answer RST to what it knows nothing of; that is another test's matter.
  run("nft add table inet q '{ chain c { type filter hook prerouting priority raw; "
      "tcp dport 61000-61999 drop; }; }'");

  auto netlink = NetlinkSocket::open();
  auto events = NetlinkEvents::open();
  REQUIRE(netlink);
  REQUIRE(events);
  const Link link = link_that_is_up(*netlink, "wan1");
  NextHops next_hops(kernel_of_link(*netlink, link.index), link);
  auto door = PacketSocket::open(link, {.local_ports = {61000, 61999}}, next_hops);
  REQUIRE(door);
  CHECK((*door)->max_super_packet() > 60'000);

  // The neighbour's answer arrives as news while converse() waits for the SYN-ACK.
  for (const auto& [ours, theirs, listener] :
       {std::tuple("198.51.100.1", "198.51.100.2", &listener4),
        std::tuple("2001:db8:1::1", "2001:db8:1::2", &listener6)}) {
    CAPTURE(ours);
    const auto source = *IpAddress::parse(ours);
    const auto destination = *IpAddress::parse(theirs);
    CHECK(next_hops.next_hop(destination) == destination);
    // The first packet is held until the neighbour has answered.
    REQUIRE((*door)->send(tcp_packet({.source = source,
                                      .destination = destination,
                                      .source_port = 61001,
                                      .destination_port = 9,
                                      .flags = 0x02},
                                     {})) == Door::Sent::kYes);
    const Instant limit = clock_now() + 2900ms;
    while (clock_now() < limit &&
           next_hops.lookup(destination, clock_now()).state != NextHops::Answer::State::kReady) {
      events->drain(
          {.message = [&](const NetlinkMessage& m) { next_hops.on_event(m, clock_now()); },
           .overrun = [&] { next_hops.forget(); }});
    }
    REQUIRE(next_hops.lookup(destination, clock_now()).state == NextHops::Answer::State::kReady);
    const TcpSeen reset = expect(**door, [](const TcpSeen& s) { return (s.flags & 0x04) != 0; });
    CHECK(reset.flags == 0x14);  // port 9 is closed there: the held SYN was answered
    converse(**door, *listener,
             {.source = source,
              .destination = destination,
              .source_port = 61000,
              .destination_port = 8803},
             60'000, 1400);
  }
  CHECK((*door)->counters().lost == 0);
  CHECK((*door)->counters().malformed == 0);
  CHECK((*door)->take_kernel_drops() == 0);
}
TEST_SUITE_END();

}  // namespace braid::platform
