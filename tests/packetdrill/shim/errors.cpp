#include "tests/packetdrill/shim/errors.h"

#include <cerrno>

namespace braid::pd {

int errno_of_icmp(const wire::IcmpError& error) {
  using Kind = wire::IcmpError::Kind;
  switch (error.kind) {
    case Kind::kNetUnreachable: return ENETUNREACH;
    case Kind::kHostUnreachable: return EHOSTUNREACH;
    case Kind::kProtocolUnreachable: return ENOPROTOOPT;
    case Kind::kPortUnreachable: return ECONNREFUSED;
    case Kind::kAdminProhibited: return error.source.address.is_v4() ? EHOSTUNREACH : EACCES;
    case Kind::kPacketTooBig: return EMSGSIZE;
    case Kind::kTimeExceeded: return EHOSTUNREACH;
    case Kind::kOther: break;
  }
  return EHOSTUNREACH;
}

int errno_of_end(tcp::CloseReason reason, int icmp, bool half_closed, bool mptcp) {
  using tcp::CloseReason;
  switch (reason) {
    case CloseReason::kFinished: return 0;
    case CloseReason::kAborted: return icmp == ETIMEDOUT ? ETIMEDOUT : 0;  // patience lost
    case CloseReason::kRefused: return ECONNREFUSED;
    case CloseReason::kReset: return half_closed && !mptcp ? EPIPE : ECONNRESET;
    case CloseReason::kTimedOut:
      if (mptcp) return 0;
      return icmp != 0 && icmp != EMSGSIZE ? icmp : ETIMEDOUT;
    case CloseReason::kUnreachable: return icmp != 0 ? icmp : EHOSTUNREACH;
    case CloseReason::kProtocolError: return EPROTO;
  }
  return EIO;
}

}  // namespace braid::pd
