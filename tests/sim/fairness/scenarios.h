// Scenarios: who is hurt by a multipath connection, and what its restraint costs. Each is run for
// one controller; figures are medians over seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/fairness/bottlenecks.h"

namespace braid::sim {

struct Effort {
  std::uint64_t seeds = 3;
  Duration warm_up = 10s;
  Duration measured = 40s;
};

// Two subflows against one plain TCP on one bottleneck: 20 Mbit/s, 20 ms one way.
struct SharedResult {
  double multipath = 0;  // Mbit/s
  double plain = 0;
  double jain = 0;
  double utilisation = 0;
  double loss = 0;
};
enum class SharedWays : std::uint8_t { kEqual, kUnequal };  // the second way 40 ms longer
SharedResult shared_bottleneck(cc::Algorithm multipath, cc::Algorithm plain, SharedWays ways,
                               Duration queue, const Effort& effort);

// Several connections of one host over one way against one plain CUBIC on one bottleneck: 20
// Mbit/s, 20 ms one way, 80 ms of queue. They are one path's, and look together for a queue of
// their own.
struct ManyResult {
  double each = 0;  // Mbit/s, of the many
  double plain = 0;
  double utilisation = 0;
};
ManyResult many_beside_one(cc::Algorithm many, std::size_t connections, const Effort& effort);

// Scenario C of Khalili et al., "MPTCP is not Pareto-optimal": four users with an access of their
// own (2.5 Mbit/s each) also use one shared by four others (2.5 Mbit/s each), and could gain next
// to nothing by it. Shares are of 2.5 Mbit/s.
struct UpgradeResult {
  double upgraded = 0;
  double others = 0;
  double loss = 0;  // at the shared access
};
enum class Upgrade : std::uint8_t { kNot, kDone };
UpgradeResult upgrade(cc::Algorithm multipath, cc::Algorithm plain, Upgrade upgraded,
                      const Effort& effort);

// A connection alone on two bottlenecks of its own, and a plain one on one of them: Mbit/s.
double disjoint(cc::Algorithm multipath, const Bottleneck& first, const Bottleneck& second,
                const Effort& effort);
double alone(cc::Algorithm algorithm, const Bottleneck& bottleneck, const Effort& effort);

}  // namespace braid::sim
