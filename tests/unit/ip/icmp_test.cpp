#include "stack/ip/icmp.h"

#include <doctest/doctest.h>

#include "tests/unit/ip/packets.h"

namespace braid::ip::test {
namespace {

using Kind = wire::IcmpError::Kind;

// An error of this type and code about `offending`, quoting all of it.
Packet error_about(const wire::Segment& offending, const wire::IpAddress& reporter,
                   std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0) {
  std::vector<std::uint8_t> message = {type, code, 0, 0, 0, 0, 0, 0};
  store_be32(&message[4], rest);
  const Packet quoted = packet_of(offending);
  message.insert(message.end(), quoted.begin(), quoted.end());
  return icmp_packet(reporter, offending.source.address, message);
}

std::optional<wire::IcmpError> parse(const Packet& packet) {
  return parse_icmp_error(header_of(packet));
}

const wire::IpAddress kRouter4 = address("203.0.113.9");
const wire::IpAddress kRouter6 = address("2001:db8:9::9");

}  // namespace

TEST_SUITE_BEGIN("ip");
TEST_CASE("ICMP errors of both families become IcmpErrors") {
  struct Row {
    wire::Family family;
    std::uint8_t type, code;
    Kind kind;
  };
  constexpr auto v4 = wire::Family::kIpv4;
  constexpr auto v6 = wire::Family::kIpv6;
  const Row rows[] = {
      {v4, 3, 0, Kind::kNetUnreachable},
      {v4, 3, 1, Kind::kHostUnreachable},
      {v4, 3, 2, Kind::kProtocolUnreachable},
      {v4, 3, 3, Kind::kPortUnreachable},
      {v4, 3, 13, Kind::kAdminProhibited},
      {v4, 3, 5, Kind::kOther},
      {v4, 11, 0, Kind::kTimeExceeded},
      {v4, 12, 0, Kind::kOther},
      {v6, 1, 0, Kind::kNetUnreachable},
      {v6, 1, 1, Kind::kAdminProhibited},
      {v6, 1, 3, Kind::kHostUnreachable},
      {v6, 1, 4, Kind::kPortUnreachable},
      {v6, 3, 0, Kind::kTimeExceeded},
      {v6, 4, 1, Kind::kProtocolUnreachable},
      {v6, 4, 0, Kind::kOther},
      {v6, 1, 7, Kind::kOther},
  };
  for (const Row& row : rows) {
    const wire::Segment offending = segment(row.family, {});
    const auto& reporter = row.family == v4 ? kRouter4 : kRouter6;
    const auto error = parse(error_about(offending, reporter, row.type, row.code));
    REQUIRE(error);
    CHECK(*error == wire::IcmpError{.kind = row.kind,
                                    .type = row.type,
                                    .code = row.code,
                                    .mtu = 0,
                                    .reporter = reporter,
                                    .source = offending.source,
                                    .destination = offending.destination,
                                    .seq = offending.seq});
  }
}

TEST_CASE("packet too big carries the MTU, or none where an old router gave none") {
  CHECK(parse(error_about(segment(wire::Family::kIpv4, {}), kRouter4, 3, 4, 1280))->mtu == 1280);
  CHECK(parse(error_about(segment(wire::Family::kIpv4, {}), kRouter4, 3, 4, 0))->mtu == 0);
  const auto v6 = parse(error_about(segment(wire::Family::kIpv6, {}), kRouter6, 2, 0, 70000));
  CHECK(v6->kind == Kind::kPacketTooBig);
  CHECK(v6->mtu == 70000);
}

TEST_CASE("messages that are no error about TCP of ours are none") {
  const wire::Segment s = segment(wire::Family::kIpv4, {});
  SUBCASE("redirect") { CHECK_FALSE(parse(error_about(s, kRouter4, 5, 1))); }
  SUBCASE("source quench") { CHECK_FALSE(parse(error_about(s, kRouter4, 4, 0))); }
  SUBCASE("echo") { CHECK_FALSE(parse(echo_request(kRouter4, s.source.address, 100))); }
  SUBCASE("quote of UDP") {
    Packet packet = error_about(s, kRouter4, 3, 3);
    packet[20 + 8 + 9] = 17;
    CHECK_FALSE(parse(packet));
  }
  SUBCASE("quote of a later fragment") {
    Packet packet = error_about(s, kRouter4, 11, 0);
    packet[20 + 8 + 7] = 1;
    CHECK_FALSE(parse(packet));
  }
  SUBCASE("quote of another version") {
    Packet packet = error_about(s, kRouter4, 3, 3);
    packet[20 + 8] = 0x60;
    CHECK_FALSE(parse(packet));
  }
  SUBCASE("ICMPv6 number in an IPv4 packet") {
    Header h = header_of(error_about(s, kRouter4, 1, 4));
    h.protocol = wire::kProtocolIcmpv6;
    CHECK_FALSE(parse_icmp_error(h));
  }
}

TEST_CASE("eight bytes of quoted TCP are enough and seven are not") {
  for (const wire::Family family : {wire::Family::kIpv4, wire::Family::kIpv6}) {
    const bool v4 = family == wire::Family::kIpv4;
    const Packet full = error_about(segment(family, {}), v4 ? kRouter4 : kRouter6, v4 ? 3 : 1, 4);
    Header h = header_of(full);
    const std::size_t enough = 8 + (v4 ? 20 : 40) + 8;
    h.transport = h.transport.first(enough);
    CHECK(parse_icmp_error(h));
    for (std::size_t length = 0; length < enough; ++length) {
      h.transport = h.transport.first(enough - 1 - length);
      CHECK_FALSE(parse_icmp_error(h));
    }
  }
}

TEST_CASE("an error we write reads back as what was meant") {
  for (const wire::Family family : {wire::Family::kIpv4, wire::Family::kIpv6}) {
    const bool v4 = family == wire::Family::kIpv4;
    const auto& reporter = v4 ? kRouter4 : kRouter6;
    wire::Segment offending = segment(family, {});
    offending.options.timestamps = wire::Timestamps{.value = 1, .echo_reply = 2};
    for (const Kind kind : {Kind::kNetUnreachable, Kind::kHostUnreachable,
                            Kind::kProtocolUnreachable, Kind::kPortUnreachable,
                            Kind::kAdminProhibited, Kind::kPacketTooBig, Kind::kTimeExceeded}) {
      const PacketOut out = make_icmp_error(
          {.kind = kind, .reporter = reporter, .offending = offending, .mtu = 1280});
      CHECK(out.checksum_offset == 0);
      CHECK(out.transport_offset == (v4 ? 20 : 40));
      CHECK(out.payload.empty());
      const Packet packet(out.header.begin(), out.header.begin() + out.header_length);
      const Header h = header_of(packet);
      CHECK(icmp_checksum_ok(h));
      CHECK(h.destination == offending.source.address);
      const auto error = parse_icmp_error(h);
      REQUIRE(error);
      CHECK(error->kind == kind);
      CHECK(error->mtu == (kind == Kind::kPacketTooBig ? 1280U : 0U));
      CHECK(error->reporter == reporter);
      CHECK(error->source == offending.source);
      CHECK(error->destination == offending.destination);
      CHECK(error->seq == offending.seq);
    }
  }
}

TEST_CASE("one flipped bit anywhere in a message spoils its checksum") {
  for (const Packet& good : {error_about(segment(wire::Family::kIpv4, {}), kRouter4, 3, 3),
                             error_about(segment(wire::Family::kIpv6, {}), kRouter6, 1, 4)}) {
    CHECK(icmp_checksum_ok(header_of(good)));
    const std::size_t begin = header_of(good).length;
    for (std::size_t i = begin; i < good.size(); ++i) {
      Packet bad = good;
      bad[i] ^= 0x10;
      CHECK_FALSE(icmp_checksum_ok(header_of(bad)));
    }
  }
}

TEST_CASE("errors go out in a burst and then one per interval") {
  IcmpLimiter limiter;
  const Instant start{5s};
  for (std::uint32_t i = 0; i < IcmpLimiter::kBurst; ++i) CHECK(limiter.admit(start));
  CHECK_FALSE(limiter.admit(start));
  CHECK_FALSE(limiter.admit(start + IcmpLimiter::kInterval - 1ns));
  CHECK(limiter.admit(start + IcmpLimiter::kInterval));
  CHECK_FALSE(limiter.admit(start + IcmpLimiter::kInterval));
  for (std::uint32_t i = 0; i < IcmpLimiter::kBurst; ++i) CHECK(limiter.admit(start + 1h));
  CHECK_FALSE(limiter.admit(start + 1h));
}
TEST_SUITE_END();

}  // namespace braid::ip::test
