// Server: the converter's half of RFC 8803: what a SYN's payload asks for, and what to answer.
//
// Pure functions over bytes: sessions, targets and permissions are the concentrator's business. A
// refusal is always a message in the stream followed by an orderly close, never a RST (C20).
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "stack/wire/convert.h"
#include "stack/wire/tcp_options.h"

namespace braid::convert {

// No Convert message, or not all of one: the SYN is ignored without a word (C12).
struct NotConvert {};
// A message that must be answered with RST (a Total Length of zero, C16).
struct Unanswerable {};
// `length` bytes of the SYN payload are the message; what follows is the stream's.
struct ConnectRequest {
  wire::Endpoint target;
  enum class Form : std::uint8_t { kBase, kExtended } form = Form::kBase;
  std::uint32_t length = 0;
};
struct InfoRequest {
  std::uint32_t length = 0;
};
// To be answered with `reply` and closed (C18, C19, C27, C34, C35, C38).
struct BadRequest {
  std::vector<std::uint8_t> reply;
  std::uint32_t length = 0;  // of the SYN's payload, all of it
};
using Request = std::variant<NotConvert, Unanswerable, ConnectRequest, InfoRequest, BadRequest>;

// Reads the payload of a SYN. A message longer than the payload counts as NotConvert: it would have
// to be completed by bytes that RFC 8803 C13 does not allow it to have.
Request read_request(Bytes syn_payload);

// The answer to a Connect that succeeded. `server_options`: those of the server's SYN-ACK, returned
// in an Extended TCP Header TLV when the Connect was an Extended one (C29).
std::vector<std::uint8_t> accepted_reply(const ConnectRequest& request,
                                         const wire::TcpOptions& server_options);
// The answer to an Info TLV: the option kinds we put into our SYNs (C22).
std::vector<std::uint8_t> info_reply();
// An Error TLV with a one-byte value: seconds to wait (C39), an ICMP code (C40), zero (C37).
std::vector<std::uint8_t> error_reply(wire::ConvertErrorCode code, std::uint8_t value);
// Error 1 echoing the request (C24, C35).
std::vector<std::uint8_t> malformed_reply(Bytes syn_payload);

}  // namespace braid::convert
