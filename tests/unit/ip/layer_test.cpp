#include "stack/ip/layer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "stack/ip/lwip_layer.h"
#include "stack/ip/plain_layer.h"
#include "tests/unit/ip/packets.h"

namespace braid::ip::test {
namespace {

constexpr InterfaceId kDoor = 3;
const Instant kStart{1h};
constexpr wire::Family kFamilies[] = {wire::Family::kIpv4, wire::Family::kIpv6};
const std::vector<std::uint8_t> kPayload = pattern(140);  // 160 bytes behind the IP header

bool is_nothing(const Input& input) { return std::holds_alternative<Nothing>(input); }

Input receive(Layer& layer, const Packet& packet, Instant now = kStart) {
  return layer.receive(kDoor, PacketIn{.bytes = packet}, now);
}

const wire::Segment& expect_segment(const Input& input) {
  REQUIRE(std::holds_alternative<wire::Segment>(input));
  return std::get<wire::Segment>(input);
}

Packet bytes_of(const Outgoing& out) { return wire::flatten(out.packet); }

}  // namespace

TEST_SUITE_BEGIN("ip");
TEST_CASE_TEMPLATE("a packet to any destination is accepted", Form, LwipLayer, PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    for (int host = 1; host < 200; ++host) {
      wire::Segment s = segment(family, kPayload);
      const std::string last = std::to_string(host);
      s.destination.address =
          address((family == wire::Family::kIpv4 ? "8." + last + ".9.1" : "2606::" + last).c_str());
      const Packet packet = packet_of(s);
      CHECK(expect_segment(receive(layer, packet)) == s);
    }
  }
  CHECK(layer.next_deadline() == kNever);
}

TEST_CASE_TEMPLATE("an unfragmented payload points into the device's bytes", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    const Packet packet = packet_of(segment(family, kPayload));
    const Packet before = packet;
    const Input input = receive(layer, packet);
    const Slices& payload = expect_segment(input).payload;
    REQUIRE(payload.list().size() == 1);
    CHECK(payload.list()[0].data() == packet.data() + packet.size() - kPayload.size());
    CHECK(packet == before);
  }
}

TEST_CASE_TEMPLATE("a super-packet passes whole, with its gso_size", Form, LwipLayer, PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    const bool v4 = family == wire::Family::kIpv4;
    const auto payload = pattern(65535 - 20 - (v4 ? 20 : 40));
    const Packet packet = packet_of(segment(family, payload));
    const Input input = layer.receive(
        kDoor, {.bytes = packet, .gso_size = 1400, .checksum = ChecksumState::kPartial}, kStart);
    CHECK(expect_segment(input).gso_size == 1400);
    CHECK(expect_segment(input).payload == Slices(payload));
    CHECK(expect_segment(input).payload.list()[0].data() ==
          packet.data() + packet.size() - payload.size());
  }
}

TEST_CASE_TEMPLATE("an IPv6 super-packet may pass 65535 bytes by its header", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  const auto payload = pattern(65535 - 20);
  Packet packet = packet_of(segment(wire::Family::kIpv6, pattern(8)));
  packet.resize(60);
  packet.insert(packet.end(), payload.begin(), payload.end());
  store_be16(&packet[4], 65535);
  const Input input = layer.receive(
      kDoor, {.bytes = packet, .gso_size = 1440, .checksum = ChecksumState::kVerified}, kStart);
  CHECK(expect_segment(input).payload == Slices(payload));
}

TEST_CASE_TEMPLATE("a gso_size that cuts nothing is not passed on", Form, LwipLayer, PlainLayer) {
  Form layer;
  const Packet packet = packet_of(segment(wire::Family::kIpv4, kPayload));
  const Input input = layer.receive(kDoor, {.bytes = packet, .gso_size = 140}, kStart);
  CHECK(expect_segment(input).gso_size == 0);
}

TEST_CASE_TEMPLATE("a wrong IPv4 header checksum drops the packet and is counted", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  Packet packet = packet_of(segment(wire::Family::kIpv4, kPayload));
  packet[1] ^= 4;
  CHECK(is_nothing(receive(layer, packet)));
  CHECK(layer.counters().bad_header_checksum == 1);
  CHECK(layer.counters().malformed == 0);
  packet[1] ^= 4;
  CHECK_FALSE(is_nothing(receive(layer, packet)));
  CHECK(layer.counters().received == 2);
}

