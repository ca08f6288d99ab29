// Client: the client's half of the 0-RTT TCP Convert protocol (RFC 8803), the gateway's voice.
//
// A request rides in the SYN's payload; the reply leads the stream that comes back, in the SYN-ACK
// or right after it. Reading it costs no round trip and takes nothing from the pipe: the caller
// releases the reply's bytes, or resets the connection, as the verdict says.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "stack/base/pipe.h"
#include "stack/wire/convert.h"

namespace braid::convert {

// The SYN payload that asks for a connection to `target`: a Base Connect (C23), 24 bytes.
std::vector<std::uint8_t> connect_request(const wire::Endpoint& target);
// The SYN payload that asks for the converter's extensions (C21), answered without any server.
std::vector<std::uint8_t> info_request();

// The reply is not there yet.
struct Pending {};
// The connection stands; the stream's own bytes begin `length` bytes into the pipe.
struct Accepted {
  std::uint32_t length = 0;
  // The option kinds of a Supported TCP Extensions TLV (an answer to info_request()).
  std::vector<std::uint8_t> supported_kinds;
};
// An Error TLV: the client resets the connection (C33).
struct Refused {
  wire::ConvertError error;
};
// Not a Convert reply, or one that breaks the rules (C16, C18, C19, C48): reset, and suspect a
// middlebox or a server that is no converter.
struct Nonsense {
  enum class Reason : std::uint8_t { kMalformed, kStreamEnded } reason = Reason::kMalformed;
};
using Reply = std::variant<Pending, Accepted, Refused, Nonsense>;

// Looks at the head of `down`, whose offset 0 is the first byte of the converter's stream. Nothing
// may have been released from it.
Reply read_reply(const Pipe& down);

}  // namespace braid::convert
