#include "stack/sched/overflow.h"

#include "stack/sched/candidates.h"

namespace braid::sched {

std::optional<Pick> Overflow::pick(std::span<const PathView> paths, const StreamView& /*stream*/) {
  const Candidates candidates(paths);
  const auto cheaper = [](const PathView& a, const PathView& b) {
    return std::tie(a.cost, a.srtt, a.id) < std::tie(b.cost, b.srtt, b.id);
  };
  // Only a path that has room, or whose ACKs will make some, can stand in for a dearer one.
  const PathView* const cheapest = candidates.first(
      cheaper, [](const PathView& path) { return path.budget > 0 || path.in_flight > 0; });
  if (cheapest == nullptr) return std::nullopt;
  return pick_of(candidates.first(cheaper, [cheapest](const PathView& path) {
    return Candidates::has_room(path) && (!path.in_reserve || path.cost == cheapest->cost);
  }));
}

}  // namespace braid::sched
