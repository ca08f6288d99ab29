// WindowTuner: how large a receive buffer should be (receive autotuning).
//
// A peer can send at most one window per round trip. So a reader that takes more than half the
// capacity within one round trip is being held back by it: the capacity doubles, up to a maximum.
// A slow reader never triggers growth, so its buffer stays small.
#pragma once

#include <cstdint>

#include "stack/base/time.h"

namespace braid::tcp {

class WindowTuner {
 public:
  static constexpr std::uint64_t kInitial = 64 * 1024;  // bytes
  static constexpr std::uint64_t kDefaultMaximum = 4 * 1024 * 1024;

  explicit WindowTuner(std::uint64_t maximum = kDefaultMaximum) : maximum_(maximum) {}

  // The reader has taken `drained` bytes since the stream began; `rtt` is that of the path that
  // fills the buffer (zero: unknown). Returns the capacity to have now, never less than `capacity`.
  std::uint64_t capacity_for(std::uint64_t drained, std::uint64_t capacity, Duration rtt,
                             Instant now);

  void set_maximum(std::uint64_t maximum) { maximum_ = maximum; }

 private:
  std::uint64_t maximum_;
  bool started_ = false;
  Instant round_start_{};
  std::uint64_t drained_at_start_ = 0;
};

}  // namespace braid::tcp