TEST_CASE_TEMPLATE("a wrong TCP checksum drops the packet unless the device vouched for it", Form,
                   LwipLayer, PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    Packet packet = packet_of(segment(family, kPayload));
    packet.back() ^= 1;
    CHECK(is_nothing(receive(layer, packet)));
    for (const ChecksumState state : {ChecksumState::kVerified, ChecksumState::kPartial}) {
      CHECK_FALSE(is_nothing(layer.receive(kDoor, {.bytes = packet, .checksum = state}, kStart)));
    }
  }
  CHECK(layer.counters().bad_transport_checksum == 2);
}

TEST_CASE_TEMPLATE("a TCP header that does not fit is malformed", Form, LwipLayer, PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    Packet packet = packet_of(segment(family, {}));
    packet[packet.size() - 8] = 0xf0;  // sixty bytes of header in a packet with twenty
    CHECK(is_nothing(receive(layer, packet)));
  }
  CHECK(layer.counters().malformed == 2);
}

TEST_CASE_TEMPLATE("IP options and extension headers are skipped", Form, LwipLayer, PlainLayer) {
  Form layer;
  const wire::Segment v4 = segment(wire::Family::kIpv4, kPayload);
  const Packet options = with_extension(packet_of(v4), 0, {1, 1, 1, 1, 148, 4, 0, 0});
  CHECK(expect_segment(receive(layer, options)) == v4);
  const wire::Segment v6 = segment(wire::Family::kIpv6, kPayload);
  Packet headers = with_extension(packet_of(v6), 60, {0, 0, 1, 4, 0, 0, 0, 0});
  headers = with_extension(headers, 43, {0, 0, 4, 0, 0, 0, 0, 0});
  headers = with_extension(headers, 0, {0, 0, 5, 2, 0, 0, 0, 0});
  CHECK(expect_segment(receive(layer, headers)) == v6);
  const Packet atomic = with_extension(packet_of(v6), 44, {0, 0, 0, 0, 0, 0, 0, 9});
  CHECK(expect_segment(receive(layer, atomic)) == v6);
}

TEST_CASE_TEMPLATE("an address that is no single host is refused", Form, LwipLayer, PlainLayer) {
  Form layer;
  for (const char* bad : {"224.0.0.1", "255.255.255.255", "0.0.0.0", "127.0.0.1", "0.1.2.3",
                          "ff02::1", "::", "::1", "::ffff:192.0.2.1"}) {
    const wire::IpAddress a = address(bad);
    wire::Segment s = segment(a.family(), kPayload);
    s.source.address = a;
    CHECK(is_nothing(receive(layer, packet_of(s))));
    std::swap(s.source, s.destination);
    CHECK(is_nothing(receive(layer, packet_of(s))));
  }
  CHECK(layer.counters().not_unicast == 18);
}

TEST_CASE_TEMPLATE("link-local hosts are heard", Form, LwipLayer, PlainLayer) {
  Form layer;
  wire::Segment s = segment(wire::Family::kIpv6, kPayload);
  s.source.address = address("fe80::1");
  s.destination.address = address("fe80::2");
  CHECK(expect_segment(receive(layer, packet_of(s))) == s);
}

TEST_CASE_TEMPLATE("fragments in each of their 24 orders make the segment", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  std::uint32_t identification = 0;
  for (const wire::Family family : kFamilies) {
    const wire::Segment s = segment(family, kPayload);
    const Packet packet = packet_of(s);
    std::vector<std::size_t> order = {0, 1, 2, 3};
    do {
      ++identification;
      const Packet pieces[] = {
          fragment(packet, 0, 40, identification), fragment(packet, 40, 80, identification),
          fragment(packet, 80, 120, identification), fragment(packet, 120, 0, identification)};
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(is_nothing(receive(layer, pieces[order[i]])));
        CHECK(layer.next_deadline() != kNever);
      }
      CHECK(expect_segment(receive(layer, pieces[order[3]])) == s);
      CHECK(layer.next_deadline() == kNever);
    } while (std::next_permutation(order.begin(), order.end()));
  }
  CHECK(layer.counters().fragments == 192);
  CHECK(layer.counters().reassembled == 48);
  CHECK(layer.counters().fragments_refused == 0);
  CHECK(layer.counters().reassembly_failed == 0);
}

