#include "stack/tcp/rtt.h"

#include <algorithm>

namespace braid::tcp {

void Rtt::sample(Duration rtt) {
  rtt = std::max<Duration>(rtt, 1us);
  if (!has_sample()) {  // RFC 6298 2.2
    srtt_ = rtt;
    rttvar_ = rtt / 2;
    return;
  }
  const Duration error = rtt > srtt_ ? rtt - srtt_ : srtt_ - rtt;
  rttvar_ += (error - rttvar_) / 4;  // RFC 6298 2.3: rttvar before srtt
  srtt_ += (rtt - srtt_) / 8;
}

void Rtt::sample_minimum(Duration rtt, Instant now) {
  latest_ = std::max<Duration>(rtt, 1us);
  last_epoch_ = now.time_since_epoch() / (kMinWindow / kSlots);
  Slot& slot = slots_[static_cast<std::size_t>(last_epoch_) % kSlots];
  if (slot.epoch != last_epoch_) {
    slot = {.epoch = last_epoch_, .minimum = latest_};
  } else {
    slot.minimum = std::min(slot.minimum, latest_);
  }
}

Duration Rtt::min_rtt() const {
  Duration minimum = Duration::max();
  for (const Slot& slot : slots_) {
    const bool inside = slot.epoch >= 0 && slot.epoch > last_epoch_ - std::int64_t{kSlots};
    if (inside) minimum = std::min(minimum, slot.minimum);
  }
  return minimum == Duration::max() ? Duration::zero() : minimum;
}

Duration Rtt::timeout() const {
  if (!has_sample()) return initial_;
  return std::min(srtt_ + std::max(4 * rttvar_, kVarianceFloor), kMaxTimeout);
}

}  // namespace braid::tcp
