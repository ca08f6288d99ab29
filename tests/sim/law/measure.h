// Measure: one cell, one direction, one seed: the bonded connection beside each uplink alone.
#pragma once

#include "tests/sim/law/results.h"

namespace braid::law {

struct Terms {
  mptcp::ConnectionConfig bundle = shipped();   // unless a table says otherwise
  cc::Algorithm alone = cc::Algorithm::kCubic;  // what a user has without bonding
  Start start = Start::kSoonest;                // as the gateway does
  bool small = true;                            // the short transfers, too
};

Result measure(const Cell& cell, Direction direction, std::uint64_t seed, const Terms& terms);

}  // namespace braid::law
