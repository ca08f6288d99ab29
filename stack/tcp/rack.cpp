#include "stack/tcp/rack.h"

#include <algorithm>

namespace braid::tcp {

void Rack::on_delivered(const Scoreboard::Delivery& delivery, Instant now) {
  if (delivery.reordered) reordering_seen_ = true;
  if (!delivery.newest) return;
  rtt_ = now - delivery.newest->sent_at;
  newest_ = std::max(newest_, delivery.newest->sending);
}

void Rack::on_dsack(std::uint64_t snd_una, std::uint64_t snd_nxt) {
  if (snd_una < dsack_round_) return;
  dsack_round_ = snd_nxt;
  ++multiplier_;
  persist_ = kPersist;
}

void Rack::on_recovery_end() {
  if (persist_ > 0) --persist_;
  if (persist_ == 0) multiplier_ = 1;
}

Duration Rack::reordering_window(const Scoreboard& scoreboard, const Facts& facts) const {
  // RFC 8985 6.2 step 4. "Three segments" in bytes, the last of which may be short.
  const bool enough = scoreboard.sacked() > std::uint64_t{kDupThresh - 1} * facts.mss;
  if (!reordering_seen_ && (facts.in_recovery || enough)) return Duration::zero();
  return std::min(multiplier_ * facts.min_rtt / 4, facts.srtt);
}

Instant Rack::detect(Scoreboard& scoreboard, const Facts& facts, Instant now) {
  const Duration patience = rtt_ + reordering_window(scoreboard, facts);
  while (const Scoreboard::Record* record = scoreboard.oldest_in_flight()) {
    if (record->sending() > newest_) break;
    const Instant overdue = record->sent_at + patience;
    if (overdue > now) return overdue;
    scoreboard.mark_lost(*record);
  }
  return kNever;
}

void Rack::on_timeout(Scoreboard& scoreboard, const Facts& facts, Instant now) {
  const Duration patience = rtt_ + reordering_window(scoreboard, facts);
  while (const Scoreboard::Record* record = scoreboard.oldest_in_flight()) {
    if (record->sent_at + patience > now) break;
    scoreboard.mark_lost(*record);
  }
  if (const Scoreboard::Record* head = scoreboard.first()) scoreboard.mark_head_lost(head->size());
}

Duration TailLossProbe::timeout(Duration srtt, Duration ack_delay, std::uint64_t in_flight,
                                std::uint32_t mss) {
  if (srtt == Duration::zero()) return 1s;
  return 2 * srtt + (in_flight <= mss ? ack_delay : 2ms);
}

void TailLossProbe::sent(std::uint64_t snd_nxt, Kind kind) {
  end_ = snd_nxt;
  kind_ = kind;
}

TailLossProbe::Verdict TailLossProbe::on_ack(std::uint64_t ack, std::optional<Interval> dsack,
                                             bool duplicate_without_sack) {
  if (!end_ || ack < *end_) return Verdict::kNothing;
  const bool delivered_twice = dsack && dsack->end == *end_;
  if (kind_ == Kind::kNewData || delivered_twice) {
    end_.reset();
  } else if (ack > *end_) {  // no DSACK: the original was lost
    end_.reset();
    return Verdict::kRepairedLoss;
  } else if (duplicate_without_sack) {
    end_.reset();
  }
  return Verdict::kNothing;
}

}  // namespace braid::tcp
