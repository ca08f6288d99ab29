#include "stack/wire/ip_header.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "stack/wire/checksum.h"
#include "tests/unit/wire/hex.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;
using test::from_hex;
using test::to_hex;

namespace {

// 20 bytes of header, 8 of payload.
const std::vector<std::uint8_t> kIpv4 =
    from_hex("4503 001c 1234 4000 3f06 0000 c000 0201 c633 6402 | 0102 0304 0506 0708");

std::vector<std::uint8_t> with_checksum(std::vector<std::uint8_t> packet) {
  const std::size_t length = std::min<std::size_t>((packet[0] & 15) * 4U, packet.size());
  store_be16(packet.data() + 10, 0);
  InternetSum sum;
  sum.add(Bytes(packet).first(length));
  store_be16(packet.data() + 10, sum.checksum());
  return packet;
}

std::vector<std::uint8_t> ipv6(std::string_view next_and_rest) {
  const std::vector<std::uint8_t> rest = from_hex(next_and_rest.substr(2));
  std::vector<std::uint8_t> out = from_hex("6a 3b cdef 0000");
  store_be16(out.data() + 4, static_cast<std::uint16_t>(rest.size()));
  const auto tail = from_hex(std::string(next_and_rest.substr(0, 2)) +
                             "40"
                             "20010db8000000000000000000000001"
                             "20010db8000000000000000000000002");
  out.insert(out.end(), tail.begin(), tail.end());
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

}  // namespace

TEST_CASE("an IPv4 header is read whole") {
  const auto header = parse_ip_header(with_checksum(kIpv4));
  REQUIRE(header);
  CHECK(*header == IpHeader{.source = *IpAddress::parse("192.0.2.1"),
                            .destination = *IpAddress::parse("198.51.100.2"),
                            .protocol = kProtocolTcp,
                            .hop_limit = 63,
                            .traffic_class = 3,
                            .header_length = 20,
                            .total_length = 28,
                            .dont_fragment = true,
                            .identification = 0x1234});
  CHECK_FALSE(header->is_fragment());
}

TEST_CASE("an IPv4 header is written as it was read") {
  const std::vector<std::uint8_t> packet = with_checksum(kIpv4);
  std::array<std::uint8_t, 20> out{};
  CHECK(write_ip_header(*parse_ip_header(packet), out) == 20);
  CHECK(to_hex(out) == to_hex(Bytes(packet).first(20)));
}

TEST_CASE("IPv4 options are skipped and link padding is allowed") {
  std::vector<std::uint8_t> packet = kIpv4;
  packet[0] = 0x46;
  packet.resize(60);
  const auto header = parse_ip_header(with_checksum(packet));
  REQUIRE(header);
  CHECK(header->header_length == 24);
  CHECK(header->total_length == 28);
}

TEST_CASE("a malformed IPv4 header is refused") {
  std::vector<std::uint8_t> packet = kIpv4;
  SUBCASE("version") { packet[0] = 0x55; }
  SUBCASE("header shorter than 20") { packet[0] = 0x44; }
  SUBCASE("total length beyond the packet") { packet[3] = 29; }
  SUBCASE("total length within the header") { packet[3] = 19; }
  SUBCASE("header beyond the packet") { packet[0] = 0x48; }
  SUBCASE("truncated") { packet.resize(19); }
  CHECK_FALSE(parse_ip_header(packet.size() < 20 ? packet : with_checksum(packet)));
}

TEST_CASE("an IPv4 header with a wrong checksum is refused") {
  std::vector<std::uint8_t> packet = with_checksum(kIpv4);
  CHECK(parse_ip_header(packet));
  packet[8] ^= 1;
  CHECK_FALSE(parse_ip_header(packet));
}

TEST_CASE("IPv4 fragments are told apart") {
  std::vector<std::uint8_t> packet = kIpv4;
  SUBCASE("first") { packet[6] = 0x20; }
  SUBCASE("last") {
    packet[6] = 0x00;
    packet[7] = 0x02;
    CHECK(parse_ip_header(with_checksum(packet))->fragment_offset == 16);
  }
  CHECK(parse_ip_header(with_checksum(packet))->is_fragment());
}

TEST_CASE("an IPv6 header is read whole and written back") {
  const std::vector<std::uint8_t> packet = ipv6("06 0102030405060708");
  const auto header = parse_ip_header(packet);
  REQUIRE(header);
  CHECK(*header == IpHeader{.source = *IpAddress::parse("2001:db8::1"),
                            .destination = *IpAddress::parse("2001:db8::2"),
                            .protocol = kProtocolTcp,
                            .hop_limit = 64,
                            .traffic_class = 0xa3,
                            .flow_label = 0xbcdef,
                            .header_length = 40,
                            .total_length = 48});
  std::array<std::uint8_t, 40> out{};
  CHECK(write_ip_header(*header, out) == 40);
  CHECK(to_hex(out) == to_hex(Bytes(packet).first(40)));
}

TEST_CASE("IPv6 extension headers are walked to the transport header") {
  // Hop-by-hop, then destination options of two units, then TCP.
  const auto header = parse_ip_header(
      ipv6("00 3c00010400000000 | 0601010c000000000000000000000000 | 0102030405060708"));
  REQUIRE(header);
  CHECK(header->protocol == kProtocolTcp);
  CHECK(header->header_length == 40 + 8 + 16);
  CHECK_FALSE(header->is_fragment());
}

TEST_CASE("IPv6 fragments are told apart, the middle ones end the walk") {
  const auto first = parse_ip_header(ipv6("2c 06000001deadbeef | 0102030405060708"));
  REQUIRE(first);
  CHECK(first->is_fragment());
  CHECK(first->fragment_offset == 0);
  CHECK(first->identification == 0xdeadbeef);
  CHECK(first->protocol == kProtocolTcp);
  const auto later = parse_ip_header(ipv6("2c 0000 0010 deadbeef | ffffffffffffffff"));
  REQUIRE(later);
  CHECK(later->fragment_offset == 16);
  CHECK(later->header_length == 48);
}

TEST_CASE("a malformed IPv6 header is refused") {
  CHECK_FALSE(parse_ip_header(Bytes()));
  CHECK_FALSE(parse_ip_header(ipv6("00 06ff010400000000")));  // extension past the end
  CHECK_FALSE(parse_ip_header(ipv6("00 060001")));            // extension cut short
  std::vector<std::uint8_t> packet = ipv6("06 01020304");
  packet.pop_back();
  CHECK_FALSE(parse_ip_header(packet));
  packet.resize(39);
  CHECK_FALSE(parse_ip_header(packet));
}

TEST_CASE("a chain of extensions as long as a packet ends") {
  // Longest legal payload of nothing but hop-by-hop headers: the walk must stop at its end.
  std::string text = "00";
  for (int i = 0; i < 8191; ++i) text += "0000000000000000";
  CHECK_FALSE(parse_ip_header(ipv6(text)));
}

TEST_SUITE_END();
