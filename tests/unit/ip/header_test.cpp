#include "stack/ip/header.h"

#include <doctest/doctest.h>

#include "tests/unit/ip/packets.h"

namespace braid::ip::test {
namespace {

Malformed reason(const Packet& packet) {
  const auto parsed = parse_header(packet);
  REQUIRE(std::holds_alternative<Malformed>(parsed));
  return std::get<Malformed>(parsed);
}

const std::vector<std::uint8_t> kPayload = pattern(100);

Packet v4_packet() { return packet_of(segment(wire::Family::kIpv4, kPayload)); }
Packet v6_packet() { return packet_of(segment(wire::Family::kIpv6, kPayload)); }

}  // namespace

TEST_SUITE_BEGIN("ip");
TEST_CASE("the fields of both families' headers are read") {
  for (const wire::Family family : {wire::Family::kIpv4, wire::Family::kIpv6}) {
    wire::Segment s = segment(family, kPayload);
    s.hop_limit = 33;
    s.ecn = wire::Ecn::kCe;
    const Packet packet = packet_of(s);
    const Header h = header_of(packet);
    CHECK(h.source == s.source.address);
    CHECK(h.destination == s.destination.address);
    CHECK(h.protocol == wire::kProtocolTcp);
    CHECK(h.first_protocol == wire::kProtocolTcp);
    CHECK(h.hop_limit == 33);
    CHECK(h.ecn == wire::Ecn::kCe);
    CHECK_FALSE(h.fragment);
    CHECK(h.length == (family == wire::Family::kIpv4 ? 20 : 40));
    CHECK(h.transport.data() == packet.data() + h.length);
    CHECK(h.transport.size() == 120);
  }
}

TEST_CASE("link padding behind the packet is not part of the transport") {
  for (Packet packet : {v4_packet(), v6_packet()}) {
    const std::size_t before = header_of(packet).transport.size();
    packet.resize(packet.size() + 6);
    CHECK(header_of(packet).transport.size() == before);
  }
}

TEST_CASE("every truncation of a packet is refused") {
  for (const Packet& packet : {v4_packet(), v6_packet()}) {
    for (std::size_t length = 0; length < packet.size(); ++length) {
      const Packet cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(length));
      const Malformed why = reason(cut);
      CHECK((why == Malformed::kTooShort || why == Malformed::kLength));
    }
  }
}

TEST_CASE("a header of another version, of a wrong length or with a wrong checksum is refused") {
  Packet packet = v4_packet();
  SUBCASE("version") {
    packet[0] = 0x55;
    CHECK(reason(packet) == Malformed::kVersion);
  }
  SUBCASE("header length below twenty") {
    packet[0] = 0x44;
    CHECK(reason(packet) == Malformed::kLength);
  }
  SUBCASE("total length below the header's") {
    store_be16(&packet[2], 19);
    CHECK(reason(packet) == Malformed::kLength);
  }
  SUBCASE("checksum") {
    packet[8] ^= 1;
    CHECK(reason(packet) == Malformed::kHeaderChecksum);
  }
}

TEST_CASE("IPv4 options are skipped") {
  const Packet packet = with_extension(v4_packet(), 0, {1, 1, 1, 1, 148, 4, 0, 0});
  const Header h = header_of(packet);
  CHECK(h.length == 28);
  CHECK(h.transport.size() == 120);
}

TEST_CASE("IPv6 extension headers are skipped up to the transport header") {
  Packet packet = with_extension(v6_packet(), 60, {0, 0, 1, 4, 0, 0, 0, 0});  // PadN
  packet = with_extension(packet, 43, {0, 0, 4, 0, 0, 0, 0, 0});              // no segments left
  packet = with_extension(packet, 0, {0, 0, 5, 2, 0, 0, 0, 0});               // router alert
  const Header h = header_of(packet);
  CHECK(h.first_protocol == 0);
  CHECK(h.protocol == wire::kProtocolTcp);
  CHECK(h.length == 64);
}

