#include "stack/wire/convert.h"

#include <doctest/doctest.h>

#include "tests/unit/wire/hex.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;
using test::from_hex;
using test::to_hex;
using Reason = ConvertMalformed::Reason;

namespace {

const Endpoint kServer{*IpAddress::parse("192.0.2.1"), 443};

ConvertMessage message(std::vector<ConvertTlv> tlvs) { return {.tlvs = std::move(tlvs)}; }

ConvertMessage read(const std::vector<std::uint8_t>& bytes) {
  const ConvertParseResult result = parse_convert(bytes);
  REQUIRE(std::holds_alternative<ConvertMessage>(result));
  return std::get<ConvertMessage>(result);
}

ConvertMalformed refused(std::string_view hex) {
  const ConvertParseResult result = parse_convert(from_hex(hex));
  REQUIRE(std::holds_alternative<ConvertMalformed>(result));
  return std::get<ConvertMalformed>(result);
}

}  // namespace

TEST_CASE("every TLV has its bytes") {
  const std::vector<std::pair<ConvertMessage, const char*>> kCases = {
      {message({}), "01012263"},
      {message({ConvertInfo{}}), "01022263 01010000"},
      // The derived example: a Base Connect in 24 bytes.
      {message({ConvertConnect{.remote = kServer}}),
       "01062263 0a0501bb 00000000000000000000ffffc0000201"},
      {message({ConvertConnect{.remote = {*IpAddress::parse("2001:db8::9"), 80},
                               .options = {{30, {}}, {34, {1, 2, 3, 4}}}}}),
       "01082263 0a070050 20010db8000000000000000000000009 1e02 220601020304"},
      {message({ConvertConnect{.remote = kServer, .options = {{30, {}}}}}),
       "01072263 0a0601bb 00000000000000000000ffffc0000201 1e020000"},
      {message({ConvertExtendedTcpHeader{from_hex("020405b4 1e040101")}}),
       "01042263 14030000 020405b4 1e040101"},
      {message({ConvertSupportedExtensions{{4, 8, 30, 34, 3}}}),
       "01042263 15030000 04081e22 03000000"},
      {message({ConvertCookie{from_hex("0102030405060708")}, ConvertInfo{}}),
       "01052263 16030000 0102030405060708 01010000"},
      {message({ConvertError::with_value(ConvertErrorCode::kDestinationUnreachable, 3)}),
       "01022263 1e016103"},
      {message({ConvertError::with_list(ConvertErrorCode::kUnsupportedVersion, from_hex("01"))}),
       "01022263 1e010001"},
      {message(
           {ConvertError::with_list(ConvertErrorCode::kUnsupportedTcpOption, from_hex("1d13"))}),
       "01032263 1e02211d 13000000"},
      {message({ConvertError::with_echo(ConvertErrorCode::kUnsupportedMessage,
                                        from_hex("01022263 63010000"))}),
       "01042263 1e030200 01022263 63010000"},
      {message({ConvertError::with_echo(ConvertErrorCode::kMissingCookie, from_hex("aabbccdd"))}),
       "01032263 1e020300 aabbccdd"},
  };
  for (const auto& [value, hex] : kCases) {
    CAPTURE(describe(value));
    CHECK(to_hex(write_convert(value)) == to_hex(from_hex(hex)));
    const ConvertMessage back = read(from_hex(hex));
    CHECK(back == value);
    CHECK(back.length == from_hex(hex).size());
  }
}

TEST_CASE("user data after the message is left alone") {
  const ConvertMessage got = read(from_hex("01022263 01010000 474554"));
  CHECK(got.length == 8);
  CHECK(got.find<ConvertInfo>() != nullptr);
  CHECK(got.find<ConvertConnect>() == nullptr);
}

