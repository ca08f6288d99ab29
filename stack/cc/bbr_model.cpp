// Bbr: what the path can do: bandwidth, least RTT, and how much in flight it takes.
#include <algorithm>

#include "stack/cc/bbr.h"

namespace braid::cc {
namespace {

constexpr double kBeta = 0.7;            // what remains of a bound after loss
constexpr double kLossThreshold = 0.02;  // of a flight
constexpr double kHeadroom = 0.15;       // of inflight_hi, left to others while cruising
constexpr double kFullGrowth = 1.25;
constexpr std::uint32_t kFullRounds = 3;
constexpr std::uint64_t kLeastSegments = 4;
constexpr std::uint64_t kAggregationRounds = 5;  // per half of the filter
constexpr std::uint32_t kMostUpRounds = 30;
constexpr Duration kMinRttWindow = 10s;
constexpr Duration kProbeRttInterval = 5s;
constexpr std::int64_t kMatch = 64;  // this part more is the same RTT

}  // namespace

double Bbr::max_bandwidth() const { return std::max(bandwidth_[0], bandwidth_[1]); }

double Bbr::bandwidth() const {
  return bandwidth_lo_ > 0 ? std::min(max_bandwidth(), bandwidth_lo_) : max_bandwidth();
}

std::uint64_t Bbr::least_window() const { return kLeastSegments * mss_; }

std::uint64_t Bbr::product(double gain) const {
  if (min_rtt_ == Duration::max() || max_bandwidth() == 0) {
    return static_cast<std::uint64_t>(gain * 10 * static_cast<double>(mss_));
  }
  return static_cast<std::uint64_t>(gain * bandwidth() * to_seconds(min_rtt_));
}

// Bursts of a millisecond need room: some are being sent, in flight, and being answered.
std::uint64_t Bbr::target_flight(double gain) const {
  const auto burst = static_cast<std::uint64_t>(pacing_rate_ * 0.001);
  const std::uint64_t quantum = std::clamp<std::uint64_t>(burst, 2 * mss_, 65536);
  std::uint64_t flight = std::max({product(gain), 3 * quantum, least_window()});
  if (state_ == State::kUp) flight += 2 * mss_;
  return flight;
}

std::uint64_t Bbr::target_flight() const { return std::min(product(1), cwnd_); }

std::uint64_t Bbr::flight_with_headroom() const {
  if (inflight_hi_ == kUnlimited) return kUnlimited;
  const auto share = static_cast<std::uint64_t>(kHeadroom * static_cast<double>(inflight_hi_));
  const std::uint64_t headroom = std::max(share, mss_);
  return std::max(inflight_hi_ - std::min(headroom, inflight_hi_), least_window());
}

std::uint64_t Bbr::probe_rtt_window() const { return std::max(product(0.5), least_window()); }

bool Bbr::probing() const {
  return state_ == State::kStartup || state_ == State::kRefill || state_ == State::kUp;
}

void Bbr::update_round(const Ack& ack) {
  round_started_ = false;
  loss_round_started_ = false;
  const RateSample& sample = ack.sample;
  if (sample.delivered == 0) return;
  if (sample.prior_delivered >= next_round_) {
    start_round();
    ++round_;
    ++rounds_since_probe_;
    round_started_ = true;
  }
  bandwidth_latest_ =
      std::max(bandwidth_latest_, static_cast<double>(sample.rate.bytes_per_second()));
  inflight_latest_ = std::max(inflight_latest_, sample.delivered);
  if (sample.prior_delivered >= next_loss_round_) {
    next_loss_round_ = delivered_;
    loss_round_started_ = true;
  }
}

void Bbr::update_bandwidth(const Ack& ack) {
  const double rate = static_cast<double>(ack.sample.rate.bytes_per_second());
  if (rate > 0 && (rate >= max_bandwidth() || !ack.sample.app_limited)) {
    bandwidth_[1] = std::max(bandwidth_[1], rate);
  }
}

// Loss while not probing: what was delivered in this round is what there is for now.
void Bbr::update_lower_bounds(const Ack&) {
  if (!loss_round_started_) return;
  if (loss_in_round_ && !probing()) {
    if (bandwidth_lo_ == 0) bandwidth_lo_ = max_bandwidth();
    if (inflight_lo_ == kUnlimited) inflight_lo_ = cwnd_;
    bandwidth_lo_ = std::max(bandwidth_latest_, kBeta * bandwidth_lo_);
    const auto kept = static_cast<std::uint64_t>(kBeta * static_cast<double>(inflight_lo_));
    inflight_lo_ = std::max(inflight_latest_, kept);
  }
  loss_in_round_ = false;
}

void Bbr::reset_lower_bounds() {
  bandwidth_lo_ = 0;
  inflight_lo_ = kUnlimited;
}

// How much more is delivered at once than the bandwidth explains: the window needs that on top.
void Bbr::update_aggregation(const Ack& ack) {
  const double expected = bandwidth() * to_seconds(ack.now - extra_since_);
  std::uint64_t explained = static_cast<std::uint64_t>(std::max(0.0, expected));
  if (extra_delivered_ <= explained) {
    extra_delivered_ = 0;
    extra_since_ = ack.now;
    explained = 0;
  }
  extra_delivered_ += ack.newly_delivered;
  const std::uint64_t extra = std::min(extra_delivered_ - explained, cwnd_);
  const std::uint64_t rounds = full_bandwidth_reached_ ? kAggregationRounds : 1;
  if (round_ >= extra_[1].round + rounds) {
    extra_[0] = extra_[1];
    extra_[1] = {.round = round_, .bytes = 0};
  }
  extra_[1].bytes = std::max(extra_[1].bytes, extra);
}

void Bbr::reset_full_bandwidth(double bandwidth) {
  full_bandwidth_ = bandwidth;
  full_bandwidth_rounds_ = 0;
  full_bandwidth_now_ = false;
}

void Bbr::update_full_bandwidth(const Ack& ack) {
  if (full_bandwidth_now_ || ack.sample.app_limited) return;
  const double rate = static_cast<double>(ack.sample.rate.bytes_per_second());
  if (rate >= full_bandwidth_ * kFullGrowth && rate > 0) {
    reset_full_bandwidth(rate);
    return;
  }
  if (!round_started_) return;
  full_bandwidth_now_ = ++full_bandwidth_rounds_ >= kFullRounds;
  full_bandwidth_reached_ |= full_bandwidth_now_;
}

void Bbr::update_upper_bounds(const Ack& ack) {
  if (ack_phase_ == AckPhase::kStarting && round_started_) ack_phase_ = AckPhase::kFeedback;
  if (ack_phase_ == AckPhase::kStopping && round_started_) {
    probe_samples_ = false;
    ack_phase_ = AckPhase::kNone;
    // A cycle is over: its bandwidth counts for one more.
    if (in_probe_bw() && !ack.sample.app_limited && bandwidth_[1] > 0) {
      bandwidth_ = {bandwidth_[1], 0};
    }
  }
  const RateSample& sample = ack.sample;
  const double limit = kLossThreshold * static_cast<double>(sample.flight_at_send);
  if (sample.delivered > 0 && static_cast<double>(sample.lost) > limit) {
    if (probe_samples_) flight_too_high(sample.flight_at_send, sample.app_limited, ack.now);
    return;
  }
  if (inflight_hi_ == kUnlimited) return;
  inflight_hi_ = std::max(inflight_hi_, sample.flight_at_send);
  if (state_ == State::kUp) raise_upper_bound(ack);
}

void Bbr::flight_too_high(std::uint64_t flight, bool app_limited, Instant now) {
  probe_samples_ = false;
  if (!app_limited) {
    const auto kept = static_cast<std::uint64_t>(kBeta * static_cast<double>(target_flight()));
    inflight_hi_ = std::max({flight, kept, least_window()});
  }
  if (state_ == State::kUp) start_down(now);
}

// Growth that doubles with each round of probing: 1, 2, 4, ... segments.
void Bbr::raise_slope() {
  const std::uint64_t growth = std::uint64_t{1} << up_rounds_;
  up_rounds_ = std::min(up_rounds_ + 1, kMostUpRounds);
  up_step_ = std::max(cwnd_ / growth, mss_);
}

void Bbr::raise_upper_bound(const Ack& ack) {
  if (!ack.cwnd_limited || cwnd_ < inflight_hi_) return;
  up_delivered_ += ack.newly_delivered;
  if (up_delivered_ >= up_step_) {
    const std::uint64_t steps = up_delivered_ / up_step_;
    up_delivered_ -= steps * up_step_;
    inflight_hi_ += steps * mss_;
  }
  if (round_started_) raise_slope();
}

void Bbr::update_min_rtt(const Ack& ack) {
  recent_min_rtt_expired_ =
      recent_min_rtt_ != Duration::max() && ack.now > recent_min_rtt_at_ + kProbeRttInterval;
  const Duration rtt = ack.latest_rtt;
  if (rtt > Duration::zero() && (rtt < recent_min_rtt_ || recent_min_rtt_expired_)) {
    recent_min_rtt_ = rtt;
    recent_min_rtt_at_ = ack.now;
  } else if (rtt > Duration::zero() && rtt <= recent_min_rtt_ + recent_min_rtt_ / kMatch) {
    // Ours: the least RTT was met again, but for a packet's time on the wire. The path shows by
    // itself that there is no queue, and need not be left idle to prove it.
    recent_min_rtt_at_ = ack.now;
  }
  const bool expired = ack.now > min_rtt_at_ + kMinRttWindow;
  if (recent_min_rtt_ < min_rtt_ || expired) {
    min_rtt_ = recent_min_rtt_;
    min_rtt_at_ = recent_min_rtt_at_;
  }
}

}  // namespace braid::cc
