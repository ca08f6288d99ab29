#include "stack/cc/first_train.h"

#include <algorithm>

namespace braid::cc {

void FirstTrain::expect(std::uint64_t product, std::uint64_t window) {
  product_ = product;
  choose_step(window);
}

void FirstTrain::on_ack(const Ack& ack, std::uint64_t window) {
  if (ack.round_ended) return round_begins(ack, window);
  if (state_ == State::kSeen) return;
  ++acks_;
  bytes_ += ack.newly_delivered;
  last_ = ack.now;
}

void FirstTrain::round_begins(const Ack& ack, std::uint64_t window) {
  if (state_ == State::kWatching) {
    if (acks_ >= kLeastAcks) product_ = Rate::of(bytes_, last_ - first_).bytes_in(ack.min_rtt);
    if (acks_ >= kLeastAcks || window > initial_window_) state_ = State::kSeen;
    first_ = ack.now;
    acks_ = 0;
    bytes_ = 0;
  }
  choose_step(window);
}

void FirstTrain::choose_step(std::uint64_t window) {
  const double to_half = static_cast<double>(product_) / 2 / static_cast<double>(window);
  step_ = std::clamp(to_half, kUsualStep, kLargestStep);
}

}  // namespace braid::cc
