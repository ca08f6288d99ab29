// HyStart: leaving slow start when the RTT begins to rise, before the queue overflows (RFC 9406).
//
// Per round trip the least RTT is kept. If it exceeds that of the round before by an eighth (4 to
// 16 ms), growth slows to a quarter for five rounds ("conservative slow start"); if the RTT falls
// again meanwhile it was a false alarm, else slow start is over.
#pragma once

#include <cstdint>

#include "stack/cc/controller.h"

namespace braid::cc {

class HyStart {
 public:
  // `mss`: payload bytes of a full segment.
  void on_ack(const Ack& ack, std::uint64_t mss);
  // Bytes the window grows by for `delivered` bytes.
  std::uint64_t growth(std::uint64_t delivered) const {
    return conservative_ ? delivered / kGrowthDivisor : delivered;
  }
  bool conservative() const { return conservative_; }
  // Slow start is over: ssthresh becomes cwnd.
  bool finished() const { return conservative_ && rounds_left_ == 0; }

 private:
  // ACKs of two segments; one of a super-segment stands for those that it spared.
  static constexpr std::uint64_t kSamples = 8;
  static constexpr std::uint64_t kSegmentsPerAck = 2;
  static constexpr std::uint32_t kGrowthDivisor = 4;
  static constexpr std::uint32_t kConservativeRounds = 5;
  static constexpr Duration kMinRise = 4ms;
  static constexpr Duration kMaxRise = 16ms;

  void round_begins();

  Duration last_min_ = Duration::max();
  Duration current_min_ = Duration::max();
  Duration baseline_ = Duration::max();  // of the round that raised the alarm
  std::uint32_t samples_ = 0;
  std::uint32_t rounds_left_ = 0;
  bool conservative_ = false;
};

}  // namespace braid::cc
