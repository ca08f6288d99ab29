// Bottlenecks: a world in which users share links, to see who gets how much.
//
//   user --access (delay only)--> exchange ==bottleneck==> server        one exchange per
//   bottleneck
//
// A user sends endless connections, one by default: a plain TCP over one way, or an MPTCP over
// several, each way through one bottleneck. Way back there is no queue. All times and rates are
// virtual.
#pragma once

#include <memory>
#include <vector>

#include "stack/cc/factory.h"
#include "tests/sim/fairness/bulk_host.h"
#include "tests/support/roles/exchange.h"
#include "tests/support/sim/world.h"

namespace braid::sim {

struct Bottleneck {
  double mbit_per_s = 10;
  Duration queue = 100ms;
  Duration delay = 10ms;  // one way
  double loss = 0;        // of each packet towards the server, by chance
};

struct Way {
  std::size_t bottleneck = 0;
  Duration delay{0};  // one way, besides the bottleneck's
};

struct User {
  BulkHost::Kind kind = BulkHost::Kind::kPlain;
  cc::Algorithm algorithm = cc::Algorithm::kCubic;
  std::vector<Way> ways;
  Duration starts{0};
  std::size_t connections = 1;
};

struct Shares {
  std::vector<double> mbit_per_s;           // by user, of payload
  std::vector<double> loss;                 // by bottleneck: share of packets dropped
  std::vector<double> utilisation;          // by bottleneck, 0..1
  std::vector<std::vector<double>> by_way;  // by user and way, what was sent
};

// Lets them all send for `warm_up` and tells what each got in `measured` after that.
Shares run_users(std::uint64_t seed, const std::vector<Bottleneck>& bottlenecks,
                 const std::vector<User>& users, Duration warm_up, Duration measured);

// Jain's index: 1 when all are equal, 1/n when one has everything.
double jain(const std::vector<double>& values);

}  // namespace braid::sim
