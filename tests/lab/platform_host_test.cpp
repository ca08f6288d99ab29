// What braid puts into the kernel, seen from the outside, in namespaces of this process. Needs
// root.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "platform/capture.h"
#include "platform/host_settings.h"
#include "platform/link_follower.h"
#include "platform/links.h"
#include "platform/next_hop.h"
#include "platform/nft_plan.h"
#include "platform/nft_table.h"
#include "platform/other_traffic.h"
#include "platform/routes.h"
#include "platform/tun.h"
#include "tests/lab/platform_namespace.h"

namespace braid::platform {

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> part{};
  while (const std::size_t n = ::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), n);
  }
  ::pclose(pipe);
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

NetlinkSocket open_netlink() {
  auto netlink = NetlinkSocket::open();
  REQUIRE(netlink);
  return std::move(*netlink);
}

std::uint32_t index_of(NetlinkSocket& netlink, const std::string& name) {
  const auto link = link_by_name(netlink, name);
  REQUIRE(link);
  return link->index;
}

GatewayNftPlan gateway_plan() {
  return {.lan_interfaces = {"lan0"},
          .uplinks = {"wan1", "wan2"},
          .concentrators = {*IpAddress::parse("203.0.113.5"), *IpAddress::parse("2001:db8::5")},
          .concentrator_port = 8803,
          .local_ports = {61000, 61999},
          .mark = 0x42};
}

}  // namespace

TEST_SUITE_BEGIN("platform_lab");
TEST_CASE(
    "the kernel takes both roles' tables, replaces them whole, and drops them with their owner") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto plan = gateway_plan();
  {
    NftTable table;
    const auto failed = table.load(nft_text(plan));
    INFO(failed.value_or(""));
    REQUIRE_FALSE(failed);
    CHECK(has(output_of("nft list ruleset"), "chain capture"));
    CHECK(has(output_of("nft list ruleset"), "state new"));
    plan.new_connections = GatewayNftPlan::NewConnections::kLeave;
    REQUIRE_FALSE(table.load(nft_text(plan)));
    const std::string draining = output_of("nft list ruleset");
    CHECK(has(draining, "chain capture"));
    CHECK_FALSE(has(draining, "state new"));
    REQUIRE_FALSE(table.load(nft_text(
        ConcentratorNftPlan{.listen_interface = "eth0", .listen_port = 8803, .tun = "t"})));
    CHECK_FALSE(has(output_of("nft list ruleset"), "chain capture"));
    CHECK(has(output_of("nft list ruleset"), "tcp dport 8803"));
  }
  CHECK_FALSE(has(output_of("nft list ruleset"), "braid"));
}

TEST_CASE("a second owner is refused with a reason and the first one's table stays") {
  REQUIRE_NAMESPACES();
  Namespace here;
  NftTable first;
  NftTable second;
  REQUIRE_FALSE(first.load(nft_text(gateway_plan())));
  const auto reason = second.load(nft_text(gateway_plan()));
  REQUIRE(reason);
  CHECK(has(*reason, "not permitted"));
  CHECK_FALSE(has(*reason, "\n"));
  CHECK(has(output_of("nft list ruleset"), "chain capture"));
  const auto nonsense = first.load("table inet braid { nonsense }\n");
  REQUIRE(nonsense);
  CHECK_FALSE(has(*nonsense, "\n"));
  CHECK(has(output_of("nft list ruleset"), "chain capture"));
}

