#include "stack/tcp/rate_sampler.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::tcp {

void RateSampler::on_sent(std::uint64_t order, std::uint64_t bytes, std::uint64_t flight,
                          Instant now) {
  if (notes_.empty()) first_order_ = order;
  ENSURE(order == first_order_ + note_count());
  if (flight <= bytes) first_sent_at_ = delivered_at_ = now;
  notes_.push_back({.sent_at = now,
                    .first_sent_at = first_sent_at_,
                    .delivered_at = delivered_at_,
                    .delivered = delivered_,
                    .lost = lost_,
                    .flight = flight,
                    .app_limited = app_limited()});
}

void RateSampler::on_app_limited(std::uint64_t in_flight) {
  app_limited_until_ = std::max<std::uint64_t>(delivered_ + in_flight, 1);
}

const RateSampler::Note* RateSampler::note(std::uint64_t order) const {
  if (order < first_order_ || order - first_order_ >= note_count()) return nullptr;
  return &notes_[order - first_order_];
}

cc::RateSample RateSampler::on_delivered(std::uint64_t bytes, std::uint64_t newest,
                                         Duration min_rtt, Instant now) {
  if (bytes == 0) return {};
  delivered_ += bytes;
  delivered_at_ = now;
  if (delivered_ > app_limited_until_) app_limited_until_ = 0;
  const Note* const about = note(newest);
  if (about == nullptr) return {};
  first_sent_at_ = about->sent_at;
  if (about->delivered >= next_round_) {
    ++round_;
    next_round_ = delivered_;
  }
  const Duration sending = about->sent_at - about->first_sent_at;
  const Duration answering = now - about->delivered_at;
  cc::RateSample sample{.rate = Rate(),
                        .delivered = delivered_ - about->delivered,
                        .interval = std::max(sending, answering),
                        .prior_delivered = about->delivered,
                        .flight_at_send = about->flight,
                        .lost = lost_ - about->lost,
                        .app_limited = about->app_limited};
  // An interval below the least round trip there is belongs to a retransmission whose original was
  // answered: its counts hold, its rate does not.
  if (sample.interval > Duration::zero() && sample.interval >= min_rtt) {
    sample.rate = Rate::of(sample.delivered, sample.interval);
    if (!sample.app_limited || sample.rate > rate_) rate_ = sample.rate;
  }
  return sample;
}

cc::Loss RateSampler::on_lost(std::uint64_t order, std::uint64_t bytes, Instant now) {
  lost_ += bytes;
  cc::Loss loss{.now = now, .bytes = bytes};
  if (const Note* const about = note(order)) {
    loss.flight_at_send = about->flight;
    loss.lost_since_send = lost_ - about->lost;
    loss.app_limited = about->app_limited;
  }
  return loss;
}

void RateSampler::forget_before(std::uint64_t order) {
  for (; first_order_ < order && !notes_.empty(); ++first_order_) notes_.pop_front();
}

}  // namespace braid::tcp