TEST_CASE_TEMPLATE("fragments with options or extension headers are put together", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  const wire::Segment v4 = segment(wire::Family::kIpv4, kPayload);
  const Packet p4 = packet_of(v4);
  CHECK(is_nothing(receive(layer, with_extension(fragment(p4, 80, 0), 0, {1, 1, 1, 1}))));
  CHECK(expect_segment(receive(layer, with_extension(fragment(p4, 0, 80), 0, {1, 1, 1, 1}))) == v4);
  // Before the fragment header, and in the datagram itself.
  const wire::Segment v6 = segment(wire::Family::kIpv6, kPayload);
  Packet p6 = with_extension(packet_of(v6), 60, {0, 0, 1, 4, 0, 0, 0, 0});
  Header h = header_of(packet_of(v6));
  const Packet inner(p6.begin() + 40, p6.end());
  h.first_protocol = 60;
  h.fragment = FragmentInfo{.identification = 5, .offset = 0, .more = true};
  const Packet first =
      with_extension(build_packet(h, Bytes(inner).first(80)), 0, {0, 0, 5, 2, 0, 0, 0, 0});
  h.fragment = FragmentInfo{.identification = 5, .offset = 80, .more = false};
  const Packet last = build_packet(h, Bytes(inner).subspan(80));
  CHECK(is_nothing(receive(layer, last)));
  CHECK(expect_segment(receive(layer, first)) == v6);
}

TEST_CASE_TEMPLATE("an overlapping fragment does not change the datagram", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  const wire::Segment s = segment(wire::Family::kIpv4, kPayload);
  const Packet packet = packet_of(s);
  Packet lie = packet;
  std::fill(lie.begin() + 60, lie.end(), std::uint8_t{0xee});
  CHECK(is_nothing(receive(layer, fragment(packet, 40, 80))));
  CHECK(is_nothing(receive(layer, fragment(lie, 72, 120))));
  CHECK(is_nothing(receive(layer, fragment(lie, 40, 80))));
  CHECK(is_nothing(receive(layer, fragment(packet, 80, 0))));
  CHECK(layer.counters().fragments_refused == 2);
  CHECK(expect_segment(receive(layer, fragment(packet, 0, 40))) == s);
}

TEST_CASE_TEMPLATE("an overlap discards an IPv6 datagram", Form, LwipLayer, PlainLayer) {
  Form layer;
  const Packet packet = packet_of(segment(wire::Family::kIpv6, kPayload));
  CHECK(is_nothing(receive(layer, fragment(packet, 0, 80))));
  CHECK(is_nothing(receive(layer, fragment(packet, 72, 120))));
  CHECK(layer.next_deadline() == kNever);
  CHECK(layer.counters().reassembly_failed == 1);
}

TEST_CASE_TEMPLATE("a datagram that stays incomplete is forgotten in time", Form, LwipLayer,
                   PlainLayer) {
  for (const wire::Family family : kFamilies) {
    Form layer;
    const Packet packet = packet_of(segment(family, kPayload));
    const Duration life = family == wire::Family::kIpv4 ? 30s : 60s;
    CHECK(is_nothing(receive(layer, fragment(packet, 0, 80))));
    Instant now = kStart;
    while (layer.next_deadline() != kNever) {
      REQUIRE(layer.next_deadline() > now);
      now = layer.next_deadline();
      CHECK(layer.flush(now).empty());
    }
    CHECK(now >= kStart + life);
    CHECK(now <= kStart + life + 1s);
    CHECK(layer.counters().reassembly_failed == 1);
    CHECK(is_nothing(receive(layer, fragment(packet, 80, 0), now)));
  }
}

TEST_CASE_TEMPLATE("a fragment in time is not lost to the timer", Form, LwipLayer, PlainLayer) {
  for (const wire::Family family : kFamilies) {
    Form layer;
    const wire::Segment s = segment(family, kPayload);
    const Packet packet = packet_of(s);
    CHECK(is_nothing(receive(layer, fragment(packet, 0, 80))));
    layer.flush(kStart + 29s);
    CHECK(expect_segment(receive(layer, fragment(packet, 80, 0), kStart + 29s)) == s);
    CHECK(layer.next_deadline() == kNever);
  }
}