TEST_CASE("kill -9 takes the table away and a restart loads it at once") {
  REQUIRE_NAMESPACES();
  Namespace here;
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    NftTable table;
    const char result = table.load(nft_text(gateway_plan())) ? 'n' : 'y';
    static_cast<void>(!::write(ready[1], &result, 1));
    for (;;) ::pause();
  }
  char result = 0;
  REQUIRE(::read(ready[0], &result, 1) == 1);
  CHECK(result == 'y');
  CHECK(has(output_of("nft list ruleset"), "chain quiet"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  NftTable again;
  CHECK_FALSE(again.load(nft_text(gateway_plan())));
  CHECK(has(output_of("nft list ruleset"), "chain quiet"));
}

TEST_CASE("a forward chain of policy drop is found, whoever made it") {
  REQUIRE_NAMESPACES();
  Namespace here;
  CHECK(forward_drop_chains().empty());
  run("nft add table ip filter");
  run("nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'");
  const auto found = forward_drop_chains();
  REQUIRE(found.size() == 1);
  CHECK(found[0] == "ip filter FORWARD");
  for (const std::string& line : forward_drop_advice(found, "braid0")) {
    const auto command = line.find("nft insert");
    REQUIRE(command != std::string::npos);
    run(line.substr(command));  // what is advised works as it stands
  }
  CHECK(has(output_of("nft list ruleset"), "iifname \"braid0\" accept"));
}

TEST_CASE("capture rules and routes go in twice without harm and are all cleared by their tag") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto netlink = open_netlink();
  run("ip link add lan0 type veth peer name lan1");
  auto tun = Tun::open("braid0");
  REQUIRE(tun);
  const auto index = index_of(netlink, "braid0");
  REQUIRE_FALSE(add_address(netlink, index, *IpPrefix::parse("192.0.2.1/32")));
  REQUIRE_FALSE(set_link_up(netlink, index));
  const std::string before = output_of("ip rule; ip -6 rule");
  const CapturePlan plan{.tun_index = index,
                         .lan_interfaces = {"lan0"},
                         .mark = 0x42,
                         .local = CapturePlan::Local::kCapture,
                         .tun_addresses = {*IpAddress::parse("192.0.2.1")}};
  for (int i = 0; i < 2; ++i) {
    const auto error = install_capture(netlink, plan);
    INFO(error.message());
    REQUIRE_FALSE(error);
  }
  const std::string rules = output_of("ip rule; ip -6 rule");
  CAPTURE(rules);
  CHECK(has(rules, "fwmark 0x42 iif lan0 lookup main suppress_prefixlength 0"));
  CHECK(has(rules, "fwmark 0x42 iif lan0 lookup 2928"));
  CHECK(has(rules, "from 0.0.0.0 iif lo ipproto tcp lookup 2928"));
  CHECK(has(rules, "from 192.0.2.1 iif lo lookup 2928"));
  CHECK(has(output_of("ip route show table 2928"), "default dev braid0"));
  CHECK(has(output_of("ip -6 route show table 2928"), "default dev braid0"));

  // The way of a marked packet of the LAN, an unmarked one, and one to a connected network.
  run("ip addr add 10.0.0.1/24 dev lan0; ip link set lan0 up; ip link set lan1 up");
  run("ip route add default dev lan0; sysctl -q net.ipv4.ip_forward=1");
  const auto way = [](const std::string& what) { return output_of("ip route get " + what); };
  CHECK(has(way("203.0.113.9 from 10.0.0.2 iif lan0 mark 0x42"), "dev braid0"));
  CHECK(has(way("203.0.113.9 from 10.0.0.2 iif lan0"), "dev lan0"));
  CHECK(has(way("10.0.0.7 from 10.0.0.2 iif lan0 mark 0x42"), "dev lan0"));
  CHECK(has(way("203.0.113.9 ipproto tcp"), "dev braid0"));
  CHECK(has(way("203.0.113.9 ipproto tcp"), "src 192.0.2.1"));
  CHECK(has(way("203.0.113.9 ipproto udp"), "dev lan0"));
  CHECK(has(way("203.0.113.9 from 192.0.2.1 ipproto tcp"), "dev braid0"));
  CHECK(has(way("10.0.0.7 ipproto tcp"), "dev lan0"));

  const auto cleared = clear_own_rules_and_routes(netlink);
  INFO(cleared.error().message());
  REQUIRE(cleared);
  CHECK(*cleared == capture_rules(plan).size() + 2);
  CHECK(output_of("ip rule; ip -6 rule") == before);
  CHECK(output_of("ip route show table all | grep 2928").empty());
  CHECK(*clear_own_rules_and_routes(netlink) == 0);
}

