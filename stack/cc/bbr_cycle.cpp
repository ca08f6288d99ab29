// Bbr: the states, and when one gives way to the next.
#include <algorithm>

#include "stack/cc/bbr.h"

namespace braid::cc {
namespace {

constexpr double kLossThreshold = 0.02;
constexpr std::uint32_t kStartupLossEvents = 6;  // separate holes in one round
constexpr std::uint64_t kMostRenoRounds = 63;
constexpr Duration kLeastProbeWait = 2s;
constexpr Duration kProbeRttDuration = 200ms;

// What looks like chance and depends on its input alone.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

bool Bbr::in_probe_bw() const {
  return state_ == State::kDown || state_ == State::kCruise || state_ == State::kRefill ||
         state_ == State::kUp;
}

void Bbr::check_startup_done() {
  if (state_ != State::kStartup) return;
  // Too much loss over a whole round in recovery: the pipe is more than full.
  const double answered = static_cast<double>(delivered_ - delivered_at_round_ + lost_in_round_);
  const bool lossy = round_started_ && recovery_all_round_ &&
                     loss_events_in_round_ >= kStartupLossEvents &&
                     static_cast<double>(lost_in_round_) > kLossThreshold * answered;
  if (lossy && !full_bandwidth_reached_) {
    full_bandwidth_reached_ = true;
    inflight_hi_ = std::max(product(1), inflight_latest_);
  }
  if (full_bandwidth_reached_) state_ = State::kDrain;
}

void Bbr::check_drain_done(const Ack& ack) {
  if (state_ == State::kDrain && ack.in_flight <= target_flight(1)) start_down(ack.now);
}

void Bbr::update_cycle(const Ack& ack) {
  if (!full_bandwidth_reached_) return;
  update_upper_bounds(ack);
  switch (state_) {
    case State::kDown:
      if (time_to_probe(ack.now)) {
        start_refill();
      } else if (ack.in_flight <= flight_with_headroom() && ack.in_flight <= target_flight(1)) {
        state_ = State::kCruise;
      }
      break;
    case State::kCruise:
      if (time_to_probe(ack.now)) start_refill();
      break;
    case State::kRefill:
      if (round_started_) {
        probe_samples_ = true;
        start_up(ack);
      }
      break;
    case State::kUp:
      if (time_to_go_down(ack)) start_down(ack.now);
      break;
    case State::kStartup:
    case State::kDrain:
    case State::kProbeRtt: break;
  }
}

// By the clock, or as soon as a Reno flow would have come back to this window: whoever shares the
// bottleneck with one does not probe more often than it.
bool Bbr::time_to_probe(Instant now) const {
  const std::uint64_t reno_rounds = std::min(target_flight() / mss_, kMostRenoRounds);
  return now > cycle_started_ + probe_wait_ || rounds_since_probe_ >= reno_rounds;
}

bool Bbr::time_to_go_down(const Ack& ack) {
  if (ack.cwnd_limited && cwnd_ >= inflight_hi_) {
    // It is our own bound that holds the rate back: no proof that the pipe is full.
    reset_full_bandwidth(static_cast<double>(ack.sample.rate.bytes_per_second()));
    return false;
  }
  return full_bandwidth_now_;
}

void Bbr::start_down(Instant now) {
  loss_in_round_ = false;
  bandwidth_latest_ = 0;
  inflight_latest_ = 0;
  up_step_ = kUnlimited;
  const std::uint64_t chance =
      mixed(delivered_ + static_cast<std::uint64_t>(now.time_since_epoch().count()));
  rounds_since_probe_ = chance & 1;
  probe_wait_ = kLeastProbeWait + Duration(std::chrono::milliseconds((chance >> 1) % 1000));
  cycle_started_ = now;
  ack_phase_ = AckPhase::kStopping;
  start_round();
  state_ = State::kDown;
}

void Bbr::start_refill() {
  reset_lower_bounds();
  up_rounds_ = 0;
  up_delivered_ = 0;
  ack_phase_ = AckPhase::kRefilling;
  start_round();
  state_ = State::kRefill;
}

void Bbr::start_up(const Ack& ack) {
  ack_phase_ = AckPhase::kStarting;
  start_round();
  reset_full_bandwidth(static_cast<double>(ack.sample.rate.bytes_per_second()));
  cycle_started_ = ack.now;
  state_ = State::kUp;
  raise_slope();
}

void Bbr::check_probe_rtt(const Ack& ack) {
  if (state_ != State::kProbeRtt && recent_min_rtt_expired_ && !idle_restart_) {
    saved_cwnd_ = was_in_recovery_ ? std::max(saved_cwnd_, cwnd_) : cwnd_;
    state_ = State::kProbeRtt;
    probe_rtt_done_.reset();
    ack_phase_ = AckPhase::kStopping;
    start_round();
  }
  if (ack.sample.delivered > 0) idle_restart_ = false;
  if (state_ != State::kProbeRtt) return;
  if (!probe_rtt_done_) {
    if (ack.in_flight > probe_rtt_window()) return;
    probe_rtt_done_ = ack.now + kProbeRttDuration;
    probe_rtt_round_done_ = false;
    start_round();
    return;
  }
  probe_rtt_round_done_ |= round_started_;
  if (probe_rtt_round_done_ && ack.now > *probe_rtt_done_) leave_probe_rtt(ack.now);
}

void Bbr::leave_probe_rtt(Instant now) {
  recent_min_rtt_at_ = now;
  cwnd_ = std::max(cwnd_, saved_cwnd_);
  reset_lower_bounds();
  if (full_bandwidth_reached_) {
    start_down(now);
    state_ = State::kCruise;
  } else {
    state_ = State::kStartup;
  }
}

}  // namespace braid::cc
