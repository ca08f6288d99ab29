#include "stack/cc/first_train.h"

#include <algorithm>
#include <utility>

namespace braid::cc {

void FirstTrain::on_ack(const Ack& ack, std::uint64_t window) {
  if (ack.round_ended) round_begins(ack, window);
  look_for_queue(ack, window);
  if (state_ == State::kSeen) return;
  const auto bytes = static_cast<std::uint32_t>(ack.newly_delivered);
  flight_ += bytes;
  if (ack.round_ended) return;
  ++acks_;
  bytes_ += bytes;
  last_ = ack.now;
  if (window_ == 0 || flight_ < window_ || acks_ < kLeastAcks) return;
  judge(ack);
  const float missed = step_from(window_) - kUsualStep;
  owed_ = static_cast<std::uint32_t>(static_cast<float>(window_) * missed);
}

void FirstTrain::round_begins(const Ack& ack, std::uint64_t window) {
  if (state_ == State::kWatching) {
    if (acks_ >= kLeastAcks) judge(ack);
    if (window > initial_window_) state_ = State::kSeen;
    first_ = ack.now;
    acks_ = 0;
    bytes_ = 0;
    flight_ = 0;
    window_ = static_cast<std::uint32_t>(window);
  }
  owed_ = 0;
  step_ = step_from(window);
}

void FirstTrain::judge(const Ack& ack) {
  product_ = Rate::of(bytes_, last_ - first_).bytes_in(ack.min_rtt);
  state_ = State::kSeen;
}

float FirstTrain::step_from(std::uint64_t window) const {
  const float to_half = static_cast<float>(product_) / 2 / static_cast<float>(window);
  return std::clamp(to_half, kUsualStep, kLargestStep);
}

void FirstTrain::look_for_queue(const Ack& ack, std::uint64_t window) {
  if (ack.latest_rtt > Duration::zero()) {
    const bool queue = ack.latest_rtt > ack.min_rtt + ack.min_rtt / kQueuePart;
    room_ = queue ? room_beside(window) : Room::kUnknown;
  }
  if (queued_round_ == QueuedRound::kSeen) return;
  if (ack.round_ended) {
    queued_round_ = queued_round_ == QueuedRound::kSoFar ? QueuedRound::kSeen : QueuedRound::kSoFar;
  }
  if (room_ == Room::kUnknown && queued_round_ == QueuedRound::kSoFar) {
    queued_round_ = QueuedRound::kNo;
  }
}

// Where there is a queue.
FirstTrain::Room FirstTrain::room_beside(std::uint64_t window) const {
  if (product_ == 0 || window <= product_ + product_ / kGrowthDivisor) return Room::kUnknown;
  return window <= kMostFilled * product_ ? Room::kLittle : Room::kNone;
}

std::uint64_t FirstTrain::growth(std::uint64_t delivered) {
  const std::uint64_t owed = std::exchange(owed_, 0);
  switch (room_) {
    case Room::kNone: return 0;
    case Room::kLittle: return delivered / kGrowthDivisor;
    case Room::kUnknown: break;
  }
  return static_cast<std::uint64_t>(static_cast<float>(delivered) * (step_ - 1)) + owed;
}

}  // namespace braid::cc
