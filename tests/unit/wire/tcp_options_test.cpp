#include "stack/wire/tcp_options.h"

#include <doctest/doctest.h>

#include "stack/wire/segment.h"
#include "tests/unit/wire/hex.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;
using test::from_hex;
using test::to_hex;

namespace {

std::string written(const TcpOptions& options) {
  std::array<std::uint8_t, kMaxTcpOptionBytes> out{};
  const std::size_t length = write_tcp_options(options, out);
  CHECK(length == encoded_length(options));
  CHECK(length % 4 == 0);
  return to_hex(Bytes(out).first(length));
}

std::string plain(std::string_view hex) { return to_hex(from_hex(hex)); }

const Timestamps kTimestamps{0x01020304, 0x05060708};
const char* const kTimestampBytes = "080a0102030405060708";

TcpOptions syn() {
  return {.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = kTimestamps};
}

Dss dss28() {
  return {.data_ack = 1,
          .eight_byte_ack = true,
          .mapping = Dss::Mapping{
              .data_sequence = 2, .subflow_sequence = 3, .data_length = 4, .checksum = 5}};
}

}  // namespace

TEST_CASE("a SYN's options lie as the Linux kernel lays them") {
  TcpOptions options = syn();
  options.mptcp.push_back(MpCapable{});
  CHECK(written(options) ==
        plain(std::string("020405b4 0402") + kTimestampBytes + "01 030307 1e040101"));
  options.timestamps.reset();
  CHECK(written(options) == plain("020405b4 0101 0402 01 030307 1e040101"));
  options.fast_open_cookie.emplace();
  CHECK(written(options) == plain("020405b4 0101 0402 01 030307 2202 0101 1e040101"));
  options.fast_open_cookie = FewOf<std::uint8_t, 16>{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(written(options) ==
        plain("020405b4 0101 0402 01 030307 220a 0102030405060708 0101 1e040101"));
}

TEST_CASE("other segments lie as the Linux kernel lays them") {
  TcpOptions options{.timestamps = kTimestamps};
  CHECK(written(options) == plain(std::string("0101") + kTimestampBytes));
  options.sack.push_back({SeqNum(0x10), SeqNum(0x20)});
  options.mptcp.push_back(Dss{.data_ack = 0x01020304});
  CHECK(written(options) == plain(std::string("0101") + kTimestampBytes +
                                  "0101 050a 00000010 00000020 1e082001 01020304"));
  options.sack.clear();
  options.mptcp.push_back(MpPrio{.backup = true});
  CHECK(written(options) ==
        plain(std::string("0101") + kTimestampBytes + "1e082001 01020304 1e0351 01"));
}

TEST_CASE("no options take no bytes") {
  CHECK(encoded_length(TcpOptions{}) == 0);
  CHECK(written(TcpOptions{}).empty());
  CHECK(room_left(TcpOptions{}) == 40);
}

TEST_CASE("what is written is read back") {
  TcpOptions options = syn();
  options.mptcp.push_back(MpCapable{.sender_key = 7});
  CHECK(parse_tcp_options(from_hex(written(options))) == options);
  TcpOptions data{.timestamps = kTimestamps};
  data.sack = {{SeqNum(1), SeqNum(2)}, {SeqNum(3), SeqNum(4)}};
  data.mptcp.push_back(Dss{.data_ack = 9});
  CHECK(parse_tcp_options(from_hex(written(data))) == data);
}

TEST_CASE("an IPv6 ADD_ADDR with a port fits beside timestamps, packed") {
  TcpOptions options{.timestamps = kTimestamps};
  options.mptcp.push_back(AddAddr{.address_id = 1,
                                  .address = *IpAddress::parse("2001:db8::1"),
                                  .port = 8803,
                                  .truncated_hmac = 1});
  CHECK(encoded_length(options) == 40);
  CHECK(parse_tcp_options(from_hex(written(options))) == options);
  CHECK(room_left(options) == 0);
}

TEST_CASE("SACK takes what timestamps and MPTCP leave") {
  TcpOptions options{.timestamps = kTimestamps};
  options.sack = {{SeqNum(1), SeqNum(2)},
                  {SeqNum(3), SeqNum(4)},
                  {SeqNum(5), SeqNum(6)},
                  {SeqNum(7), SeqNum(8)}};
  SUBCASE("alone beside timestamps: three") {
    fit(options);
    CHECK(options.sack.size() == 3);
    CHECK(options.sack[0] == SackBlock{SeqNum(1), SeqNum(2)});
  }
  SUBCASE("beside a DATA_ACK of four bytes: two") {
    options.mptcp.push_back(Dss{.data_ack = 1});
    fit(options);
    CHECK(options.sack.size() == 2);
  }
  SUBCASE("beside a DATA_ACK of eight bytes: one") {
    options.mptcp.push_back(Dss{.data_ack = 1, .eight_byte_ack = true});
    fit(options);
    CHECK(options.sack.size() == 1);
  }
  SUBCASE("beside the longest DSS: none") {
    options.mptcp.push_back(dss28());
    fit(options);
    CHECK(options.sack.empty());
    CHECK(room_left(options) == 0);
  }
  SUBCASE("without timestamps: four") {
    options.timestamps.reset();
    fit(options);
    CHECK(options.sack.size() == 4);
  }
  CHECK(encoded_length(options) <= 40);
}

TEST_CASE("reading stops at the end of the list and at a malformed length") {
  CHECK(parse_tcp_options(from_hex("00 020405b4")) == TcpOptions{});
  CHECK(parse_tcp_options(from_hex("020405b4 0301 0402")) == TcpOptions{.mss = 1460});
  CHECK(parse_tcp_options(from_hex("020405b4 0300 0402")) == TcpOptions{.mss = 1460});
  CHECK(parse_tcp_options(from_hex("020405b4 030907 01")) == TcpOptions{.mss = 1460});
  CHECK(parse_tcp_options(from_hex("020405b4 03")) == TcpOptions{.mss = 1460});
}

TEST_CASE("a known kind with a length not its own is left out") {
  for (const char* bytes : {"0203aa", "030401aa", "0403aa", "0509aaaaaaaaaaaaaa", "0502",
                            "080901020304050607", "2203aa", "2204aabb", "1e052000aa"}) {
    CAPTURE(bytes);
    CHECK(parse_tcp_options(from_hex(std::string(bytes) + "0402")) ==
          TcpOptions{.sack_permitted = true});
  }
}

TEST_CASE("unknown kinds are remembered, four at most") {
  const TcpOptions options = parse_tcp_options(from_hex("1302 1d04aabb fd02 fe02 4002 0402"));
  CHECK(options.unknown_kinds == FewOf<std::uint8_t, 4>{19, 29, 253, 254});
  CHECK(options.sack_permitted);
}

TEST_CASE("of an option that comes twice the last counts") {
  CHECK(parse_tcp_options(from_hex("020405b4 02040200")).mss == 512);
  const TcpOptions sack = parse_tcp_options(from_hex("050a0000000100000002 050a0000000300000004"));
  CHECK(sack.sack == FewOf<SackBlock, 4>{{SeqNum(3), SeqNum(4)}});
}

TEST_CASE("cookies have an even length from four to sixteen, or none") {
  CHECK(parse_tcp_options(from_hex("2202")).fast_open_cookie == FewOf<std::uint8_t, 16>{});
  CHECK(parse_tcp_options(from_hex("2206 01020304")).fast_open_cookie->size() == 4);
  CHECK(parse_tcp_options(from_hex("2212 01020304050607080102030405060708"))
            .fast_open_cookie->size() == 16);
  CHECK_FALSE(parse_tcp_options(from_hex("2207 0102030405")).fast_open_cookie);
  CHECK_FALSE(
      parse_tcp_options(from_hex("2214 010203040506070801020304050607080910")).fast_open_cookie);
}

TEST_CASE("several MPTCP options are kept in order and found by type") {
  const TcpOptions options = parse_tcp_options(from_hex("1e082001 01020304 1e0351 01 1e048000"));
  CHECK(options.mptcp.size() == 3);
  REQUIRE(options.find<Dss>());
  CHECK(options.find<Dss>()->data_ack == 0x01020304);
  CHECK(options.find<MpPrio>()->backup);
  CHECK(options.find<MpCapable>() == nullptr);
}

TEST_SUITE_END();
