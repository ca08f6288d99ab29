// The states of RFC 9293 3.3.2.
#pragma once

#include <cstdint>
#include <string_view>

namespace braid::tcp {

enum class State : std::uint8_t {
  kClosed,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
};

std::string_view to_string(State state);

}  // namespace braid::tcp
