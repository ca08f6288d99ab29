#include "stack/wire/mptcp_options.h"

#include <doctest/doctest.h>

#include "stack/wire/segment.h"
#include "tests/unit/wire/hex.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;
using test::from_hex;
using test::to_hex;

namespace {

struct Example {
  const char* name;
  const char* bytes;
  MptcpOption option;
};

const IpAddress kV4 = *IpAddress::parse("192.0.2.7");
const IpAddress kV6 = *IpAddress::parse("2001:db8::7");

// Every length that RFC 8684 knows (M1-M9).
const std::vector<Example>& examples() {
  static const JoinHmac kHmac = [] {
    JoinHmac hmac;
    const auto bytes = from_hex("e2a529d6feed56cc224ad363d3afe9c3224a21ad");
    std::copy(bytes.begin(), bytes.end(), hmac.begin());
    return hmac;
  }();
  static const std::vector<Example> kExamples = {
      {"MP_CAPABLE SYN", "1e040181", MpCapable{.checksum_required = true}},
      {"MP_CAPABLE SYN/ACK", "1e0c0101 0706050403020100",
       MpCapable{.sender_key = 0x0706050403020100}},
      {"MP_CAPABLE ACK", "1e140121 0706050403020100 1716151413121110",
       MpCapable{.deny_join_here = true,
                 .sender_key = 0x0706050403020100,
                 .receiver_key = 0x1716151413121110}},
      {"MP_CAPABLE data", "1e160101 0706050403020100 1716151413121110 0590",
       MpCapable{.sender_key = 0x0706050403020100,
                 .receiver_key = 0x1716151413121110,
                 .data_length = 1424}},
      {"MP_CAPABLE data, checksum", "1e180181 0706050403020100 1716151413121110 0590 a097",
       MpCapable{.checksum_required = true,
                 .sender_key = 0x0706050403020100,
                 .receiver_key = 0x1716151413121110,
                 .data_length = 1424,
                 .checksum = 0xa097}},
      {"MP_JOIN SYN", "1e0c1101 5b8a59c8 7b643596",
       MpJoinSyn{.backup = true, .address_id = 1, .token = 0x5b8a59c8, .nonce = 0x7b643596}},
      {"MP_JOIN SYN/ACK", "1e101003 7678473337b7da53 3b67d497",
       MpJoinSynAck{.address_id = 3, .truncated_hmac = 0x7678473337b7da53, .nonce = 0x3b67d497}},
      {"MP_JOIN ACK", "1e181000 e2a529d6feed56cc224ad363d3afe9c3224a21ad", MpJoinAck{kHmac}},
      {"DSS, nothing", "1e042000", Dss{}},
      {"DSS, DATA_ACK of 4", "1e082001 01020304", Dss{.data_ack = 0x01020304}},
      {"DSS, DATA_ACK of 8", "1e0c2003 0102030405060708",
       Dss{.data_ack = 0x0102030405060708, .eight_byte_ack = true}},
      {"DSS, mapping of 4", "1e0e2004 00000011 00000001 0064",
       Dss{.mapping = Dss::Mapping{.data_sequence = 0x11,
                                   .eight_byte_sequence = false,
                                   .subflow_sequence = 1,
                                   .data_length = 100}}},
      {"DSS, all of it", "1e1c201f 0102030405060708 1112131415161718 00000000 0001 beef",
       Dss{.data_fin = true,
           .data_ack = 0x0102030405060708,
           .eight_byte_ack = true,
           .mapping = Dss::Mapping{.data_sequence = 0x1112131415161718,
                                   .subflow_sequence = 0,
                                   .data_length = 1,
                                   .checksum = 0xbeef}}},
      {"ADD_ADDR IPv4", "1e103005 c0000207 94b96ea1822b6f52",
       AddAddr{.address_id = 5, .address = kV4, .truncated_hmac = 0x94b96ea1822b6f52}},
      {"ADD_ADDR IPv4 port", "1e123005 c0000207 2263 94b96ea1822b6f52",
       AddAddr{
           .address_id = 5, .address = kV4, .port = 0x2263, .truncated_hmac = 0x94b96ea1822b6f52}},
      {"ADD_ADDR IPv6", "1e1c3005 20010db8000000000000000000000007 94b96ea1822b6f52",
       AddAddr{.address_id = 5, .address = kV6, .truncated_hmac = 0x94b96ea1822b6f52}},
      {"ADD_ADDR IPv6 port", "1e1e3005 20010db8000000000000000000000007 2263 94b96ea1822b6f52",
       AddAddr{
           .address_id = 5, .address = kV6, .port = 0x2263, .truncated_hmac = 0x94b96ea1822b6f52}},
      {"ADD_ADDR echo IPv4", "1e083105 c0000207",
       AddAddr{.echo = true, .address_id = 5, .address = kV4}},
      {"ADD_ADDR echo IPv4 port", "1e0a3105 c0000207 2263",
       AddAddr{.echo = true, .address_id = 5, .address = kV4, .port = 0x2263}},
      {"ADD_ADDR echo IPv6", "1e143105 20010db8000000000000000000000007",
       AddAddr{.echo = true, .address_id = 5, .address = kV6}},
      {"ADD_ADDR echo IPv6 port", "1e163105 20010db8000000000000000000000007 2263",
       AddAddr{.echo = true, .address_id = 5, .address = kV6, .port = 0x2263}},
      {"REMOVE_ADDR", "1e0640 010203", RemoveAddr{.count = 3, .address_ids = {1, 2, 3}}},
      {"MP_PRIO", "1e0351", MpPrio{.backup = true}},
      {"MP_PRIO off", "1e0350", MpPrio{}},
      {"MP_FAIL", "1e0c6000 0102030405060708", MpFail{0x0102030405060708}},
      {"MP_FASTCLOSE", "1e0c7000 0706050403020100", MpFastclose{0x0706050403020100}},
      {"MP_TCPRST", "1e048106",
       MpTcprst{.transient = true, .reason = TcprstReason::kMiddleboxInterference}},
  };
  return kExamples;
}

}  // namespace

