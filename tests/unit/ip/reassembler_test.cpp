#include "stack/ip/reassembler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/unit/ip/packets.h"

namespace braid::ip::test {
namespace {

const Instant kStart{1h};
const std::vector<std::uint8_t> kPayload = pattern(140);  // 160 bytes behind the IP header

Packet whole_packet(wire::Family family) { return packet_of(segment(family, kPayload)); }

Reassembler::Result add(Reassembler& r, const Packet& piece, Instant now = kStart) {
  const Header h = header_of(piece);
  auto result = r.add(h, now);
  r.validate();
  return result;
}

bool kept(const Reassembler::Result& r) { return std::holds_alternative<Reassembler::Kept>(r); }

Reassembler::Refused refused(const Reassembler::Result& r) {
  REQUIRE(std::holds_alternative<Reassembler::Refused>(r));
  return std::get<Reassembler::Refused>(r);
}

constexpr wire::Family kFamilies[] = {wire::Family::kIpv4, wire::Family::kIpv6};

}  // namespace

TEST_SUITE_BEGIN("ip");
TEST_CASE("four fragments make the datagram in each of their 24 orders") {
  for (const wire::Family family : kFamilies) {
    const Packet packet = whole_packet(family);
    const Bytes expected = header_of(packet).transport;
    const Packet pieces[] = {fragment(packet, 0, 40), fragment(packet, 40, 80),
                             fragment(packet, 80, 120), fragment(packet, 120, 0)};
    std::vector<std::size_t> order = {0, 1, 2, 3};
    do {
      Reassembler r;
      for (std::size_t i = 0; i < 3; ++i) CHECK(kept(add(r, pieces[order[i]])));
      const auto result = add(r, pieces[order[3]]);
      REQUIRE(std::holds_alternative<Reassembler::Whole>(result));
      const Header h = header_of(std::get<Reassembler::Whole>(result).packet);
      CHECK_FALSE(h.fragment);
      CHECK(Slices(h.transport) == Slices(expected));
      CHECK(r.waiting() == 0);
      CHECK(r.next_deadline() == kNever);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("datagrams of different identification or addresses are not mixed") {
  for (const wire::Family family : kFamilies) {
    const Packet packet = whole_packet(family);
    wire::Segment other = segment(family, kPayload);
    std::swap(other.source, other.destination);
    Reassembler r;
    CHECK(kept(add(r, fragment(packet, 0, 80, 1))));
    CHECK(kept(add(r, fragment(packet, 80, 0, 2))));
    CHECK(kept(add(r, fragment(packet_of(other), 80, 0, 1))));
    CHECK(r.waiting() == 3);
  }
}

TEST_CASE("a repeated fragment changes nothing") {
  for (const wire::Family family : kFamilies) {
    const Packet packet = whole_packet(family);
    Reassembler r;
    CHECK(kept(add(r, fragment(packet, 0, 80))));
    CHECK(refused(add(r, fragment(packet, 0, 80))) == Reassembler::Refused::kRepeated);
    CHECK(std::holds_alternative<Reassembler::Whole>(add(r, fragment(packet, 80, 0))));
  }
}

TEST_CASE("an overlap is refused in IPv4 and discards the datagram in IPv6") {
  for (const wire::Family family : kFamilies) {
    const Packet packet = whole_packet(family);
    Reassembler r;
    CHECK(kept(add(r, fragment(packet, 0, 80))));
    SUBCASE("from the right") {
      CHECK(refused(add(r, fragment(packet, 72, 120))) == Reassembler::Refused::kOverlap);
    }
    SUBCASE("inside") {
      CHECK(refused(add(r, fragment(packet, 8, 16))) == Reassembler::Refused::kOverlap);
    }
    SUBCASE("same start, other end") {
      CHECK(refused(add(r, fragment(packet, 0, 40))) == Reassembler::Refused::kOverlap);
    }
    CHECK(r.waiting() == (family == wire::Family::kIpv4 ? 1 : 0));
    const auto last = add(r, fragment(packet, 80, 0));
    CHECK(std::holds_alternative<Reassembler::Whole>(last) == (family == wire::Family::kIpv4));
  }
}

TEST_CASE("a datagram waits thirty seconds in IPv4 and sixty in IPv6, from its first fragment") {
  for (const wire::Family family : kFamilies) {
    const Packet packet = whole_packet(family);
    const Duration life = family == wire::Family::kIpv4 ? 30s : 60s;
    Reassembler r;
    CHECK(kept(add(r, fragment(packet, 0, 80))));
    CHECK(kept(add(r, fragment(packet, 80, 120), kStart + 10s)));
    CHECK(r.next_deadline() == kStart + life);
    CHECK(r.expire(kStart + life - 1ns) == 0);
    CHECK(r.expire(kStart + life) == 1);
    CHECK(r.next_deadline() == kNever);
    r.validate();
  }
}

TEST_CASE("the oldest datagram makes room for a new one") {
  const Packet packet = whole_packet(wire::Family::kIpv6);
  Reassembler r;
  for (std::uint32_t id = 0; id <= Reassembler::kMaxDatagrams; ++id) {
    CHECK(kept(add(r, fragment(packet, 0, 80, id))));
  }
  CHECK(r.waiting() == Reassembler::kMaxDatagrams);
  CHECK(r.evicted() == 1);
  CHECK(kept(add(r, fragment(packet, 80, 0, 0))));  // the first is gone
  CHECK(std::holds_alternative<Reassembler::Whole>(add(r, fragment(packet, 80, 0, 64))));
}

TEST_CASE("one datagram cannot take more than all pieces") {
  Header h = header_of(whole_packet(wire::Family::kIpv4));
  const std::vector<std::uint8_t> bytes(8);
  h.transport = bytes;
  Reassembler r;
  for (std::uint32_t i = 0; i < Reassembler::kMaxPieces; ++i) {
    h.fragment = FragmentInfo{.identification = 1, .offset = i * 16, .more = true};
    CHECK(kept(r.add(h, kStart)));
  }
  r.validate();
  h.fragment->offset = 8;
  CHECK(refused(r.add(h, kStart)) == Reassembler::Refused::kNoRoom);
  h.fragment = FragmentInfo{.identification = 2, .offset = 8, .more = true};
  CHECK(kept(r.add(h, kStart)));  // another datagram pushes the big one out
  CHECK(r.evicted() == 1);
  r.validate();
}

TEST_CASE("a datagram ends where its latest last fragment says") {
  const Packet packet = whole_packet(wire::Family::kIpv4);
  Header h = header_of(packet);
  const Bytes bytes = h.transport;
  Reassembler r;
  CHECK(kept(add(r, fragment(packet, 80, 120))));
  h.fragment = FragmentInfo{.identification = 99, .offset = 40, .more = false};
  CHECK(kept(add(r, build_packet(h, bytes.subspan(40, 40)))));
  const auto result = add(r, fragment(packet, 0, 40));
  REQUIRE(std::holds_alternative<Reassembler::Whole>(result));
  CHECK(header_of(std::get<Reassembler::Whole>(result).packet).transport.size() == 80);
}
TEST_SUITE_END();

}  // namespace braid::ip::test
