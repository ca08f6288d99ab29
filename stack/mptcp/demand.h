// Demand: whether a connection has use for more than one subflow. A join costs both ends memory and
// four packets, so a small fetch makes none. One is worth it when more waits than the subflows
// there are take, or when more has passed than a peer sends before it has heard from us (an initial
// window): whoever only receives sees no backlog, and the side that sends may not be allowed to
// join. A long rest ends the demand; then it is earned anew.
#pragma once

#include <cstdint>

#include "stack/base/time.h"

namespace braid::mptcp {

class Demand {
 public:
  static constexpr Duration kRest = 10s;

  // `threshold`: bytes in both directions together; 0: there is always demand.
  explicit Demand(std::uint64_t threshold) : threshold_(threshold) {}

  enum class Backlog : std::uint8_t { kNone, kWaiting };
  // `carried`: bytes of both directions since the connection began.
  void note(std::uint64_t carried, Backlog backlog, Instant now);
  bool is_there() const { return state_ == State::kEarned || threshold_ == 0; }

 private:
  std::uint64_t threshold_;
  std::uint64_t carried_ = 0;
  std::uint64_t mark_ = 0;  // carried when the present activity began
  Instant last_progress_{};
  enum class State : std::uint8_t { kNone, kEarned } state_ = State::kNone;
};

}  // namespace braid::mptcp
