#include "gateway/settled_uplink.h"

#include <chrono>

namespace braid::gateway {

std::optional<std::size_t> SettledUplink::choose(const Uplinks& uplinks, Instant now) {
  const mptcp::LocalPath* path = uplinks.choose({}, now);
  if (path == nullptr) {
    present_.reset();
  } else if (const std::size_t best = Uplinks::uplink_of(path->interface);
             best == present_ || worth_it(uplinks, best, now)) {
    present_ = best;
    faster_.reset();
  }
  return present_;
}

bool SettledUplink::worth_it(const Uplinks& uplinks, std::size_t best, Instant now) {
  if (!present_ || uplinks.faults(best, now) < uplinks.faults(*present_, now)) return true;
  using Seconds = std::chrono::duration<double>;
  const Seconds there = uplinks.small_fetch(best, now);
  const Seconds here = uplinks.small_fetch(*present_, now);
  if (there > here * kMuchFaster) {
    faster_.reset();
    return false;
  }
  if (faster_ != best) {
    faster_ = best;
    faster_since_ = now;
  }
  return now - faster_since_ >= kPatience;
}

}  // namespace braid::gateway
