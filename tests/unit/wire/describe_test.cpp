#include <doctest/doctest.h>

#include <sstream>

#include "stack/wire/segment.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;

TEST_CASE("a segment prints like tcpdump") {
  Segment segment{.source = {IpAddress::v4(0x0a000001), 80},
                  .destination = {IpAddress::v4(0x0a000002), 1234},
                  .seq = SeqNum(1),
                  .ack = SeqNum(2),
                  .flags = {.syn = true, .ack = true},
                  .window = 65535,
                  .options = {.mss = 1460, .window_scale = 7, .sack_permitted = true}};
  CHECK(describe(segment) ==
        "10.0.0.1:80 > 10.0.0.2:1234: [S.] seq 1:2 ack 2 win 65535 "
        "<mss 1460,sackOK,wscale 7> len 0");
  std::ostringstream stream;
  stream << segment;
  CHECK(stream.str() == describe(segment));
}

TEST_CASE("rare fields are named when they are there") {
  const std::vector<std::uint8_t> data(10);
  Segment segment{
      .flags = {.fin = true, .rst = true, .psh = true, .urg = true, .ece = true, .cwr = true},
      .urgent_pointer = 3,
      .ecn = Ecn::kCe,
      .hop_limit = 1,
      .gso_size = 5,
      .payload = Slices(Bytes(data))};
  CHECK(describe(segment) ==
        "0.0.0.0:0 > 0.0.0.0:0: [FRPUEW] seq 0:11 win 0 urg 3 ce ttl 1 gso 5 len 10");
  CHECK(describe(Segment{.ecn = Ecn::kEct1}).find(" ect1 ") != std::string::npos);
  CHECK(describe(Segment{.ecn = Ecn::kEct0}).find(" ect0 ") != std::string::npos);
  CHECK(describe(Segment{}).find("[none]") != std::string::npos);
}

TEST_CASE("options print with the numbers that matter") {
  TcpOptions options{.timestamps = Timestamps{5, 6}};
  options.sack = {{SeqNum(1), SeqNum(2)}, {SeqNum(3), SeqNum(4)}};
  options.fast_open_cookie = FewOf<std::uint8_t, 16>{0xab, 0xcd, 0, 1};
  options.unknown_kinds.push_back(29);
  CHECK(describe(options) == "TS val 5 ecr 6,tfo cookie abcd0001,sack {1:2} {3:4},kind 29");
  options = {};
  options.fast_open_cookie.emplace();
  CHECK(describe(options) == "tfo cookiereq");
}

TEST_CASE("every MPTCP option prints its own line") {
  const IpAddress address = IpAddress::v4(0xc0000207);
  JoinHmac hmac{};
  hmac[0] = 0xe2;
  const std::vector<std::pair<MptcpOption, std::string>> kCases = {
      {MpCapable{.checksum_required = true,
                 .extensibility = true,
                 .deny_join_here = true,
                 .sender_key = 1,
                 .receiver_key = 2,
                 .data_length = 3,
                 .checksum = 4},
       "mpcapable v1 flags ABC0x1 key 0x0000000000000001 peer-key 0x0000000000000002 len 3 csum "
       "0x0004"},
      {MpJoinSyn{true, 1, 2, 3}, "mpjoin backup id 1 token 0x00000002 nonce 0x00000003"},
      {MpJoinSynAck{false, 1, 2, 3}, "mpjoin id 1 hmac 0x0000000000000002 nonce 0x00000003"},
      {MpJoinAck{hmac}, "mpjoin hmac e200000000000000000000000000000000000000"},
      {Dss{.data_fin = true,
           .data_ack = 9,
           .mapping =
               Dss::Mapping{
                   .data_sequence = 5, .subflow_sequence = 6, .data_length = 7, .checksum = 8}},
       "dss fin ack4 9 seq8 5 subseq 6 len 7 csum 0x0008"},
      {AddAddr{.address_id = 5, .address = address, .port = 80, .truncated_hmac = 1},
       "addaddr id 5 192.0.2.7 port 80 hmac 0x0000000000000001"},
      {AddAddr{.echo = true, .address_id = 5, .address = address}, "addaddr echo id 5 192.0.2.7"},
      {RemoveAddr{.count = 2, .address_ids = {4, 5}}, "removeaddr 4 5"},
      {MpPrio{true}, "mpprio backup"},
      {MpFail{12}, "mpfail seq 12"},
      {MpFastclose{13}, "mpfastclose key 0x000000000000000d"},
      {MpTcprst{true, TcprstReason::kUnacceptablePerformance}, "mptcprst transient reason 5"},
  };
  for (const auto& [option, expected] : kCases) CHECK(describe(option) == expected);
}

TEST_SUITE_END();