TEST_CASE("an extension header that must not be skipped stops the packet") {
  const Packet plain = v6_packet();
  SUBCASE("unknown option of the discarding kind") {
    CHECK(reason(with_extension(plain, 60, {0, 0, 0x42, 4, 0, 0, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("home address among hop-by-hop options") {
    CHECK(reason(with_extension(plain, 0, {0, 0, 0xc9, 4, 0, 0, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("option past its header") {
    CHECK(reason(with_extension(plain, 60, {0, 0, 1, 5, 0, 0, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("option type without a length") {
    CHECK(reason(with_extension(plain, 60, {0, 0, 0, 0, 0, 0, 0, 1})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("header past the packet") {
    CHECK(reason(with_extension(plain, 60, {0, 200, 1, 4, 0, 0, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("segments left in a routing header") {
    CHECK(reason(with_extension(plain, 43, {0, 0, 4, 1, 0, 0, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("hop-by-hop options behind another header") {
    const Packet inner = with_extension(plain, 0, {0, 0, 1, 4, 0, 0, 0, 0});
    CHECK(reason(with_extension(inner, 60, {0, 0, 1, 4, 0, 0, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
  SUBCASE("jumbogram") {
    CHECK(reason(with_extension(plain, 0, {0, 0, 0xc2, 4, 0, 1, 0, 0})) ==
          Malformed::kExtensionHeader);
  }
}

TEST_CASE("a fragment is reported with its place") {
  for (const Packet& packet : {v4_packet(), v6_packet()}) {
    const Packet middle = fragment(packet, 16, 64, 4711);
    const Header h = header_of(middle);
    REQUIRE(h.fragment);
    CHECK(*h.fragment == FragmentInfo{.identification = 4711, .offset = 16, .more = true});
    CHECK(h.first_protocol == wire::kProtocolTcp);
    CHECK(h.transport.size() == 48);
    const Packet last = fragment(packet, 64, 0, 4711);
    CHECK_FALSE(header_of(last).fragment->more);
  }
}

TEST_CASE("an atomic IPv6 fragment is a whole packet") {
  const Header h = header_of(with_extension(v6_packet(), 44, {0, 0, 0, 0, 0, 0, 0, 9}));
  CHECK_FALSE(h.fragment);
  CHECK(h.protocol == wire::kProtocolTcp);
}

TEST_CASE("a fragment that fits in no datagram is refused") {
  for (const Packet& packet : {v4_packet(), v6_packet()}) {
    Header h = header_of(packet);
    const Bytes bytes = h.transport;
    SUBCASE("not a multiple of eight with more to come") {
      h.fragment = FragmentInfo{.identification = 1, .offset = 0, .more = true};
      CHECK(reason(build_packet(h, bytes.first(61))) == Malformed::kFragment);
    }
    SUBCASE("past 65535 bytes") {
      h.fragment = FragmentInfo{.identification = 1, .offset = 65528, .more = false};
      CHECK(reason(build_packet(h, bytes.first(16))) == Malformed::kFragment);
    }
    SUBCASE("empty") {
      h.fragment = FragmentInfo{.identification = 1, .offset = 8, .more = false};
      CHECK(reason(build_packet(h, {})) == Malformed::kFragment);
    }
  }
  const Packet twice = with_extension(with_extension(v6_packet(), 44, {0, 0, 0, 0, 0, 0, 0, 9}), 44,
                                      {0, 0, 0, 0, 0, 0, 0, 9});
  CHECK(reason(twice) == Malformed::kFragment);
}

TEST_CASE("a packet built from a header reads back the same") {
  for (const Packet& packet : {v4_packet(), v6_packet()}) {
    const Header h = header_of(packet);
    const Packet built = build_packet(h, h.transport);
    const Header again = header_of(built);
    CHECK(again.source == h.source);
    CHECK(again.destination == h.destination);
    CHECK(again.protocol == h.protocol);
    CHECK(again.hop_limit == h.hop_limit);
    CHECK(Slices(again.transport) == Slices(h.transport));
  }
}
TEST_SUITE_END();

}  // namespace braid::ip::test