TEST_CASE("other traffic follows the uplink it is told to, and the main table without one") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto netlink = open_netlink();
  for (const std::string n : {"1", "2"}) {
    run("ip link add wan" + n + " type veth peer name far" + n);
    run("ip addr add 198.51." + n + ".1/24 dev wan" + n);
    run("ip -6 addr add 2001:db8:" + n + "::1/64 dev wan" + n + " nodad");
    run("ip link set wan" + n + " up; ip link set far" + n + " up");
  }
  run("ip route add default via 198.51.1.9; ip -6 route add default via 2001:db8:1::9");
  OtherTraffic other(netlink);
  REQUIRE_FALSE(other.install());
  const auto way4 = [] { return output_of("ip route get 203.0.113.9"); };
  const auto way6 = [] { return output_of("ip route get 2001:db8:f::9"); };
  CHECK(has(way4(), "via 198.51.1.9 dev wan1"));
  const auto wan2 = index_of(netlink, "wan2");
  REQUIRE_FALSE(
      other.follow(OtherTraffic::Way{.link_index = wan2,
                                     .ipv4 = RouteHop{IpAddress::parse("198.51.2.9")},
                                     .ipv6 = RouteHop{IpAddress::parse("2001:db8:2::9")}}));
  CHECK(has(way4(), "via 198.51.2.9 dev wan2"));
  CHECK(has(way6(), "via 2001:db8:2::9 dev wan2"));
  CHECK(has(output_of("ip route get 198.51.1.7"), "dev wan1"));  // connected networks stay
  REQUIRE_FALSE(
      other.follow(OtherTraffic::Way{.link_index = wan2, .ipv4 = RouteHop{}, .ipv6 = RouteHop{}}));
  CHECK_FALSE(has(way4(), "via"));
  CHECK_FALSE(has(way6(), "via"));
  REQUIRE_FALSE(other.follow(std::nullopt));
  CHECK(has(way4(), "via 198.51.1.9 dev wan1"));
  CHECK(has(way6(), "via 2001:db8:1::9 dev wan1"));
}

TEST_CASE("the next hop is the route's, a default of any table, the configured one, or on-link") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto netlink = open_netlink();
  run("ip link add wan1 type veth peer name far1; ip link add wan2 type veth peer name far2");
  run("ip addr add 198.51.1.1/24 dev wan1; ip -6 addr add 2001:db8:1::1/64 dev wan1 nodad");
  run("ip addr add 198.51.2.1/24 dev wan2");
  run("for i in wan1 wan2 far1 far2; do ip link set $i up; done");
  run("ip route add default via 198.51.2.9 dev wan2");
  run("ip route add 203.0.113.0/24 via 198.51.1.7 dev wan1");
  const auto link = link_by_name(netlink, "wan1");
  REQUIRE(link);
  const auto hop = [&](const char* destination) {
    NextHops fresh(kernel_of_link(netlink, link->index), *link, {*IpAddress::parse("198.51.1.5")});
    return fresh.next_hop(*IpAddress::parse(destination)).to_string();
  };
  CHECK(hop("198.51.1.44") == "198.51.1.44");
  CHECK(hop("203.0.113.5") == "198.51.1.7");
  CHECK(hop("192.0.2.5") == "198.51.1.5");         // configured: wan2's default is not wan1's
  CHECK(hop("2001:db8:9::5") == "2001:db8:9::5");  // nothing known: on-link
  run("ip route add default via 198.51.1.8 dev wan1 table 77");
  run("ip -6 route add default via fe80::8 dev wan1 table 77");
  CHECK(hop("192.0.2.5") == "198.51.1.8");
  CHECK(hop("2001:db8:9::5") == "fe80::8");
  run("ip route add default via 198.51.1.6 dev wan1 metric 900");
  CHECK(hop("192.0.2.5") == "198.51.1.6");
  run("ip route replace default nexthop via 198.51.2.9 dev wan2 nexthop via 198.51.1.3 dev wan1");
  CHECK(hop("192.0.2.5") == "198.51.1.3");
}

TEST_CASE("an unusable address is not offered: tentative, deprecated or of link scope") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto netlink = open_netlink();
  run("ip link add wan1 type veth peer name far1; ip link set wan1 up; ip link set far1 up");
  run("ip addr add 169.254.1.1/16 dev wan1 scope link; ip addr add 198.51.1.1/24 dev wan1");
  run("ip -6 addr add 2001:db8::1/64 dev wan1 nodad");
  run("ip -6 addr add 2001:db8::2/64 dev wan1 nodad preferred_lft 0");
  const auto index = index_of(netlink, "wan1");
  const auto addresses = usable_addresses(netlink, index);
  REQUIRE(addresses);
  REQUIRE(addresses->size() == 2);
  CHECK((*addresses)[0].prefix.to_string() == "198.51.1.1/24");
  CHECK((*addresses)[1].prefix.to_string() == "2001:db8::1/64");
  REQUIRE_FALSE(delete_address(netlink, index, *IpPrefix::parse("198.51.1.1/24")));
  CHECK(usable_addresses(netlink, index)->size() == 1);
  CHECK(link_by_name(netlink, "nothere").error() == std::errc::no_such_device);
}