TEST_CASE_TEMPLATE("too many datagrams push out the oldest", Form, LwipLayer, PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    const wire::Segment s = segment(family, kPayload);
    const Packet packet = packet_of(s);
    for (std::uint32_t id = 1; id <= 70; ++id) receive(layer, fragment(packet, 0, 80, id));
    CHECK(expect_segment(receive(layer, fragment(packet, 80, 0, 70))) == s);
    CHECK(is_nothing(receive(layer, fragment(packet, 80, 0, 1))));
  }
  CHECK(layer.counters().reassembly_failed >= 12);
}

TEST_CASE_TEMPLATE("the checksum of a datagram made of fragments is verified", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    Packet packet = packet_of(segment(family, kPayload));
    packet.back() ^= 1;
    const Packet first = fragment(packet, 0, 80);
    const Packet last = fragment(packet, 80, 0);
    for (const Packet* p : {&first, &last}) {
      CHECK(is_nothing(
          layer.receive(kDoor, {.bytes = *p, .checksum = ChecksumState::kVerified}, kStart)));
    }
  }
  CHECK(layer.counters().bad_transport_checksum == 2);
}

TEST_CASE_TEMPLATE("what is neither TCP nor an error about it is a datagram", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    Header h = header_of(packet_of(segment(family, {})));
    for (const std::uint8_t protocol : {17, 47, 132, 253}) {
      h.protocol = h.first_protocol = protocol;
      const Packet packet = build_packet(h, kPayload);
      const Input input = receive(layer, packet);
      REQUIRE(std::holds_alternative<Datagram>(input));
      const auto& datagram = std::get<Datagram>(input);
      CHECK(datagram.protocol == protocol);
      CHECK(datagram.source == h.source);
      CHECK(datagram.destination == h.destination);
      CHECK(datagram.payload == Slices(kPayload));
    }
  }
  CHECK(layer.flush(kStart).empty());
}

TEST_CASE_TEMPLATE("an ICMP error about TCP is returned, a damaged one is not", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  for (const wire::Family family : kFamilies) {
    const bool v4 = family == wire::Family::kIpv4;
    const wire::Segment offending = segment(family, {});
    const PacketOut out = make_icmp_error({.kind = wire::IcmpError::Kind::kPortUnreachable,
                                           .reporter = offending.destination.address,
                                           .offending = offending});
    Packet packet = wire::flatten(out);
    const Input input = receive(layer, packet);
    REQUIRE(std::holds_alternative<wire::IcmpError>(input));
    const auto& error = std::get<wire::IcmpError>(input);
    CHECK(error.kind == wire::IcmpError::Kind::kPortUnreachable);
    CHECK(error.source == offending.source);
    CHECK(error.type == (v4 ? 3 : 1));
    packet.back() ^= 1;
    CHECK(is_nothing(receive(layer, packet)));
  }
  CHECK(layer.counters().icmp_errors_in == 2);
  CHECK(layer.counters().bad_transport_checksum == 2);
}

TEST_CASE_TEMPLATE("a reported error goes out with the next flush, once", Form, LwipLayer,
                   PlainLayer) {
  Form layer;
  const wire::Segment syn = segment(wire::Family::kIpv6, {});
  layer.report(kDoor,
               {.kind = wire::IcmpError::Kind::kHostUnreachable,
                .reporter = address("2001:db8::fe"),
                .offending = syn},
               kStart);
  CHECK(layer.next_deadline() == Instant::min());
  const auto& out = layer.flush(kStart);
  REQUIRE(out.size() == 1);
  CHECK(out[0].interface == kDoor);
  CHECK(parse_icmp_error(header_of(bytes_of(out[0])))->destination == syn.destination);
  CHECK(layer.next_deadline() == kNever);
  CHECK(layer.flush(kStart).empty());
}

TEST_CASE_TEMPLATE("a flood of errors is limited and counted", Form, LwipLayer, PlainLayer) {
  Form layer;
  const wire::Segment syn = segment(wire::Family::kIpv4, {});
  for (int i = 0; i < 500; ++i) {
    layer.report(kDoor, {.reporter = address("192.0.2.254"), .offending = syn}, kStart);
  }
  CHECK(layer.flush(kStart).size() == IcmpLimiter::kBurst);
  CHECK(layer.counters().icmp_sent == IcmpLimiter::kBurst);
  CHECK(layer.counters().icmp_suppressed == 500 - IcmpLimiter::kBurst);
}
TEST_SUITE_END();

}  // namespace braid::ip::test
