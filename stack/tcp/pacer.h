// Pacer: when the next burst may leave, at the rate the congestion controller asked for.
//
// One burst is what the rate sends in 1 ms, at least two segments, at most one super-segment. Who
// was told to wait and is woken late is owed the time in between, up to kMostLate, and gets it in
// as few super-segments as hold it: where the event loop has more to do than a millisecond allows,
// small bursts would cost more of it still, and flows would crawl below the rate they are due.
// Beyond that nothing is made up for, so a stalled loop never causes a flood; after a silence of
// its own a flow has one interval.
//
// On a path of less than some milliseconds bursts are larger, up to a super-segment: queues there
// are no scarce good, and many flows that share a fast short path would else fall into pieces of
// two segments each, which cost the more the slower they make it.
#pragma once

#include <cstdint>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::tcp {

class Pacer {
 public:
  static constexpr Duration kInterval = 1ms;
  static constexpr Duration kMostLate = 20ms;
  static constexpr std::uint32_t kMinSegments = 2;
  // For each of these in the round trip time the extra of a short path is halved.
  static constexpr Duration kShortPath = 500us;

  // These many bytes leave without a wait (the initial window, RFC 6928; a restart after idle).
  void grant(std::uint64_t bytes) { granted_ = bytes; }

  // Whether a burst may leave. Who hears false waits for ready_at().
  bool ready(Instant now);
  // The moment the next burst may leave; the past when it may leave at once.
  Instant ready_at() const { return next_; }
  struct Path {
    std::uint32_t mss = 0;                // bytes
    std::uint64_t max_super_payload = 0;  // bytes of a super-segment
    Duration min_rtt{};                   // zero: unknown
  };
  // Bytes of one burst that leaves at `now`. A zero rate does not limit.
  std::uint64_t burst(Rate rate, const Path& path, Instant now) const;
  // `bytes` left at `now`.
  void sent(std::uint64_t bytes, Rate rate, Instant now);

 private:
  // The moment from which on time not used is still to be had.
  Instant owed_since(Instant now) const;

  Instant next_ = Instant::min();
  std::uint64_t granted_ = 0;
  bool waiting_ = false;
  // From a wait; what it came late is owed in this instant only.
  Instant woken_at_ = Instant::min();
};

}  // namespace braid::tcp
