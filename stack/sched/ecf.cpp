#include "stack/sched/ecf.h"

#include <algorithm>

#include "stack/sched/candidates.h"

namespace braid::sched {
namespace {

constexpr double kBeta = 0.25;

double windows_for(std::uint64_t bytes, const PathView& path) {
  return static_cast<double>(bytes) /
         static_cast<double>(std::max<std::uint64_t>({path.cwnd, path.mss, 1}));
}

}  // namespace

bool Ecf::better_wait(const PathView& fast, const PathView& slow, std::uint64_t unsent) {
  const double rtt_fast = to_seconds(fast.srtt);
  const double rtt_slow = to_seconds(slow.srtt);
  const double delta = to_seconds(std::max(fast.rttvar, slow.rttvar));
  const double by_waiting = (1 + windows_for(unsent, fast)) * rtt_fast;
  const double hysteresis = waiting_ ? 1 + kBeta : 1;
  if (by_waiting >= hysteresis * (rtt_slow + delta)) {
    waiting_ = false;
    return false;
  }
  if (windows_for(unsent, slow) * rtt_slow < 2 * rtt_fast + delta) return false;
  waiting_ = true;
  return true;
}

std::optional<Pick> Ecf::pick(std::span<const PathView> paths, const StreamView& stream) {
  const Candidates candidates(paths);
  const PathView* const best = candidates.fastest_with_room();
  const PathView* const fastest = candidates.fastest();
  if (best == nullptr || best == fastest) return pick_of(best);
  // Only for ACKs is it safe to wait, and only measured times can be compared.
  if (fastest->in_flight == 0 || fastest->srtt == Duration::zero()) return pick_of(best);
  return better_wait(*fastest, *best, stream.unsent) ? std::nullopt : pick_of(best);
}

}  // namespace braid::sched
