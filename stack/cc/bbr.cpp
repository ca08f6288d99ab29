// Bbr: what is done per ACK, and what comes out of it: a window and a rate.
#include "stack/cc/bbr.h"

#include <algorithm>

namespace braid::cc {
namespace {

constexpr std::uint64_t kInitialSegments = 10;  // RFC 6928
constexpr double kStartupGain = 2.773;          // 4 ln 2: the least that doubles the rate per round
constexpr double kPacingMargin = 0.99;          // a little less than the path takes, for its queue

}  // namespace

Bbr::Bbr(std::uint32_t mss) : mss_(mss), cwnd_(kInitialSegments * mss) {}

void Bbr::set_mss(std::uint32_t mss) {
  const bool untouched = cwnd_ == kInitialSegments * mss_ && delivered_ == 0;
  mss_ = mss;
  cwnd_ = untouched ? kInitialSegments * mss_ : std::max(cwnd_, mss_);
}

void Bbr::on_ack(const Ack& ack) {
  delivered_ = ack.total_delivered;
  if (was_in_recovery_ && !ack.in_recovery && !ack.after_timeout) {
    cwnd_ = std::max(cwnd_, saved_cwnd_);
  }
  was_in_recovery_ = ack.in_recovery || ack.after_timeout;
  update_round(ack);
  update_bandwidth(ack);
  update_lower_bounds(ack);
  update_aggregation(ack);
  update_full_bandwidth(ack);
  check_startup_done();
  check_drain_done(ack);
  update_cycle(ack);
  update_min_rtt(ack);
  check_probe_rtt(ack);
  if (loss_round_started_) {
    bandwidth_latest_ = static_cast<double>(ack.sample.rate.bytes_per_second());
    inflight_latest_ = ack.sample.delivered;
  }
  if (round_started_) {
    loss_events_in_round_ = 0;
    lost_in_round_ = 0;
    delivered_at_round_ = delivered_;
    recovery_all_round_ = ack.in_recovery;
  }
  recovery_all_round_ = recovery_all_round_ && ack.in_recovery;
  set_pacing_rate();
  set_cwnd(ack);
}

void Bbr::on_loss(const Loss& loss) {
  loss_in_round_ = true;
  ++loss_events_in_round_;
  lost_in_round_ += loss.bytes;
  if (!probe_samples_ || loss.flight_at_send == 0) return;
  const double flight = static_cast<double>(loss.flight_at_send);
  const double lost = static_cast<double>(loss.lost_since_send);
  constexpr double kThreshold = 0.02;
  if (lost <= kThreshold * flight) return;
  // Where within this transmission the threshold was passed: that is what the path still took.
  const double bytes = static_cast<double>(loss.bytes);
  const double before = std::max(0.0, flight - bytes);
  const double prefix = (kThreshold * before - (lost - bytes)) / (1 - kThreshold);
  const double fits = std::clamp(before + prefix, 0.0, flight);
  flight_too_high(static_cast<std::uint64_t>(fits), loss.app_limited, loss.now);
}

void Bbr::on_congestion(const Congestion& event) {
  save_window();
  if (event.kind != CongestionKind::kEcn) return;
  // RFC 3168 5: as to a loss, and to one that is too much.
  if (state_ == State::kStartup) full_bandwidth_reached_ = true;
  const double keep = 0.7;
  const auto kept = static_cast<std::uint64_t>(static_cast<double>(cwnd_) * keep);
  inflight_lo_ = std::max(least_window(), std::min(inflight_lo_, kept));
  bandwidth_lo_ = keep * bandwidth();
  if (probe_samples_) flight_too_high(event.in_flight, false, event.now);
  cwnd_ = std::min(cwnd_, window_cap());
}

void Bbr::on_timeout(const Congestion&) {
  save_window();
  if (!probing() && inflight_lo_ == kUnlimited) inflight_lo_ = cwnd_;
  // Nothing is in flight any more: the window comes back as what is sent now is delivered.
  cwnd_ = mss_;
}

void Bbr::save_window() {
  undo_ = {.cwnd = cwnd_,
           .bandwidth_lo = bandwidth_lo_,
           .inflight_lo = inflight_lo_,
           .inflight_hi = inflight_hi_};
  const bool full = !was_in_recovery_ && state_ != State::kProbeRtt;
  saved_cwnd_ = full ? cwnd_ : std::max(saved_cwnd_, cwnd_);
}

void Bbr::undo() {
  if (!undo_) return;
  cwnd_ = std::max(cwnd_, undo_->cwnd);
  bandwidth_lo_ = undo_->bandwidth_lo == 0 ? 0 : std::max(bandwidth_lo_, undo_->bandwidth_lo);
  inflight_lo_ = std::max(inflight_lo_, undo_->inflight_lo);
  inflight_hi_ = std::max(inflight_hi_, undo_->inflight_hi);
  loss_in_round_ = false;
  reset_full_bandwidth(0);
  undo_.reset();
}

void Bbr::on_idle(Duration, Duration) {
  idle_restart_ = true;
  extra_delivered_ = 0;
  if (in_probe_bw()) pacing_rate_ = bandwidth() * kPacingMargin;
}

double Bbr::pacing_gain() const {
  switch (state_) {
    case State::kStartup: return kStartupGain;
    case State::kDrain: return 0.5;
    case State::kDown: return 0.9;
    case State::kUp: return 1.25;
    case State::kCruise:
    case State::kRefill:
    case State::kProbeRtt: break;
  }
  return 1;
}

double Bbr::cwnd_gain() const {
  if (state_ == State::kProbeRtt) return 0.5;
  return state_ == State::kUp ? 2.25 : 2;
}

void Bbr::set_pacing_rate() {
  const double rate = pacing_gain() * bandwidth() * kPacingMargin;
  if (full_bandwidth_reached_ || rate > pacing_rate_) pacing_rate_ = rate;
}

Rate Bbr::pacing_rate(Duration srtt) const {
  if (srtt <= Duration::zero()) return Rate();
  const double first = kStartupGain * static_cast<double>(cwnd_) / to_seconds(srtt);
  const double rate = bandwidth() > 0 ? pacing_rate_ : first;
  return Rate::bytes_per_second(std::max<std::uint64_t>(static_cast<std::uint64_t>(rate), mss_));
}

void Bbr::set_cwnd(const Ack& ack) {
  std::uint64_t extra = std::max(extra_[0].bytes, extra_[1].bytes);
  if (!full_bandwidth_reached_) extra = extra_[1].bytes;
  const std::uint64_t most = target_flight(cwnd_gain()) + extra;
  if (full_bandwidth_reached_) {
    cwnd_ = std::min(cwnd_ + ack.newly_delivered, most);
  } else if (cwnd_ < most || cwnd_ < 2 * kInitialSegments * mss_) {
    cwnd_ += ack.newly_delivered;
  }
  // After a timeout the window is what was delivered since: no model lifts it.
  if (!ack.after_timeout) cwnd_ = std::max(cwnd_, least_window());
  cwnd_ = std::max(std::min(cwnd_, window_cap()), mss_);
  if (state_ == State::kProbeRtt) cwnd_ = std::min(cwnd_, probe_rtt_window());
}

std::uint64_t Bbr::window_cap() const {
  std::uint64_t cap = kUnlimited;
  if (state_ == State::kCruise || state_ == State::kProbeRtt) {
    cap = flight_with_headroom();
  } else if (in_probe_bw()) {
    cap = inflight_hi_;
  }
  return std::max(std::min(cap, inflight_lo_), least_window());
}

}  // namespace braid::cc