TEST_CASE("every form of every option has its bytes") {
  for (const Example& example : examples()) {
    CAPTURE(example.name);
    const std::vector<std::uint8_t> bytes = from_hex(example.bytes);
    const auto read = parse_mptcp_option(bytes);
    REQUIRE(read.has_value());
    CHECK(*read == example.option);
    CHECK(encoded_length(example.option) == bytes.size());
    std::vector<std::uint8_t> written(bytes.size());
    CHECK(write_mptcp_option(example.option, written) == bytes.size());
    CHECK(to_hex(written) == to_hex(bytes));
  }
}

TEST_CASE("no option is read from one byte less or one byte more") {
  for (const Example& example : examples()) {
    CAPTURE(example.name);
    const bool is_list = std::holds_alternative<RemoveAddr>(example.option);
    std::vector<std::uint8_t> shorter = from_hex(example.bytes);
    shorter.pop_back();
    shorter[1] = static_cast<std::uint8_t>(shorter.size());
    CHECK(parse_mptcp_option(shorter).has_value() == is_list);
    std::vector<std::uint8_t> longer = from_hex(example.bytes);
    longer.push_back(0);
    longer[1] = static_cast<std::uint8_t>(longer.size());
    CHECK(parse_mptcp_option(longer).has_value() == is_list);
  }
}

TEST_CASE("an option whose length byte is not its length is refused") {
  CHECK(parse_mptcp_option(from_hex("1e042000")));
  CHECK_FALSE(parse_mptcp_option(from_hex("1e052000")));
  CHECK_FALSE(parse_mptcp_option(from_hex("1d042000")));
  CHECK_FALSE(parse_mptcp_option(from_hex("1e02")));
  CHECK_FALSE(parse_mptcp_option(Bytes()));
}

TEST_CASE("unassigned and private subtypes are left out") {  // M10
  for (unsigned subtype = 9; subtype < 16; ++subtype) {
    const std::vector<std::uint8_t> bytes = {30, 4, static_cast<std::uint8_t>(subtype << 4), 0};
    CHECK_FALSE(parse_mptcp_option(bytes));
  }
}

TEST_CASE("reserved bits are ignored when read") {  // M11, M104
  CHECK(parse_mptcp_option(from_hex("1e0c1f01 5b8a59c8 7b643596")) ==
        parse_mptcp_option(from_hex("1e0c1101 5b8a59c8 7b643596")));
  CHECK(parse_mptcp_option(from_hex("1e082fe1 01020304")) ==
        MptcpOption(Dss{.data_ack = 0x01020304}));
  CHECK(parse_mptcp_option(from_hex("1e083f05 c0000207")) ==
        MptcpOption(AddAddr{.echo = true, .address_id = 5, .address = kV4}));
  CHECK(parse_mptcp_option(from_hex("1e048e00")) == MptcpOption(MpTcprst{}));
}

TEST_CASE("the flags of absent fields mean nothing") {
  // a and m without A and M.
  CHECK(parse_mptcp_option(from_hex("1e04200a")) == MptcpOption(Dss{}));
}

TEST_CASE("short forms carry the low 32 bits") {
  const Dss dss{.data_ack = 0xaabbccdd11223344,
                .mapping = Dss::Mapping{.data_sequence = 0x5566778899001122,
                                        .eight_byte_sequence = false,
                                        .subflow_sequence = 7,
                                        .data_length = 8}};
  std::vector<std::uint8_t> written(encoded_length(dss));
  write_mptcp_option(dss, written);
  CHECK(to_hex(written) ==
        "1e122005"
        "11223344"
        "99001122"
        "00000007"
        "0008");
}

TEST_CASE("version and crypto bits of a foreign MP_CAPABLE are reported as they are") {
  const auto option = parse_mptcp_option(from_hex("1e0c0041 0706050403020100"));
  REQUIRE(option);
  CHECK(std::get<MpCapable>(*option) ==
        MpCapable{.version = 0, .extensibility = true, .sender_key = 0x0706050403020100});
  CHECK(std::get<MpCapable>(*parse_mptcp_option(from_hex("1e04010a"))).crypto_bits == 0x0a);
}

TEST_SUITE_END();
