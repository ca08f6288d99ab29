// Pacer: when the next burst may leave, at the rate the congestion controller asked for.
//
// One burst is what the rate sends in 1 ms, at least two segments, at most one super-segment. Late
// timers are caught up by at most one such interval, so a stalled event loop never causes a flood.
#pragma once

#include <cstdint>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::tcp {

class Pacer {
 public:
  static constexpr Duration kInterval = 1ms;
  static constexpr std::uint32_t kMinSegments = 2;

  // These many bytes leave without a wait (the initial window, RFC 6928; a restart after idle).
  void grant(std::uint64_t bytes) { granted_ = bytes; }

  bool ready(Instant now) const { return granted_ > 0 || now >= next_; }
  // The moment the next burst may leave; the past when it may leave at once.
  Instant ready_at() const { return next_; }
  // Bytes of one burst. A zero rate does not limit.
  static std::uint64_t burst(Rate rate, std::uint32_t mss, std::uint64_t max_super_payload);
  // `bytes` left at `now`.
  void sent(std::uint64_t bytes, Rate rate, Instant now);

 private:
  Instant next_ = Instant::min();
  std::uint64_t granted_ = 0;
};

}  // namespace braid::tcp
