#include "platform/netlink_message.h"

#include <doctest/doctest.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "platform/links.h"
#include "platform/neighbours.h"
#include "platform/routes.h"

namespace braid::platform {

namespace {

// A message as the kernel would send it; keeps the bytes its parts point at.
struct Sent {
  explicit Sent(NetlinkRequest request) {
    const Bytes raw = request.finish(7);
    bytes.assign(raw.begin(), raw.end());
    message = parse_netlink(bytes).at(0);
  }
  std::vector<std::uint8_t> bytes;
  NetlinkMessage message;
};

Sent link_message(unsigned short type, unsigned flags) {
  ifinfomsg body{};
  body.ifi_index = 3;
  body.ifi_type = type;
  body.ifi_flags = flags;
  const MacAddress mac{2, 0, 0, 0, 0, 9};
  NetlinkRequest request(RTM_NEWLINK, 0, body);
  request.add(IFLA_IFNAME, std::string_view("wan1"))
      .add(IFLA_MTU, std::uint32_t{1492})
      .add(IFLA_ADDRESS, Bytes(mac))
      .add(IFLA_GSO_MAX_SIZE, std::uint32_t{32768});
  return Sent(request);
}

Sent address_message(std::uint8_t scope, std::uint32_t flags) {
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = 24;
  body.ifa_index = 3;
  body.ifa_scope = scope;
  NetlinkRequest request(RTM_NEWADDR, 0, body);
  request.add(IFA_ADDRESS, *IpAddress::parse("198.51.100.9"))
      .add(IFA_LOCAL, *IpAddress::parse("198.51.100.1"))
      .add(IFA_FLAGS, flags);
  return Sent(request);
}

rtmsg unicast() {
  rtmsg body{};
  body.rtm_family = AF_INET;
  body.rtm_type = RTN_UNICAST;
  return body;
}

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("what a request is built of comes back out of it") {
  rtmsg body{};
  body.rtm_table = 9;
  NetlinkRequest request(RTM_GETROUTE, NLM_F_ACK, body);
  request.add(RTA_OIF, std::uint32_t{77})
      .add(RTA_DST, *IpAddress::parse("2001:db8::1"))
      .add(RTA_METRICS, std::string_view("name"));
  CHECK(request.flags() == (NLM_F_REQUEST | NLM_F_ACK));
  const Sent sent(request);
  CHECK(sent.bytes.size() % 4 == 0);
  CHECK(sent.message.type == RTM_GETROUTE);
  CHECK(sent.message.sequence == 7);
  REQUIRE(sent.message.as<rtmsg>());
  CHECK(sent.message.as<rtmsg>()->rtm_table == 9);
  const auto attributes = sent.message.attributes<rtmsg>();
  CHECK(attributes.u32(RTA_OIF) == 77U);
  CHECK(attributes.address(RTA_DST) == IpAddress::parse("2001:db8::1"));
  CHECK(attributes.text(RTA_METRICS) == "name");
  CHECK_FALSE(attributes.has(RTA_GATEWAY));
  CHECK_FALSE(attributes.u32(RTA_DST));
  CHECK_FALSE(attributes.address(RTA_METRICS));
}

TEST_CASE("a datagram cut anywhere is read as far as it is whole, and never past its end") {
  Sent first = link_message(ARPHRD_ETHER, IFF_UP);
  std::vector<std::uint8_t> two = first.bytes;
  two.insert(two.end(), first.bytes.begin(), first.bytes.end());
  CHECK(parse_netlink(two).size() == 2);
  for (std::size_t length = 0; length < two.size(); ++length) {
    const std::vector<std::uint8_t> cut(two.begin(),
                                        two.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(parse_netlink(cut).size() == length / first.bytes.size());
  }
  // Attributes that lie about their length.
  for (std::size_t at = sizeof(nlmsghdr) + sizeof(ifinfomsg); at < first.bytes.size(); ++at) {
    std::vector<std::uint8_t> lie = first.bytes;
    lie[at] = 0xff;
    for (const auto& message : parse_netlink(lie)) static_cast<void>(parse_link(message));
    lie[at] = 0;
    for (const auto& message : parse_netlink(lie)) static_cast<void>(parse_link(message));
  }
}

TEST_CASE("a link is read with its kind, limits and state") {
  const auto up = link_message(ARPHRD_ETHER, IFF_UP | IFF_RUNNING);
  CHECK(parse_link(up.message) == Link{.index = 3,
                                       .name = "wan1",
                                       .mac = {2, 0, 0, 0, 0, 9},
                                       .mtu = 1492,
                                       .gso_max_size = 32768,
                                       .up = true});
  CHECK_FALSE(parse_link(link_message(ARPHRD_ETHER, IFF_UP).message)->up);  // no carrier
  CHECK_FALSE(parse_link(link_message(ARPHRD_ETHER, IFF_NOARP).message)->resolves_neighbours);
  for (const int type : {ARPHRD_PPP, ARPHRD_NONE, ARPHRD_RAWIP}) {
    const auto raw = parse_link(link_message(static_cast<unsigned short>(type), 0).message);
    CHECK(raw->kind == LinkKind::kRawIp);
    CHECK(raw->known_kind);
    CHECK_FALSE(raw->resolves_neighbours);
  }
  CHECK_FALSE(parse_link(link_message(ARPHRD_IEEE80211_RADIOTAP, 0).message)->known_kind);
}

TEST_CASE("interface names that would not survive quoting are no names") {
  for (const char* good : {"wan1", "br-lan.7", "wwan0_1", "fifteen-letters"}) {
    CHECK(is_interface_name(good));
  }
  for (const char* bad :
       {"", ".", "..", "a b", "a\"b", "wan*", "a/b", "a\\b", "a\nb", "sixteen-letters!"}) {
    CHECK_FALSE(is_interface_name(bad));
  }
}

TEST_CASE("of an address message our own end is taken, and only a usable one") {
  const auto usable = address_message(RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
  CHECK(parse_usable_address(usable.message) ==
        LinkAddress{3, *IpPrefix::parse("198.51.100.1/24")});
  for (const unsigned flag : {IFA_F_TENTATIVE, IFA_F_DEPRECATED, IFA_F_DADFAILED}) {
    CHECK_FALSE(parse_usable_address(address_message(RT_SCOPE_UNIVERSE, flag).message));
  }
  CHECK(parse_usable_address(
      address_message(RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE | IFA_F_OPTIMISTIC).message));
  CHECK_FALSE(parse_usable_address(address_message(RT_SCOPE_LINK, 0).message));
  CHECK_FALSE(parse_usable_address(address_message(RT_SCOPE_HOST, 0).message));
}

TEST_CASE("a neighbour counts as resolved in every state in which its MAC may be used") {
  const auto state = [](std::uint16_t kernel_state, std::size_t mac_length) {
    ndmsg body{};
    body.ndm_ifindex = 3;
    body.ndm_state = kernel_state;
    NetlinkRequest request(RTM_NEWNEIGH, 0, body);
    const std::vector<std::uint8_t> mac(mac_length, 2);
    request.add(NDA_DST, *IpAddress::parse("fe80::1"));
    if (mac_length > 0) request.add(NDA_LLADDR, Bytes(mac));
    return parse_neighbour(Sent(request).message)->state;
  };
  using S = Neighbour::State;
  for (const int s : {NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_NOARP}) {
    CHECK(state(static_cast<std::uint16_t>(s), 6) == S::kResolved);
  }
  CHECK(state(NUD_REACHABLE, 8) == S::kPending);
  CHECK(state(NUD_INCOMPLETE, 0) == S::kPending);
  CHECK(state(NUD_FAILED, 0) == S::kFailed);
}

TEST_CASE("a route's hop is its gateway, one of the other family too, or nothing when on-link") {
  const auto gateway = *IpAddress::parse("198.51.100.1");
  NetlinkRequest plain(RTM_NEWROUTE, 0, unicast());
  plain.add(RTA_OIF, std::uint32_t{3});
  CHECK(parse_hop(Sent(plain).message, 3) == RouteHop{});
  CHECK_FALSE(parse_hop(Sent(plain).message, 4));
  plain.add(RTA_GATEWAY, gateway);
  CHECK(parse_hop(Sent(plain).message, 3) == RouteHop{gateway});

  std::vector<std::uint8_t> via{AF_INET6, 0};
  const auto v6 = *IpAddress::parse("fe80::9");
  via.insert(via.end(), v6.bytes().begin(), v6.bytes().end());
  NetlinkRequest other(RTM_NEWROUTE, 0, unicast());
  other.add(RTA_OIF, std::uint32_t{3}).add(RTA_VIA, Bytes(via));
  CHECK(parse_hop(Sent(other).message, 3) == RouteHop{v6});

  rtmsg blackhole = unicast();
  blackhole.rtm_type = RTN_BLACKHOLE;
  NetlinkRequest none(RTM_NEWROUTE, 0, blackhole);
  none.add(RTA_OIF, std::uint32_t{3});
  CHECK_FALSE(parse_hop(Sent(none).message, 3));
}

TEST_CASE("of a route with several hops the one of our link is taken") {
  std::vector<std::uint8_t> hops;
  for (const int link : {3, 4}) {
    rtnexthop hop{};
    rtattr attribute{8, RTA_GATEWAY};
    hop.rtnh_len = sizeof hop + 8;
    hop.rtnh_ifindex = link;
    const auto append = [&](const void* data, std::size_t length) {
      const auto* from = static_cast<const std::uint8_t*>(data);
      hops.insert(hops.end(), from, from + length);
    };
    append(&hop, sizeof hop);
    append(&attribute, sizeof attribute);
    hops.insert(hops.end(), {198, 51, 100, static_cast<std::uint8_t>(link)});
  }
  NetlinkRequest request(RTM_NEWROUTE, 0, unicast());
  request.add(RTA_MULTIPATH, Bytes(hops));
  const Sent sent(request);
  CHECK(parse_hop(sent.message, 3) == RouteHop{IpAddress::parse("198.51.100.3")});
  CHECK(parse_hop(sent.message, 4) == RouteHop{IpAddress::parse("198.51.100.4")});
  CHECK_FALSE(parse_hop(sent.message, 5));
}
TEST_SUITE_END();

}  // namespace braid::platform
