// Penalty: how much of its congestion window a path may use after it held up the stream
// (penalisation, Raiciu et al., "How Hard Can It Be?", NSDI 2012).
//
// The window is halved at most once per round trip of the path, for it takes one to see what the
// last halving did; each round trip without blame gives a quarter back. The controller is left
// alone: what it learnt of the link stays true.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "stack/base/time.h"

namespace braid::sched {

class Penalty {
 public:
  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

  // Bytes that may be in flight.
  std::uint64_t limit() const { return limit_; }

  // False when it was penalised within this round trip already.
  bool penalise(std::uint64_t in_flight, std::uint32_t mss, Duration srtt, Instant now) {
    if (now < next_change_) return false;
    limit_ = std::max<std::uint64_t>(in_flight / 2, 2 * std::uint64_t{mss});
    next_change_ = now + srtt;
    return true;
  }
  // To be called now and then; `cwnd` is where the penalty ends.
  void relax(std::uint64_t cwnd, std::uint32_t mss, Duration srtt, Instant now) {
    if (limit_ == kNone || now < next_change_) return;
    limit_ += std::max<std::uint64_t>(limit_ / 4, mss);
    if (limit_ >= cwnd) limit_ = kNone;
    next_change_ = now + srtt;
  }

 private:
  std::uint64_t limit_ = kNone;
  Instant next_change_{};
};

}  // namespace braid::sched
