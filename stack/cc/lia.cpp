#include "stack/cc/lia.h"

#include <algorithm>

namespace braid::cc {

Lia::Lia(std::uint32_t mss, CoupledGroup& group) : LossBased(mss), group_(group) {
  self_.window = cwnd();
  group_.join(self_);
}

Lia::~Lia() { group_.leave(self_); }

void Lia::observe(const Ack& ack) {
  const bool first_rtt = self_.rtt == Duration::zero() && ack.srtt != Duration::zero();
  self_.rtt = ack.srtt;
  self_.window = ack.cwnd_limited ? cwnd() : std::clamp(ack.prior_in_flight, mss(), cwnd());
  if (ack.round_ended || first_rtt) group_.changed();
}

void Lia::avoid(const Ack&, std::uint64_t bytes) {
  const double acked = static_cast<double>(bytes) * static_cast<double>(mss());
  const double alone = acked / static_cast<double>(cwnd());
  const std::uint64_t total = group_.total_window();
  const double coupled = total > 0 ? group_.alpha() * acked / static_cast<double>(total) : alone;
  // RFC 6356 3: never faster than one TCP would on this path, never standing still.
  grow(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::min(coupled, alone))));
  self_.window = cwnd();
}

std::uint64_t Lia::reduced(const Congestion& event) {
  return std::min(event.in_flight, cwnd()) / 2;
}

void Lia::on_congestion(const Congestion& event) {
  LossBased::on_congestion(event);
  tell_window();
}

void Lia::on_timeout(const Congestion& event) {
  LossBased::on_timeout(event);
  tell_window();
}

void Lia::undone() { tell_window(); }

// During fast recovery cwnd() is ssthresh already: what RFC 6356 wants the sum to be made of.
void Lia::tell_window() {
  self_.window = cwnd();
  group_.changed();
}

}  // namespace braid::cc
