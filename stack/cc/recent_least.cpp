#include "stack/cc/recent_least.h"

#include <algorithm>

namespace braid::cc {

void RecentLeast::note(Duration rtt, Duration path_rtt, Instant now) {
  const Duration step = std::max<Duration>(path_rtt / kStepsPerRtt, 1us);
  if (step != step_) {
    step_ = step;
    last_ = step_of(now);
    least_.fill(Duration::max());
  }
  // Steps in which nothing was noted.
  const std::uint64_t current = step_of(now);
  last_ = std::max(last_, current - std::min<std::uint64_t>(current, kSteps));
  while (last_ < current) least_[++last_ % kSteps] = Duration::max();
  Duration& least = least_[current % kSteps];
  least = std::min(least, rtt);
}

Duration RecentLeast::since(Instant when) const {
  Duration least = Duration::max();
  const std::uint64_t first = step_of(when);
  for (std::uint64_t back = 0; back < kSteps && first + back <= last_; ++back) {
    least = std::min(least, least_[(last_ - back) % kSteps]);
  }
  return least;
}

}  // namespace braid::cc
