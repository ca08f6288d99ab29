// How the end of a connection reads as errno.
#pragma once

#include "stack/tcp/close_reason.h"
#include "stack/wire/segment.h"

namespace braid::pd {

int errno_of_icmp(const wire::IcmpError& error);
// `icmp`: of the last ICMP error, 0 without one. `half_closed`: the peer had finished before.
int errno_of_end(tcp::CloseReason reason, int icmp, bool half_closed, bool mptcp);

}  // namespace braid::pd
