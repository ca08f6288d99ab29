// ArrivalRate: what an uplink brings when bytes come one behind the other (packet dispersion).
//
// How much an uplink carries says little of how fast it is: most connections carry less than it
// could. But large segments that come without a pause leave their bottleneck back to back, and the
// first ten of a small fetch are enough to see it. A train is measured from its first segment on,
// which nobody knows the sending of; it is over when it has brought kLeastBytes in kLeastTime, and
// the next one begins. Shorter ones say nothing: several segments that one wake-up brought at once
// would look like any rate there is. So an uplink that is fast enough to bring ten segments in
// kLeastTime may stay unknown, and unknown is meant to count as fast.
//
// A segment that is not full ends its train: its source had no more, and what comes behind it has
// waited for something else. Or answers of 1 kB, one for each question, would look like an uplink
// of a few kB in a second.
//
// What else is on the uplink makes trains longer, and so does a source that is slow itself: what
// counts is the fastest train of the last kMemory / 2 to kMemory. Nothing is held for what came
// before: an unused uplink is unknown again, and one connection finds out.
#pragma once

#include <cstdint>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::gateway {

class ArrivalRate {
 public:
  // A segment of the concentrator's with so many bytes of payload, or a super-segment of `piece`
  // bytes each (0: it is one segment).
  void arrived(std::uint64_t bytes, std::uint32_t piece, Instant now);
  // Payload; zero: unknown.
  Rate rate(Instant now) const;

  static constexpr std::uint64_t kFullSegment = 1200;  // bytes, at least
  static constexpr std::uint64_t kLeastBytes = 6000;   // after the first segment
  static constexpr Duration kLeastTime = 10ms;
  // Longer than a full segment takes at 250 kbit/s; a train that paused is over.
  static constexpr Duration kPause = 50ms;
  static constexpr Duration kMemory = 600s;

 private:
  void count(std::uint64_t bytes, Instant now);
  void note(Rate rate, Instant now);

  Instant train_began_ = Instant::min();  // when its first segment came
  Instant last_came_ = Instant::min();
  std::uint64_t train_bytes_ = 0;  // after its first segment
  Rate best_, former_best_;        // of this half of the memory, and of the one before
  Instant epoch_{};                // when this half began
};

}  // namespace braid::gateway
