#include "gateway/path_health.h"

#include <algorithm>

namespace braid::gateway {

namespace {
constexpr Duration kLeastPatience = 100ms;
// Two Info SYNs fit in it (the second leaves after patience), whatever the path's RTT seemed to be.
constexpr Duration kLeastVerdict = 200ms;
constexpr Duration kFirstQuarantine = 1s;
constexpr Duration kLongestQuarantine = 60s;
}  // namespace

void PathHealth::heard(Instant now) {
  last_heard_ = now;
  dead_until_ = Instant::min();
  failures_ = 0;
}

void PathHealth::measured(Duration rtt) { rtt_ = rtt; }

void PathHealth::probe_failed(Instant now) {
  const Duration quarantine =
      std::min<Duration>(kLongestQuarantine, kFirstQuarantine * (1LL << std::min(failures_, 6U)));
  dead_until_ = now + quarantine;
  ++failures_;
}

void PathHealth::forget() { *this = PathHealth(); }

Instant PathHealth::next_question() const {
  if (is_doubtful()) return dead_until_;
  return last_heard_ == Instant::min() ? last_heard_ : last_heard_ + kIdle;
}

Duration PathHealth::patience() const { return std::max(2 * rtt_, kLeastPatience); }

Duration PathHealth::verdict_after() const { return std::max(3 * rtt_, kLeastVerdict); }

}  // namespace braid::gateway
