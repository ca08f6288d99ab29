#include "stack/cc/cubic.h"

#include <algorithm>
#include <cmath>

namespace braid::cc {

void Cubic::observe(const Ack& ack) {
  // RFC 9438 5.8: time in which the application was the limit does not count.
  if (epoch_ && !ack.cwnd_limited) epoch_->start += ack.now - last_ack_;
  last_ack_ = ack.now;
}

void Cubic::begin_epoch(Instant now) {
  const double window = segments(cwnd());
  Epoch epoch{.start = now, .origin = window, .reno = window, .before = window};
  epoch.share = share(now);
  if (w_max_ > window) {
    epoch.origin = w_max_;
    epoch.k = std::cbrt((w_max_ - window) / steepness(epoch.share));
    epoch.before = before_;
  }
  epoch_ = epoch;
}

void Cubic::avoid(const Ack& ack, std::uint64_t bytes) {
  if (!epoch_ || epoch_->share != share(ack.now)) begin_epoch(ack.now);
  const double window = segments(cwnd());
  const double acked = segments(bytes);
  const auto curve = [this](double t) {
    const double from_origin = t - epoch_->k;
    const double c = steepness(epoch_->share);
    return c * from_origin * from_origin * from_origin + epoch_->origin;
  };
  const double t = to_seconds(ack.now - epoch_->start);

  // 4.3: Reno-friendly, with the growth that makes up for the gentler decrease until it is made up.
  const double alpha = epoch_->reno < epoch_->before ? 3 * (1 - kBeta) / (1 + kBeta) : 1.0;
  epoch_->reno += alpha * epoch_->share * epoch_->share * acked / window;

  double growth = 0;  // segments
  if (curve(t) < epoch_->reno) {
    growth = std::max(0.0, epoch_->reno - window);
  } else {
    // 4.4, 4.5: towards where the curve is one RTT from now, at most half as much again per RTT.
    const double target = std::clamp(curve(t + to_seconds(ack.srtt)), window, 1.5 * window);
    growth = (target - window) / window * acked;
  }
  fraction_ += growth * static_cast<double>(mss());
  const auto whole = static_cast<std::uint64_t>(fraction_);
  fraction_ -= static_cast<double>(whole);
  grow(whole);
}

// 4.6 with cwnd in place of the flight size: our windows grow only while they are used.
std::uint64_t Cubic::reduced(const Congestion& event) {
  saved_ = {.epoch = epoch_, .w_max = w_max_, .before = before_};
  const double window = segments(cwnd());
  // 4.7, fast convergence: a flow that did not come back to its last maximum gives up some of it.
  // A queue of our own is no sign of anybody who would take it.
  const double beta = left_by(event);
  const bool gives_up = window < w_max_ && event.kind != CongestionKind::kQueue;
  w_max_ = gives_up ? window * (1 + beta) / 2 : window;
  before_ = window;
  fraction_ = 0;
  epoch_.reset();
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(cwnd()) * beta));
}

void Cubic::timed_out() { w_max_ = 0; }  // 4.8: K is 0 when slow start has ended

void Cubic::undone() {
  epoch_ = saved_.epoch;
  w_max_ = saved_.w_max;
  before_ = saved_.before;
}

void Cubic::begin_anew() {
  epoch_.reset();
  w_max_ = 0;
}

void Cubic::was_idle(Duration idle) {
  if (epoch_) epoch_->start += idle;
  last_ack_ += idle;
}

}  // namespace braid::cc
