// Link: what all connections over one link know of it together. The host owns one per uplink and
// writes it; subflows carry a pointer, so a change is seen by running connections at once.
#pragma once

#include <cstdint>

#include "stack/base/time.h"

namespace braid::sched {

struct Link {
  std::uint32_t cost = 0;        // of a byte, in no particular unit
  bool in_reserve = false;       // cheaper links suffice for what we send (overflow_gate.h)
  bool peer_in_reserve = false;  // and for what the peer sends: MP_PRIO tells it (RFC 8684 3.3.8)
  // When a connection last had bytes for it and no room in its congestion window: what the link
  // carries at such a moment is what it can carry.
  Instant last_full{};
};

}  // namespace braid::sched
