#include "stack/sched/blest.h"

#include <algorithm>
#include <utility>

#include "stack/sched/candidates.h"

namespace braid::sched {
namespace {

constexpr double kLambdaLeast = 1.0;
constexpr double kLambdaFirst = 1.2;
constexpr double kLambdaMost = 1.6;
constexpr double kLambdaStep = 0.1;

}  // namespace

Blest::Blest() : lambda_(kLambdaFirst) {}

void Blest::window_blocked(Instant /*now*/) { blocked_ = true; }

// Once per round trip of the slow path: so long it takes to see what a decision did.
void Blest::adapt(const PathView& slow, Instant now) {
  if (now - adapted_ < slow.srtt) return;
  adapted_ = now;
  const double step = std::exchange(blocked_, false) ? kLambdaStep : -kLambdaStep;
  lambda_ = std::clamp(lambda_ + step, kLambdaLeast, kLambdaMost);
}

bool Blest::would_block(const PathView& fast, const PathView& slow,
                        const StreamView& stream) const {
  const double rounds = std::max(1.0, to_seconds(slow.srtt) / to_seconds(fast.srtt));
  const double growth = (rounds - 1) / 2 * fast.mss;
  const double fast_bytes = (static_cast<double>(fast.cwnd) + growth) * rounds;
  const double slow_bytes = static_cast<double>(slow.in_flight + slow.mss);
  return lambda_ * fast_bytes > static_cast<double>(stream.send_window) - slow_bytes;
}

std::optional<Pick> Blest::pick(std::span<const PathView> paths, const StreamView& stream) {
  const Candidates candidates(paths);
  const PathView* const best = candidates.fastest_with_room();
  const PathView* const fastest = candidates.fastest();
  if (best == nullptr || best == fastest) return pick_of(best);
  // Only for ACKs is it safe to wait, and only measured times can be compared.
  if (fastest->in_flight == 0 || fastest->srtt == Duration::zero()) return pick_of(best);
  adapt(*best, stream.now);
  return would_block(*fastest, *best, stream) ? std::nullopt : pick_of(best);
}

}  // namespace braid::sched
