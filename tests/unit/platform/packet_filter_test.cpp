// The filter is judged by the kernel's own interpreter: attached to one end of a local socket pair,
// whose datagrams it then lets through or not. (Their packet type reads as "to us", without VLAN
// tag.)
#include "platform/packet_filter.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "platform/fd.h"

namespace braid::platform {

namespace {

class Judge {
 public:
  explicit Judge(const PacketFilter& filter) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    in_.reset(ends[0]);
    out_.reset(ends[1]);
    auto program = compile(filter);
    const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    REQUIRE(::setsockopt(out_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) ==
            0);
  }

  bool passes(const std::vector<std::uint8_t>& packet) {
    // A datagram the filter refuses is dropped or reported to its sender; either way it is not
    // there.
    static_cast<void>(::send(in_.get(), packet.data(), packet.size(), 0));
    std::array<std::uint8_t, 2048> got{};
    const ssize_t n = ::recv(out_.get(), got.data(), got.size(), 0);
    if (n >= 0) CHECK(static_cast<std::size_t>(n) == packet.size());
    return n >= 0;
  }

 private:
  UniqueFd in_;
  UniqueFd out_;
};

struct Sample {
  LinkKind link = LinkKind::kEthernet;
  std::string source = "203.0.113.5";
  std::uint8_t protocol = IPPROTO_TCP;
  std::uint16_t destination_port = 61000;
  std::uint8_t ip_options_words = 0;
  std::uint16_t fragment = 0;  // IPv4 flags and offset
  bool ipv6_fragment = false;
  std::uint8_t icmp_type = 3;
  std::uint16_t ethertype = 0;  // 0: the right one

  std::vector<std::uint8_t> bytes() const {
    const auto from = IpAddress::parse(source);
    REQUIRE(from);
    std::vector<std::uint8_t> out;
    if (link == LinkKind::kEthernet) {
      out.resize(12);
      const std::uint16_t type = ethertype != 0 ? ethertype : from->is_v4() ? 0x0800 : 0x86dd;
      out.push_back(static_cast<std::uint8_t>(type >> 8));
      out.push_back(static_cast<std::uint8_t>(type));
    }
    std::vector<std::uint8_t> ip(from->is_v4() ? 20U + 4U * ip_options_words : 40U);
    if (from->is_v4()) {
      ip[0] = static_cast<std::uint8_t>(0x45 + ip_options_words);
      store_be16(&ip[6], fragment);
      ip[9] = protocol;
      std::copy(from->bytes().begin(), from->bytes().end(), ip.begin() + 12);
    } else {
      ip[0] = 0x60;
      ip[6] = ipv6_fragment ? std::uint8_t{IPPROTO_FRAGMENT} : protocol;
      std::copy(from->bytes().begin(), from->bytes().end(), ip.begin() + 8);
      if (ipv6_fragment) ip.insert(ip.end(), {protocol, 0, 0, 1, 0, 0, 0, 9});
    }
    std::vector<std::uint8_t> transport(20);
    if (protocol == IPPROTO_TCP) {
      store_be16(transport.data(), 8803);
      store_be16(transport.data() + 2, destination_port);
    } else {
      transport[0] = icmp_type;
    }
    out.insert(out.end(), ip.begin(), ip.end());
    out.insert(out.end(), transport.begin(), transport.end());
    return out;
  }
};

PacketFilter filter_for(LinkKind link, std::vector<IpAddress> peers = {}) {
  return {.link = link, .local_ports = {61000, 61999}, .peers = std::move(peers)};
}

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("TCP to a port of the range passes, its neighbours do not, on both link kinds") {
  for (const LinkKind link : {LinkKind::kEthernet, LinkKind::kRawIp}) {
    for (const char* source : {"203.0.113.5", "2001:db8::5"}) {
      CAPTURE(source);
      Judge judge(filter_for(link));
      const auto with_port = [&](std::uint16_t port) {
        return judge.passes(
            Sample{.link = link, .source = source, .destination_port = port}.bytes());
      };
      CHECK_FALSE(with_port(60999));
      CHECK(with_port(61000));
      CHECK(with_port(61999));
      CHECK_FALSE(with_port(62000));
    }
  }
}

TEST_CASE("IPv4 options do not hide the port") {
  Judge judge(filter_for(LinkKind::kEthernet));
  CHECK(judge.passes(Sample{.ip_options_words = 10}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.destination_port = 22, .ip_options_words = 10}.bytes()));
}

