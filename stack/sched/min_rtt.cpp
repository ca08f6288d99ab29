#include "stack/sched/min_rtt.h"

#include "stack/sched/candidates.h"

namespace braid::sched {

std::optional<Pick> MinRtt::pick(std::span<const PathView> paths, const StreamView& /*stream*/) {
  return pick_of(Candidates(paths).fastest_with_room());
}

}  // namespace braid::sched