TEST_CASE("changes of links, addresses and routes arrive as events") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto netlink = open_netlink();
  run("ip link add wan1 type veth peer name far1; ip link set far1 up");
  auto events = NetlinkEvents::open();
  REQUIRE(events);
  run("ip link set wan1 up; ip addr add 198.51.1.1/24 dev wan1; ip route add 203.0.113.0/24 dev "
      "wan1");
  int links = 0;
  int addresses = 0;
  int others = 0;
  events->drain({.message =
                     [&](const NetlinkMessage& message) {
                       if (const auto link = parse_link(message); link && link->name == "wan1") {
                         ++links;
                       } else if (parse_usable_address(message)) {
                         ++addresses;
                       } else {
                         ++others;
                       }
                     },
                 .overrun = [] { FAIL("overrun"); }});
  CHECK(links > 0);
  CHECK(addresses == 1);
  CHECK(others > 0);
}

TEST_CASE("a followed interface is reported as it comes, gets an address, changes and goes") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto netlink = open_netlink();
  auto events = NetlinkEvents::open();
  REQUIRE(events);
  std::vector<LinkState> seen;
  LinkFollower follower(netlink, {"wan1"}, [&](std::size_t which, const LinkState& state) {
    CHECK(which == 0);
    seen.push_back(state);
  });
  const auto step = [&](const std::string& command) {
    if (!command.empty()) run(command);
    seen.clear();
    events->drain({.message = [&](const NetlinkMessage& m) { follower.on_event(m); },
                   .overrun = [&] { follower.suspect_all(); }});
    follower.settle();
    return seen.size();
  };
  CHECK(step("") == 1);
  CHECK_FALSE(seen[0].link);
  CHECK(step("ip link add other type veth peer name far2") == 0);
  CHECK(step("ip link add wan1 type veth peer name far1; ip link set far1 up") == 1);
  REQUIRE(follower.state(0).link);
  CHECK_FALSE(follower.state(0).link->up);
  CHECK(step("ip link set wan1 up; ip addr add 198.51.1.1/24 dev wan1") == 1);
  REQUIRE(follower.state(0).addresses.size() == 1);
  CHECK(step("ip link set wan1 mtu 1400") == 1);
  CHECK(follower.state(0).link->mtu == 1400);
  step("ip link set far1 down");
  CHECK_FALSE(link_by_name(netlink, "wan1")->up);
  CHECK(step("ip link set wan1 down; ip link set wan1 name elsewhere") == 1);
  CHECK_FALSE(follower.state(0).link);
  CHECK(step("ip link set elsewhere name wan1") == 1);
  CHECK(step("ip link del wan1") == 1);
  CHECK_FALSE(follower.state(0).link);
  follower.suspect_all();
  CHECK(step("") == 0);
}

TEST_CASE("a real host is prepared and left as it was") {
  REQUIRE_NAMESPACES();
  Namespace here;
  auto tun = Tun::open("braid0");
  REQUIRE(tun);
  run("ip link add wan1 type veth peer name far1");
  run("sysctl -q net.ipv6.conf.wan1.accept_ra=1 net.ipv4.ip_local_reserved_ports=22");
  const std::string keys =
      "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.wan1.accept_ra "
      "net.ipv4.conf.braid0.rp_filter net.ipv4.ip_local_reserved_ports";
  const std::string before = output_of(keys);
  {
    HostSettings settings;
    const auto advice = prepare_host(
        settings, {.uplinks = {"wan1"}, .tun = "braid0", .local_ports = {61000, 61999}});
    CHECK(advice.empty());
    const std::string during = output_of(keys);
    CHECK(has(during, "ip_forward = 1"));
    CHECK(has(during, "all.forwarding = 1"));
    CHECK(has(during, "accept_ra = 2"));
    CHECK(has(during, "rp_filter = 2"));
    CHECK(has(during, "22,61000-61999"));
  }
  CHECK(output_of(keys) == before);
}
TEST_SUITE_END();

}  // namespace braid::platform
