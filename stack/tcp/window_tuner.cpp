#include "stack/tcp/window_tuner.h"

#include <algorithm>

namespace braid::tcp {
namespace {

// A round is never shorter: with a tiny round trip one burst would look like a rate.
constexpr Duration kShortestRound = 1ms;
constexpr Duration kUnknownRound = 100ms;

}  // namespace

std::uint64_t WindowTuner::capacity_for(std::uint64_t drained, std::uint64_t capacity, Duration rtt,
                                        Instant now) {
  if (!started_) {
    started_ = true;
    round_start_ = now;
    drained_at_start_ = 0;
  }
  const Duration round = rtt == Duration::zero() ? kUnknownRound : std::max(rtt, kShortestRound);
  const Duration elapsed = now - round_start_;
  const std::uint64_t taken = drained - drained_at_start_;
  // Asked rarely, the time since then may be many rounds: what counts is the share of one.
  const double share = elapsed <= round ? 1.0 : to_seconds(round) / to_seconds(elapsed);
  const bool held_back = static_cast<double>(taken) * share * 2 > static_cast<double>(capacity);
  if (elapsed >= round) {
    round_start_ = now;
    drained_at_start_ = drained;
  }
  if (!held_back) return capacity;
  // Within one round more than half the buffer was taken: it is what holds the peer back.
  round_start_ = now;
  drained_at_start_ = drained;
  return std::max(capacity, std::min(capacity * 2, maximum_));
}

}  // namespace braid::tcp
