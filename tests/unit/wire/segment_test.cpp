#include "stack/wire/segment.h"

#include <doctest/doctest.h>

#include <sstream>

#include "stack/wire/ip_header.h"
#include "stack/wire/tcp_header.h"
#include "tests/unit/wire/hex.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;
using test::from_hex;
using test::to_hex;

namespace {

const std::vector<std::uint8_t> kHello = from_hex("68656c6c6f");

Segment example(const char* source, const char* destination) {
  Segment segment{.source = {*IpAddress::parse(source), 443},
                  .destination = {*IpAddress::parse(destination), 50000},
                  .seq = SeqNum(1000),
                  .ack = SeqNum(2000),
                  .flags = {.psh = true, .ack = true, .ece = true},
                  .window = 512,
                  .options = {.timestamps = Timestamps{1, 2}},
                  .ecn = Ecn::kEct0,
                  .hop_limit = 33,
                  .payload = Slices(Bytes(kHello))};
  segment.options.mptcp.push_back(Dss{.data_ack = 77});
  return segment;
}

struct Read {
  IpHeader ip;
  Segment segment;
};

// The way a device's packet comes in.
Read read(Bytes packet) {
  const auto ip = parse_ip_header(packet);
  REQUIRE(ip);
  const Bytes tcp = packet.subspan(ip->header_length, ip->total_length - ip->header_length);
  CHECK(tcp_checksum_ok(ip->source, ip->destination, tcp));
  auto segment = parse_tcp(ip->source, ip->destination, tcp);
  REQUIRE(segment);
  segment->ecn = Ecn(ip->traffic_class & 3);
  segment->hop_limit = ip->hop_limit;
  return {*ip, *segment};
}

}  // namespace

TEST_CASE("a segment becomes a packet and comes back whole") {
  Segment segment;
  SUBCASE("IPv4") {
    segment = example("192.0.2.1", "198.51.100.2");
    CHECK(make_packet(segment, 0x55aa).transport_offset == 20);
  }
  SUBCASE("IPv6") {
    segment = example("2001:db8::1", "2001:db8::2");
    CHECK(make_packet(segment, 0x55aa).transport_offset == 40);
  }
  const PacketOut packet = make_packet(segment, 0x55aa);
  CHECK(packet.checksum_offset == 16);
  CHECK(packet.gso_size == 0);
  const std::vector<std::uint8_t> bytes = flatten(packet);
  CHECK(bytes.size() == packet.total_length());
  const Read back = read(bytes);
  CHECK(back.segment == segment);
  if (segment.source.address.is_v4()) {
    CHECK(back.ip.dont_fragment);
    CHECK(back.ip.identification == 0x55aa);
  }
}

TEST_CASE("a known SYN is written byte for byte") {
  Segment segment{.source = {*IpAddress::parse("10.9.2.1"), 0x1234},
                  .destination = {*IpAddress::parse("10.9.2.2"), 80},
                  .seq = SeqNum(0x01020304),
                  .flags = {.syn = true},
                  .window = 0xfaf0,
                  .options = {.mss = 1460, .window_scale = 7, .sack_permitted = true}};
  const std::vector<std::uint8_t> bytes = flatten(make_packet(segment, 1));
  CHECK(to_hex(Bytes(bytes).subspan(20, 16)) ==
        "12340050010203040000000080"
        "02"
        "faf0");
  CHECK(to_hex(Bytes(bytes).subspan(38)) ==
        "0000"
        "020405b4"
        "01010402"
        "01030307");
}

TEST_CASE("the field holds the pseudo-header sum until somebody completes it") {
  Segment segment{.source = {*IpAddress::parse("192.0.2.1"), 1},
                  .destination = {*IpAddress::parse("192.0.2.2"), 2}};
  const PacketOut packet = make_packet(segment, 0);
  const std::uint16_t field = load_be16(packet.header.data() + 20 + 16);
  // c000 + 0201 + c000 + 0202 + 0006 + 0014
  CHECK(field == 0x841e);
  PacketOut complete = packet;
  complete.checksum_offset = 0;
  CHECK(load_be16(flatten(complete).data() + 36) == 0x841e);
}

TEST_CASE("every flag has its bit") {
  const std::array<std::pair<TcpFlags, int>, 8> kFlags = {{{{.fin = true}, 0x01},
                                                           {{.syn = true}, 0x02},
                                                           {{.rst = true}, 0x04},
                                                           {{.psh = true}, 0x08},
                                                           {{.ack = true}, 0x10},
                                                           {{.urg = true}, 0x20},
                                                           {{.ece = true}, 0x40},
                                                           {{.cwr = true}, 0x80}}};
  for (const auto& [flags, bit] : kFlags) {
    Segment segment;
    segment.flags = flags;
    std::array<std::uint8_t, 20> header{};
    CHECK(write_tcp_header(segment, header) == 20);
    CHECK(header[13] == bit);
    CHECK(parse_tcp(IpAddress(), IpAddress(), header)->flags == flags);
  }
}

TEST_CASE("a super-segment says how to cut it, a small one does not") {
  const std::vector<std::uint8_t> data(3000, 7);
  Segment segment{.source = {*IpAddress::parse("192.0.2.1"), 1},
                  .destination = {*IpAddress::parse("192.0.2.2"), 2},
                  .gso_size = 1400,
                  .payload = Slices(Bytes(data))};
  CHECK(make_packet(segment, 0).gso_size == 1400);
  CHECK(make_packet(segment, 0).total_length() == 3040);
  segment.payload = Slices(Bytes(data).first(1400));
  CHECK(make_packet(segment, 0).gso_size == 0);
}

TEST_CASE("a header that does not fit its bytes is refused") {
  std::vector<std::uint8_t> tcp(24);
  tcp[12] = 0x60;
  CHECK(parse_tcp(IpAddress(), IpAddress(), tcp));
  SUBCASE("truncated") { tcp.resize(19); }
  SUBCASE("offset below five words") { tcp[12] = 0x40; }
  SUBCASE("offset past the end") { tcp[12] = 0x70; }
  CHECK_FALSE(parse_tcp(IpAddress(), IpAddress(), tcp));
}

TEST_CASE("one flipped bit anywhere breaks the checksum") {
  const Segment segment = example("192.0.2.1", "198.51.100.2");
  std::vector<std::uint8_t> bytes = flatten(make_packet(segment, 0));
  const auto ok = [&] {
    return tcp_checksum_ok(segment.source.address, segment.destination.address,
                           Bytes(bytes).subspan(20));
  };
  REQUIRE(ok());
  for (std::size_t bit = 20 * 8; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK_FALSE(ok());
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
}

TEST_CASE("sequence space counts payload, SYN and FIN") {
  Segment segment{.seq = SeqNum(0xffffffff), .flags = {.fin = true, .syn = true}};
  segment.payload = Slices(Bytes(kHello));
  CHECK(segment.seq_length() == 7);
  CHECK(segment.seq_end() == SeqNum(6));
}

TEST_SUITE_END();
