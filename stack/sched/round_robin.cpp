#include "stack/sched/round_robin.h"

#include "stack/sched/candidates.h"

namespace braid::sched {

std::optional<Pick> RoundRobin::pick(std::span<const PathView> paths,
                                     const StreamView& /*stream*/) {
  const auto turn = [this](const PathView& a, const PathView& b) {
    return std::tuple(a.id < next_, a.id) < std::tuple(b.id < next_, b.id);
  };
  const PathView* const chosen = Candidates(paths).first(turn, Candidates::has_room);
  if (chosen != nullptr) next_ = chosen->id + 1;
  return pick_of(chosen);
}

}  // namespace braid::sched