TEST_CASE("with peers given, only their TCP passes") {
  const auto a = *IpAddress::parse("203.0.113.5");
  const auto b = *IpAddress::parse("2001:db8:1:2:3:4:5:6");
  Judge judge(filter_for(LinkKind::kEthernet, {a, b}));
  CHECK(judge.passes(Sample{.source = "203.0.113.5"}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.source = "203.0.113.6"}.bytes()));
  CHECK(judge.passes(Sample{.source = "2001:db8:1:2:3:4:5:6"}.bytes()));
  for (const char* other : {"2001:db9:1:2:3:4:5:6", "2001:db8:1:9:3:4:5:6", "2001:db8:1:2:3:9:5:6",
                            "2001:db8:1:2:3:4:5:7"}) {
    CHECK_FALSE(judge.passes(Sample{.source = other}.bytes()));
  }
  CHECK_FALSE(judge.passes(Sample{.source = "203.0.113.6", .fragment = 0x2000}.bytes()));
}

TEST_CASE("as many peers as allowed still make a loadable program that finds the last one") {
  std::vector<IpAddress> peers;
  for (int i = 1; i <= static_cast<int>(PacketFilter::kMaxPeers); ++i) {
    peers.push_back(*IpAddress::parse("2001:db8::" + std::to_string(i)));
  }
  Judge judge(filter_for(LinkKind::kEthernet, peers));
  CHECK(judge.passes(Sample{.source = "2001:db8::16"}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.source = "2001:db8::17"}.bytes()));
  CHECK_FALSE(judge.passes(Sample{}.bytes()));
  peers.push_back(*IpAddress::parse("2001:db8::99"));
  Judge open(filter_for(LinkKind::kEthernet, peers));
  CHECK(open.passes(Sample{.source = "2001:db8::1234"}.bytes()));
}

TEST_CASE("ICMP errors pass, echo and neighbour discovery do not") {
  Judge judge(filter_for(LinkKind::kEthernet, {*IpAddress::parse("198.51.100.1")}));
  const auto icmp = [&](std::uint8_t type) {
    return judge.passes(Sample{.protocol = IPPROTO_ICMP, .icmp_type = type}.bytes());
  };
  const auto icmp6 = [&](std::uint8_t type) {
    return judge.passes(
        Sample{.source = "2001:db8::1", .protocol = IPPROTO_ICMPV6, .icmp_type = type}.bytes());
  };
  for (const int type : {3, 11, 12}) CHECK(icmp(static_cast<std::uint8_t>(type)));
  for (const int type : {0, 5, 8}) CHECK_FALSE(icmp(static_cast<std::uint8_t>(type)));
  for (const int type : {1, 2, 3, 4}) CHECK(icmp6(static_cast<std::uint8_t>(type)));
  for (const int type : {0, 128, 135}) CHECK_FALSE(icmp6(static_cast<std::uint8_t>(type)));
}

TEST_CASE("fragments of TCP and ICMP pass whatever stands where the port would be") {
  Judge judge(filter_for(LinkKind::kEthernet));
  CHECK(judge.passes(Sample{.destination_port = 1, .fragment = 0x2000}.bytes()));
  CHECK(judge.passes(Sample{.destination_port = 1, .fragment = 0x0005}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.destination_port = 1, .fragment = 0x4000}.bytes()));  // DF
  CHECK(judge.passes(Sample{.protocol = IPPROTO_ICMP, .fragment = 0x2000, .icmp_type = 8}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.protocol = IPPROTO_UDP, .fragment = 0x2000}.bytes()));
  const auto v6 = [&](std::uint8_t protocol) {
    return judge.passes(
        Sample{.source = "2001:db8::1", .protocol = protocol, .ipv6_fragment = true}.bytes());
  };
  CHECK(v6(IPPROTO_TCP));
  CHECK(v6(IPPROTO_ICMPV6));
  CHECK_FALSE(v6(IPPROTO_UDP));
}

TEST_CASE("other protocols, other ethertypes and packets cut short are dropped") {
  Judge judge(filter_for(LinkKind::kEthernet));
  CHECK_FALSE(judge.passes(Sample{.protocol = IPPROTO_UDP}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.source = "2001:db8::1", .protocol = IPPROTO_UDP}.bytes()));
  CHECK_FALSE(judge.passes(Sample{.ethertype = 0x0806}.bytes()));
  auto packet = Sample{}.bytes();
  packet.resize(14 + 20 + 3);
  CHECK_FALSE(judge.passes(packet));
  packet.resize(14 + 5);
  CHECK_FALSE(judge.passes(packet));
  Judge raw(filter_for(LinkKind::kRawIp));
  CHECK_FALSE(raw.passes(std::vector<std::uint8_t>(60, 0x55)));
}
TEST_SUITE_END();

}  // namespace braid::platform
