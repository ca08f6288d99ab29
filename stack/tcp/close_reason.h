// How a connection ended, for flows, counters and logs.
#pragma once

#include <cstdint>
#include <string_view>

namespace braid::tcp {

enum class CloseReason : std::uint8_t {
  kFinished,       // both directions closed in order
  kRefused,        // RST in answer to our SYN
  kReset,          // RST by the peer later on
  kAborted,        // our own abort()
  kTimedOut,       // retransmissions or keep-alives went unanswered
  kUnreachable,    // a hard ICMP error while connecting
  kProtocolError,  // the peer broke TCP or its user's protocol
};

std::string_view to_string(CloseReason reason);

}  // namespace braid::tcp
