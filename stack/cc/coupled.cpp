#include "stack/cc/coupled.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace braid::cc {

Coupled::Coupled(std::uint32_t mss, std::shared_ptr<CoupledGroup> group)
    : LossBased(mss), group_(std::move(group)) {
  self_.window = cwnd();
  group_->join(self_);
}

Coupled::~Coupled() { group_->leave(self_); }

void Coupled::observe(const Ack& ack) {
  const bool first_rtt = !self_.counts() && ack.srtt != Duration::zero();
  self_.rtt = ack.srtt;
  self_.window = ack.cwnd_limited ? cwnd() : std::clamp(ack.prior_in_flight, mss(), cwnd());
  run_ += ack.newly_delivered;
  self_.loss_run = std::max(run_, last_run_);
  if (ack.round_ended || first_rtt) group_->changed();
}

void Coupled::avoid(const Ack&, std::uint64_t bytes) {
  const double delivered = static_cast<double>(bytes);
  const double alone = delivered * static_cast<double>(mss()) / static_cast<double>(cwnd());
  // RFC 6356 3: never faster than one TCP would on this path.
  fraction_ += self_.counts() ? std::min(coupled_growth(delivered), alone) : alone;
  const double whole = std::floor(fraction_);
  fraction_ -= whole;
  if (whole >= 0) {
    grow(static_cast<std::uint64_t>(whole));
  } else {
    shrink(static_cast<std::uint64_t>(-whole));
  }
  self_.window = cwnd();
}

std::uint64_t Coupled::reduced(const Congestion& event) {
  return std::min(event.in_flight, cwnd()) / 2;
}

void Coupled::on_congestion(const Congestion& event) {
  LossBased::on_congestion(event);
  last_run_ = std::exchange(run_, 0);
  self_.loss_run = last_run_;
  tell_window();
}

void Coupled::on_timeout(const Congestion& event) {
  LossBased::on_timeout(event);
  last_run_ = std::exchange(run_, 0);
  self_.loss_run = last_run_;
  tell_window();
}

void Coupled::undone() { tell_window(); }

// During fast recovery cwnd() is ssthresh already: what RFC 6356 wants the sum to be made of.
void Coupled::tell_window() {
  fraction_ = 0;
  self_.window = cwnd();
  group_->changed();
}

}  // namespace braid::cc
