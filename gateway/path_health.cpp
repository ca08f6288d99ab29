#include "gateway/path_health.h"

#include <algorithm>

namespace braid::gateway {

namespace {
constexpr Duration kLeastPatience = 100ms;
// Two Info SYNs fit in it (the second leaves after patience), whatever the path's RTT seemed to be.
constexpr Duration kLeastVerdict = 200ms;
// Up to 800 ms: before the question is repeated, so that the answer measures the path.
constexpr std::uint32_t kMostDoublings = 2;
// A question asked so short a time ago stands for a suspicion, too.
constexpr Duration kRecently = 250ms;
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
  if (is_lost()) ++revivals_;
  lost_ = Lost::kNo;
  suspect_ = Suspect::kNo;
  dead_until_ = Instant::min();
  failures_ = 0;
}

void PathHealth::answered(Instant now) {
  if (is_doubtful() && !is_lost()) ++revivals_;
  heard(now);
  last_answered_ = now;
  hearing_ = Hearing::kFine;
  deaf_until_ = Instant::min();
  deaf_failures_ = 0;
  unanswered_ = 0;
}

void PathHealth::asked(Instant now) {
  last_asked_ = now;
  if (suspect_ == Suspect::kYes) suspect_ = Suspect::kAsked;
}

void PathHealth::measured(Duration rtt, Instant now) {
  rtt_ = rtt;
  measured_at_ = now;
  note_least(rtt, now);
}

// A subflow that began in others' queue has never seen the path without it: a larger least is
// believed only when the smaller one is old, as after a changed route.
void PathHealth::note_least(Duration rtt, Instant now) {
  const bool larger = least_rtt_ != Duration::zero() && rtt > least_rtt_;
  if (larger && now - least_rtt_at_ <= kLeastMemory) return;
  least_rtt_ = rtt;
  least_rtt_at_ = now;
}

void PathHealth::learnt(const tcp::Connection::PathInfo& info, Instant now) {
  if (info.last_received <= measured_at_) return;
  rtt_ = info.srtt;
  measured_at_ = info.last_received;
  if (info.min_rtt > Duration::zero()) note_least(info.min_rtt, now);
}

Duration PathHealth::rtt(Instant now) const {
  return measured_at_ + kFresh >= now ? rtt_ : least_rtt_;
}

void PathHealth::suspected(Instant last_heard, Instant now) {
  if (last_heard_ > last_heard || is_lost()) return;
  const bool under_way = last_asked_ > last_heard_ && now - last_asked_ < kRecently;
  suspect_ = under_way ? Suspect::kAsked : Suspect::kYes;
}

void PathHealth::probe_failed(Instant now) {
  if (suspect_ == Suspect::kNo) {
    hearing_ = Hearing::kDeaf;
  } else if (hearing_ == Hearing::kFine) {
    lost_ = Lost::kYes;
  }
  last_failed_ = now;
  ++unanswered_;
  dead_until_ = now + quarantine_after(failures_++);
}

void PathHealth::found_deaf(Instant now) {
  hearing_ = Hearing::kDeaf;
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
  const std::uint32_t revivals = revivals_;
  *this = PathHealth();
  revivals_ = revivals;
}

Instant PathHealth::next_question(Instant now) const {
  if (is_suspect()) return now;
  // One that is heard is only deaf: joins find their way by themselves.
  const bool missed = last_missed_ >= now - kMissing && !heard_since(now - kEager);
  if (is_doubtful() && missed) return last_asked_ + kEager;
  if (is_doubtful()) {
    const Instant quarantine = std::max(dead_until_, deaf_until_);
    return quarantine > last_asked_ ? quarantine : last_asked_ + kIdle;
  }
  return last_heard_ == Instant::min() ? last_heard_ : last_heard_ + kIdle;
}

Duration PathHealth::patience(Instant now) const { return std::max(2 * rtt(now), kLeastPatience); }

Duration PathHealth::verdict_after(Instant now) const {
  return std::max(3 * rtt(now),
                  Duration(kLeastVerdict * (1LL << std::min(unanswered_, kMostDoublings))));
}

}  // namespace braid::gateway
