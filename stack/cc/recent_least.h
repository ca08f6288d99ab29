// RecentLeast: the least RTT since some moment, of all flows of a path. Ours.
//
// A flow of few segments has few samples in a round trip, and all of them may have waited behind
// others' bursts though no queue stands. Many flows together have enough. Kept in steps of a part
// of the path's RTT: what was seen up to a step earlier counts as well.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stack/base/time.h"

namespace braid::cc {

class RecentLeast {
 public:
  RecentLeast() { least_.fill(Duration::max()); }

  static constexpr std::int64_t kStepsPerRtt = 4;
  static constexpr std::size_t kSteps = 32;  // what is older is forgotten

  // `path_rtt`: without a queue, more than zero. Another one than before begins anew.
  void note(Duration rtt, Duration path_rtt, Instant now);
  // max(): nothing was noted.
  Duration since(Instant when) const;

 private:
  std::uint64_t step_of(Instant when) const {
    return static_cast<std::uint64_t>(when.time_since_epoch() / step_);
  }

  Duration step_ = Duration::max();
  std::uint64_t last_ = 0;  // the step noted last
  std::array<Duration, kSteps> least_;
};

}  // namespace braid::cc
