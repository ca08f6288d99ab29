// Verdict: runs a random world to its end and says what was owed and not kept.
//
// Owed always: every byte read is the right one, and an end that is read comes after the last of
// them. Owed to a connection nobody broke: both sides get everything and close in order; a refused
// one is refused; one to a silent port times out. Owed at the end: nothing is left in either role.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/random/random_world.h"

namespace braid::sim {

struct Outcome {
  std::optional<std::string> failure;
  std::uint64_t trace_hash = 0;
  Duration finished{0};  // when the last connection was done, after the start
  Duration drained{0};   // when nothing was left
  std::uint64_t steps = 0;
};

// `patience`: how long after the last disturbance everything owed may take.
Outcome run_world(RandomWorld& net, Duration patience);
// Where each connection stands, one line each.
std::string describe_connections(RandomWorld& net);

}  // namespace braid::sim
