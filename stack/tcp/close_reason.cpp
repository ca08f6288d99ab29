#include "stack/tcp/close_reason.h"

namespace braid::tcp {

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::kFinished: return "finished";
    case CloseReason::kRefused: return "refused";
    case CloseReason::kReset: return "reset by peer";
    case CloseReason::kAborted: return "aborted";
    case CloseReason::kTimedOut: return "timed out";
    case CloseReason::kUnreachable: return "unreachable";
    case CloseReason::kProtocolError: return "protocol error";
  }
  return "?";
}

}  // namespace braid::tcp
