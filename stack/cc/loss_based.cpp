#include "stack/cc/loss_based.h"

#include <algorithm>
#include <utility>

namespace braid::cc {

LossBased::LossBased(std::uint32_t mss) : mss_(mss), cwnd_(initial_window()) {}

// RFC 6928: the initial window is ten segments of the size the SYNs agreed on.
void LossBased::set_mss(std::uint32_t mss) {
  const bool untouched = cwnd_ == initial_window() && ssthresh_ == kUnlimited;
  mss_ = mss;
  cwnd_ = untouched ? initial_window() : std::max(cwnd_, mss_);
}

void LossBased::on_ack(const Ack& ack) {
  observe(ack);
  if (ack.in_recovery) return;
  std::uint64_t bytes = ack.newly_delivered;
  if (in_slow_start()) {
    // RFC 9406 4.3: only in the first slow start; later ones end at a threshold that was found out.
    const bool first = ssthresh_ == kUnlimited;
    if (first) hystart_.on_ack(ack, mss_);
    if (!ack.cwnd_limited) return;
    const std::uint64_t growth = first ? hystart_.growth(first_growth(bytes)) : bytes;
    if (first && (hystart_.finished() || path_is_full())) {
      ssthresh_ = cwnd_;
    } else if (growth < ssthresh_ - cwnd_) {
      cwnd_ += growth;
      return;
    } else {
      bytes = growth - (ssthresh_ - cwnd_);
      cwnd_ = ssthresh_;
    }
  }
  if (ack.cwnd_limited && bytes > 0) avoid(ack, bytes);
}

void LossBased::shrink(std::uint64_t bytes) {
  const std::uint64_t floor = std::min(cwnd_, kMinimumSegments * mss_);
  cwnd_ = std::max(floor, cwnd_ - std::min(bytes, cwnd_));
}

void LossBased::reduce(const Congestion& event) {
  before_ = {.cwnd = cwnd_, .ssthresh = ssthresh_};
  ssthresh_ = std::max(reduced(event), kMinimumSegments * mss_);
}

void LossBased::on_congestion(const Congestion& event) {
  reduce(event);
  cwnd_ = ssthresh_;
}

void LossBased::on_timeout(const Congestion& event) {
  reduce(event);
  cwnd_ = mss_;
  hystart_ = HyStart();
  timed_out();
}

void LossBased::undo() {
  const Windows before = std::exchange(before_, {});
  if (before.cwnd == 0) return;
  cwnd_ = std::max(cwnd_, before.cwnd);
  ssthresh_ = std::max(ssthresh_, before.ssthresh);
  undone();
}

void LossBased::on_idle(Duration idle, Duration rto) {
  const std::uint64_t floor = std::min(initial_window(), cwnd_);
  if (cwnd_ > floor && ssthresh_ != kUnlimited) ssthresh_ = std::max(ssthresh_, cwnd_ / 4 * 3);
  for (Duration left = idle; left > rto && cwnd_ > floor; left -= rto) {
    cwnd_ = std::max(cwnd_ / 2, floor);
  }
  was_idle(idle);
}

Rate LossBased::pacing_rate(Duration srtt) const {
  if (srtt <= Duration::zero()) return Rate();
  // Headroom over cwnd per RTT, so that pacing never is what limits: twice while the window may
  // double within the round trip.
  const std::uint64_t headroom = in_slow_start() ? cwnd_ * 2 : cwnd_ * 6 / 5;
  return Rate::of(headroom, srtt);
}

}  // namespace braid::cc
