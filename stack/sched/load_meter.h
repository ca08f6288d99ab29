// LoadMeter: what one link carries in one direction, and what it has shown it can carry.
//
// Bytes are counted as they pass and judged at regular ticks. The rate is smoothed over about half
// a second. What the link can carry is the best rate of the last minute at which it was full;
// unknown as long as it never was.
#pragma once

#include <algorithm>
#include <cstdint>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::sched {

class LoadMeter {
 public:
  static constexpr Duration kTick = 100ms;
  enum class Full : std::uint8_t { kNo, kYes };

  // Called every kTick or so with the bytes carried since the last call. kYes: more was waiting
  // than it took.
  void tick(std::uint64_t bytes, Full full, Instant now) {
    const Duration span = now - last_tick_;
    last_tick_ = now;
    if (span <= Duration::zero()) return;
    // After a pause nothing is known but the average; a first tick tells nothing at all.
    if (span > kLongestTick) {
      rate_ = Rate();
      return;
    }
    const auto sample = static_cast<double>(Rate::of(bytes, span).bytes_per_second());
    const auto old = static_cast<double>(rate_.bytes_per_second());
    const double weight = std::min(1.0, to_seconds(span) / to_seconds(kSmoothing));
    rate_ = Rate::bytes_per_second(static_cast<std::uint64_t>(old + (sample - old) * weight));
    if (full == Full::kNo) return;
    if (now - epoch_ > kMemory / 2) {
      former_best_ = now - epoch_ > kMemory ? Rate() : best_;
      best_ = Rate();
      epoch_ = now;
    }
    best_ = std::max(best_, rate_);
  }

  Rate rate() const { return rate_; }
  Rate capacity() const { return std::max(best_, former_best_); }  // zero: unknown

 private:
  static constexpr Duration kSmoothing = 400ms;
  static constexpr Duration kLongestTick = 1s;
  static constexpr Duration kMemory = 60s;

  Instant last_tick_{};
  Rate rate_;
  Rate best_;
  Rate former_best_;
  Instant epoch_{};
};

}  // namespace braid::sched
