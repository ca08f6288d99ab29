#include "stack/convert/server.h"

#include <doctest/doctest.h>

#include "stack/convert/client.h"

namespace braid::convert {
namespace {

using wire::ConvertErrorCode;

wire::ConvertError error_in(const std::vector<std::uint8_t>& reply) {
  const auto parsed = wire::parse_convert(reply);
  REQUIRE(std::holds_alternative<wire::ConvertMessage>(parsed));
  const auto* error = std::get<wire::ConvertMessage>(parsed).find<wire::ConvertError>();
  REQUIRE(error != nullptr);
  return *error;
}

wire::ConvertError error_for(const std::vector<std::uint8_t>& payload) {
  const Request request = read_request(payload);
  REQUIRE(std::holds_alternative<BadRequest>(request));
  CHECK(std::get<BadRequest>(request).length == payload.size());
  return error_in(std::get<BadRequest>(request).reply);
}

std::vector<std::uint8_t> extended(std::vector<wire::ConvertTcpOption> options) {
  wire::ConvertMessage message;
  message.tlvs.emplace_back(wire::ConvertConnect{
      .remote = {*wire::IpAddress::parse("192.0.2.1"), 80}, .options = std::move(options)});
  return wire::write_convert(message);
}

TEST_SUITE_BEGIN("convert");
TEST_CASE("a Base Connect asks for its server, and user data may follow it (C14)") {
  std::vector<std::uint8_t> payload = connect_request({*wire::IpAddress::parse("192.0.2.1"), 443});
  payload.insert(payload.end(), {'G', 'E', 'T'});
  const Request request = read_request(payload);
  REQUIRE(std::holds_alternative<ConnectRequest>(request));
  const auto& connect = std::get<ConnectRequest>(request);
  CHECK(connect.length == 24);
  CHECK(connect.form == ConnectRequest::Form::kBase);
  CHECK(connect.target.to_string() == "192.0.2.1:443");
}

TEST_CASE("a SYN without a whole Convert message is left unanswered (C12)") {
  CHECK(std::holds_alternative<NotConvert>(read_request({})));
  const std::vector<std::uint8_t> http = {'G', 'E', 'T', ' ', '/'};
  CHECK(std::holds_alternative<NotConvert>(read_request(http)));
  std::vector<std::uint8_t> cut = connect_request({*wire::IpAddress::parse("192.0.2.1"), 443});
  cut.resize(20);
  CHECK(std::holds_alternative<NotConvert>(read_request(cut)));
}

TEST_CASE("a Total Length of zero is reset (C16)") {
  CHECK(std::holds_alternative<Unanswerable>(
      read_request(std::vector<std::uint8_t>{1, 0, 0x22, 0x63})));
}

TEST_CASE("another version is told the one we speak (C34)") {
  const wire::ConvertError error = error_for({2, 1, 0x22, 0x63});
  CHECK(error.code == ConvertErrorCode::kUnsupportedVersion);
  CHECK(error.first() == 1);
}

TEST_CASE(
    "a TLV twice is malformed, an unknown one unsupported; both echo the message (C18, C19, "
    "C35)") {
  const std::vector<std::uint8_t> twice = {1, 3, 0x22, 0x63, 1, 1, 0, 0, 1, 1, 0, 0};
  CHECK(error_for(twice).code == ConvertErrorCode::kMalformedMessage);
  const std::vector<std::uint8_t> unknown = {1, 2, 0x22, 0x63, 99, 1, 0, 0};
  const wire::ConvertError error = error_for(unknown);
  CHECK(error.code == ConvertErrorCode::kUnsupportedMessage);
  CHECK(error.first() == 0);
  REQUIRE(error.echo().size() >= unknown.size());
  CHECK(std::equal(unknown.begin(), unknown.end(), error.echo().begin()));
}

TEST_CASE("a message that asks for nothing is malformed") {
  CHECK(error_for({1, 1, 0x22, 0x63}).code == ConvertErrorCode::kMalformedMessage);
}

TEST_CASE(
    "an Extended Connect may ask for what our SYNs carry, and gets the server's options back") {
  const Request request =
      read_request(extended({{.kind = 4, .value = {}}, {.kind = 8, .value = {}}}));
  REQUIRE(std::holds_alternative<ConnectRequest>(request));
  CHECK(std::get<ConnectRequest>(request).form == ConnectRequest::Form::kExtended);

  wire::TcpOptions options;
  options.mss = 1460;
  options.window_scale = 7;
  const auto reply = accepted_reply(std::get<ConnectRequest>(request), options);
  const auto parsed = wire::parse_convert(reply);
  REQUIRE(std::holds_alternative<wire::ConvertMessage>(parsed));
  const auto* header =
      std::get<wire::ConvertMessage>(parsed).find<wire::ConvertExtendedTcpHeader>();
  REQUIRE(header != nullptr);
  CHECK(wire::parse_tcp_options(header->options) == options);
}

TEST_CASE("options we cannot put into a SYN are refused by list (C27, C38, C46)") {
  const wire::ConvertError error = error_for(
      extended({{.kind = 29, .value = {}}, {.kind = 4, .value = {}}, {.kind = 34, .value = {}}}));
  CHECK(error.code == ConvertErrorCode::kUnsupportedTcpOption);
  REQUIRE(error.value.size() >= 2);
  CHECK(error.value[0] == 29);
  CHECK(error.value[1] == 34);
}

TEST_CASE("kinds that are ours to decide are ignored (C41)") {
  CHECK(std::holds_alternative<ConnectRequest>(
      read_request(extended({{.kind = 2, .value = {5, 180}}, {.kind = 3, .value = {7}}}))));
}

TEST_CASE("errors carry their one-byte value (C39, C40)") {
  const wire::ConvertError error =
      error_in(error_reply(ConvertErrorCode::kDestinationUnreachable, 3));
  CHECK(error.code == ConvertErrorCode::kDestinationUnreachable);
  CHECK(error.first() == 3);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::convert
