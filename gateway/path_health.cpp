#include "gateway/path_health.h"

#include <algorithm>

namespace braid::gateway {

namespace {
constexpr Duration kLeastPatience = 100ms;
// Two Info SYNs fit in it (the second leaves after patience), whatever the path's RTT seemed to be.
constexpr Duration kLeastVerdict = 200ms;
// Up to 800 ms: before the question is repeated, so that the answer measures the path.
constexpr std::uint32_t kMostDoublings = 2;
constexpr Duration kFirstQuarantine = 1s;
constexpr Duration kLongestQuarantine = 60s;
constexpr Duration kFirstPlain = 60s;
constexpr Duration kLongestPlain = 3600s;

Duration quarantine_after(std::uint32_t failures) {
  return std::min<Duration>(kLongestQuarantine, kFirstQuarantine * (1LL << std::min(failures, 6U)));
}
}  // namespace

void PathHealth::heard(Instant now) {
  last_heard_ = now;
  dead_until_ = Instant::min();
  failures_ = 0;
}

void PathHealth::answered(Instant now) {
  heard(now);
  last_answered_ = now;
  deaf_until_ = Instant::min();
  deaf_failures_ = 0;
  unanswered_ = 0;
}

void PathHealth::measured(Duration rtt) {
  rtt_ = rtt;
}

void PathHealth::probe_failed(Instant now) {
  last_failed_ = now;
  ++unanswered_;
  dead_until_ = now + quarantine_after(failures_++);
}

void PathHealth::found_deaf(Instant now) {
  last_failed_ = now;
  ++unanswered_;
  deaf_until_ = now + quarantine_after(deaf_failures_++);
}

void PathHealth::found_capable_blocked(Instant now) {
  const Duration plain = kFirstPlain * (1LL << std::min(capable_failures_++, 6U));
  capable_blocked_until_ = now + std::min<Duration>(plain, kLongestPlain);
}

void PathHealth::capable_passed() {
  capable_blocked_until_ = Instant::min();
  capable_failures_ = 0;
}

void PathHealth::forget() {
  *this = PathHealth();
}

Instant PathHealth::next_question() const {
  if (is_doubtful()) {
    const Instant quarantine = std::max(dead_until_, deaf_until_);
    return quarantine > last_asked_ ? quarantine : last_asked_ + kIdle;
  }
  return last_heard_ == Instant::min() ? last_heard_ : last_heard_ + kIdle;
}

Duration PathHealth::patience() const {
  return std::max(2 * rtt_, kLeastPatience);
}

Duration PathHealth::verdict_after() const {
  return std::max(3 * rtt_,
                  Duration(kLeastVerdict * (1LL << std::min(unanswered_, kMostDoublings))));
}

}  // namespace braid::gateway
