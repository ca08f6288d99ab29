#include "stack/cc/hystart.h"

#include <algorithm>

namespace braid::cc {

void HyStart::on_ack(const Ack& ack, std::uint64_t mss) {
  if (ack.round_ended) round_begins();
  if (ack.latest_rtt <= Duration::zero()) return;
  current_min_ = std::min(current_min_, ack.latest_rtt);
  const std::uint64_t acks =
      std::max<std::uint64_t>(ack.newly_delivered / (kSegmentsPerAck * mss), 1);
  samples_ += static_cast<std::uint32_t>(std::min<std::uint64_t>(acks, kSamples));
  if (samples_ < kSamples) return;
  if (conservative_) {
    if (current_min_ < baseline_) conservative_ = false;  // a false alarm
    return;
  }
  if (last_min_ == Duration::max()) return;
  const Duration rise = std::clamp<Duration>(last_min_ / 8, kMinRise, kMaxRise);
  if (current_min_ >= last_min_ + rise) {
    conservative_ = true;
    baseline_ = current_min_;
    rounds_left_ = kConservativeRounds;
  }
}

void HyStart::round_begins() {
  if (conservative_ && rounds_left_ > 0) --rounds_left_;
  last_min_ = current_min_;
  current_min_ = Duration::max();
  samples_ = 0;
}

}  // namespace braid::cc