TEST_CASE("a message that is not whole asks for more") {
  const std::vector<std::uint8_t> whole = write_convert(message({ConvertConnect{kServer, {}}}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const ConvertParseResult result = parse_convert(Bytes(whole).first(length));
    REQUIRE(std::holds_alternative<ConvertNeedMore>(result));
    const auto total = std::get<ConvertNeedMore>(result).total_length;
    CHECK(total == (length < 4 ? std::nullopt : std::optional<std::size_t>(24)));
  }
}

TEST_CASE("a message says why it is refused") {
  CHECK(refused("01022264 01010000") == ConvertMalformed{Reason::kBadMagic});
  CHECK(refused("47455420") == ConvertMalformed{Reason::kBadMagic});
  CHECK(refused("02022263") == ConvertMalformed{Reason::kUnsupportedVersion});
  CHECK(refused("00022263 01010000") == ConvertMalformed{Reason::kUnsupportedVersion});
  CHECK(refused("01002263") == ConvertMalformed{Reason::kZeroLength});
  CHECK(refused("01032263 01010000 01010000") == ConvertMalformed{Reason::kDuplicateTlv, 1});
  CHECK(refused("01022263 00010000") == ConvertMalformed{Reason::kUnsupportedTlv, 0});
  CHECK(refused("01022263 63010000") == ConvertMalformed{Reason::kUnsupportedTlv, 0x63});
}

TEST_CASE("a TLV that leaves its frame is refused") {
  CHECK(refused("01022263 01000000") == ConvertMalformed{Reason::kBadFraming, 1});
  CHECK(refused("01022263 16020000 01020304") == ConvertMalformed{Reason::kBadFraming, 22});
  CHECK(refused("01032263 01020000 00000000") == ConvertMalformed{Reason::kBadFraming, 1});
  // A Connect too short for its address.
  CHECK(refused("01052263 0a0401bb 00000000 00000000 00000000") ==
        ConvertMalformed{Reason::kBadFraming, 10});
  // An option in a Connect longer than the TLV, one shorter than itself, and one cut after its
  // kind.
  const std::string connect = "01072263 0a0601bb 00000000000000000000ffffc0000201";
  CHECK(refused(connect + "1e050000") == ConvertMalformed{Reason::kBadFraming, 10});
  CHECK(refused(connect + "1e010000") == ConvertMalformed{Reason::kBadFraming, 10});
  CHECK(refused(connect + "0101011e") == ConvertMalformed{Reason::kBadFraming, 10});
}

TEST_CASE("options of one byte in a Connect are skipped") {  // C41
  const ConvertMessage got =
      read(from_hex("01082263 0a0701bb 00000000000000000000ffffc0000201 011e0200 01040200"));
  CHECK(got.find<ConvertConnect>()->options == std::vector<ConvertTcpOption>{{30, {}}, {4, {}}});
}

TEST_CASE("a lengthened Connect of nothing but padding asks for no options") {
  CHECK(read(from_hex("01072263 0a0601bb 00000000000000000000ffffc0000201 00000000")) ==
        message({ConvertConnect{.remote = kServer}}));
}

TEST_CASE("an echo is cut to what a message can hold") {
  const std::vector<std::uint8_t> offending(5000, 0x77);
  const ConvertError error =
      ConvertError::with_echo(ConvertErrorCode::kMalformedMessage, offending);
  const std::vector<std::uint8_t> bytes = write_convert(message({error}));
  CHECK(bytes.size() == kMaxConvertBytes);
  CHECK(read(bytes).find<ConvertError>()->echo().size() == 1012);
}

TEST_CASE("an error's value is read from its first byte") {
  const ConvertMessage got = read(from_hex("01022263 1e01401e"));
  const ConvertError* error = got.find<ConvertError>();
  REQUIRE(error);
  CHECK(error->code == ConvertErrorCode::kResourceExceeded);
  CHECK(error->first() == 30);
  CHECK(ConvertError{}.first() == 0);
  CHECK(ConvertError{}.echo().empty());
}

TEST_CASE("messages are described for logs") {
  CHECK(describe(message({})) == "empty");
  CHECK(describe(message({ConvertConnect{.remote = kServer, .options = {{30, {}}, {34, {1, 2}}}},
                          ConvertCookie{{0xab, 0xcd, 0, 0}}})) ==
        "Connect 192.0.2.1:443 <kind 30> <kind 34 0102>, Cookie abcd0000");
  CHECK(describe(message({ConvertInfo{}, ConvertSupportedExtensions{{30, 34}},
                          ConvertExtendedTcpHeader{{1, 1}},
                          ConvertError::with_value(ConvertErrorCode::kConnectionReset, 0)})) ==
        "Info, SupportedExtensions 30 34, ExtendedTcpHeader 0101, Error 96 value 00");
}

TEST_SUITE_END();
