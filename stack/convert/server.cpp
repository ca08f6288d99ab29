#include "stack/convert/server.h"

#include <algorithm>
#include <array>

namespace braid::convert {

namespace {

using wire::ConvertError;
using wire::ConvertErrorCode;

// SACK-permitted and Timestamps are in every SYN we send to a server (C43). MPTCP (30) is not
// announced although we convert it: we would have to offer it to the server when asked (C44).
constexpr std::array<std::uint8_t, 2> kSupportedKinds = {4, 8};

// Kinds a Connect may name without effect: they are ours to decide (C41).
constexpr std::array<std::uint8_t, 5> kIgnoredKinds = {0, 1, 2, 3, 5};

template <std::size_t N>
bool contains(const std::array<std::uint8_t, N>& kinds, std::uint8_t kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::vector<std::uint8_t> message_of(wire::ConvertTlv tlv) {
  wire::ConvertMessage message;
  message.tlvs.push_back(std::move(tlv));
  return wire::write_convert(message);
}

BadRequest bad(ConvertError error, Bytes payload) {
  return {message_of(std::move(error)), static_cast<std::uint32_t>(payload.size())};
}

Request refuse(const wire::ConvertMalformed& malformed, Bytes payload) {
  using Reason = wire::ConvertMalformed::Reason;
  switch (malformed.reason) {
    case Reason::kBadMagic: return NotConvert{};
    case Reason::kZeroLength: return Unanswerable{};
    case Reason::kUnsupportedVersion: {
      const std::array<std::uint8_t, 1> versions = {wire::kConvertVersion};
      return bad(ConvertError::with_list(ConvertErrorCode::kUnsupportedVersion, versions), payload);
    }
    case Reason::kUnsupportedTlv:
      return bad(ConvertError::with_echo(ConvertErrorCode::kUnsupportedMessage, payload), payload);
    case Reason::kBadFraming:
    case Reason::kDuplicateTlv: break;
  }
  return bad(ConvertError::with_echo(ConvertErrorCode::kMalformedMessage, payload), payload);
}

Request connect(const wire::ConvertConnect& tlv, std::uint32_t length, Bytes payload) {
  std::vector<std::uint8_t> unsupported;
  for (const wire::ConvertTcpOption& option : tlv.options) {
    if (contains(kIgnoredKinds, option.kind)) continue;
    // C27: a value would have to be copied verbatim; our timestamps are our own.
    if (!contains(kSupportedKinds, option.kind) || !option.value.empty()) {
      unsupported.push_back(option.kind);
    }
  }
  if (!unsupported.empty()) {
    return bad(ConvertError::with_list(ConvertErrorCode::kUnsupportedTcpOption, unsupported),
               payload);
  }
  return ConnectRequest{
      .target = tlv.remote,
      .form = tlv.options.empty() ? ConnectRequest::Form::kBase : ConnectRequest::Form::kExtended,
      .length = length};
}

}  // namespace

Request read_request(Bytes syn_payload) {
  const wire::ConvertParseResult result = wire::parse_convert(syn_payload);
  if (std::holds_alternative<wire::ConvertNeedMore>(result)) return NotConvert{};
  if (const auto* malformed = std::get_if<wire::ConvertMalformed>(&result)) {
    return refuse(*malformed, syn_payload);
  }
  const auto& message = std::get<wire::ConvertMessage>(result);
  const auto length = static_cast<std::uint32_t>(message.length);
  if (const auto* tlv = message.find<wire::ConvertConnect>()) {
    return connect(*tlv, length, syn_payload);
  }
  if (message.find<wire::ConvertInfo>() != nullptr) return InfoRequest{length};
  // A message that asks for nothing: no TLVs, a bare cookie, or TLVs only a converter may send.
  return bad(ConvertError::with_echo(ConvertErrorCode::kMalformedMessage, syn_payload),
             syn_payload);
}

std::vector<std::uint8_t> accepted_reply(const ConnectRequest& request,
                                         const wire::TcpOptions& server_options) {
  wire::ConvertMessage message;
  if (request.form == ConnectRequest::Form::kExtended) {
    std::vector<std::uint8_t> options(wire::encoded_length(server_options));
    wire::write_tcp_options(server_options, options);
    message.tlvs.emplace_back(wire::ConvertExtendedTcpHeader{std::move(options)});
  }
  return wire::write_convert(message);
}

std::vector<std::uint8_t> info_reply() {
  return message_of(wire::ConvertSupportedExtensions{
      std::vector<std::uint8_t>(kSupportedKinds.begin(), kSupportedKinds.end())});
}

std::vector<std::uint8_t> error_reply(ConvertErrorCode code, std::uint8_t value) {
  return message_of(ConvertError::with_value(code, value));
}

std::vector<std::uint8_t> malformed_reply(Bytes syn_payload) {
  return message_of(ConvertError::with_echo(ConvertErrorCode::kMalformedMessage, syn_payload));
}

}  // namespace braid::convert
