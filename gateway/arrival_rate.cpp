#include "gateway/arrival_rate.h"

#include <algorithm>

namespace braid::gateway {

void ArrivalRate::arrived(std::uint64_t bytes, std::uint32_t piece, Instant now) {
  if (bytes == 0) return;  // pure ACKs keep their own time
  const std::uint64_t tail = piece == 0 ? bytes : bytes % piece;
  count(bytes, now);
  if (tail > 0 && tail < kFullSegment) train_began_ = Instant::min();
}

void ArrivalRate::count(std::uint64_t bytes, Instant now) {
  const bool paused = train_began_ == Instant::min() || now - last_came_ > kPause;
  last_came_ = now;
  if (paused) {
    train_began_ = now;
    train_bytes_ = 0;
    return;
  }
  train_bytes_ += bytes;
  const Duration time = now - train_began_;
  if (train_bytes_ < kLeastBytes || time < kLeastTime) return;
  note(Rate::of(train_bytes_, time), now);
  train_began_ = now;
  train_bytes_ = 0;
}

void ArrivalRate::note(Rate rate, Instant now) {
  if (now - epoch_ > kMemory / 2) {
    former_best_ = now - epoch_ > kMemory ? Rate() : best_;
    best_ = Rate();
    epoch_ = now;
  }
  best_ = std::max(best_, rate);
}

Rate ArrivalRate::rate(Instant now) const {
  if (now - epoch_ > kMemory) return Rate();
  return now - epoch_ > kMemory / 2 ? best_ : std::max(best_, former_best_);
}

}  // namespace braid::gateway
