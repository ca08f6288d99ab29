#include "stack/sched/redundant.h"

#include "stack/sched/candidates.h"

namespace braid::sched {

std::optional<Pick> Redundant::pick(std::span<const PathView> paths, const StreamView& /*stream*/) {
  return pick_of(Candidates(paths).fastest_with_room(), Pick::Bytes::kCopies);
}

}  // namespace braid::sched
