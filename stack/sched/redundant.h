// Redundant: every byte on every path that has room for it. Buys the lowest delay and the best
// chance of arrival with all the capacity but that of the best path.
//
// A path that has room first catches up with what the others carry and nobody has delivered yet,
// from the lowest byte on; when it carries all of that, it goes ahead with new bytes.
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class Redundant : public Scheduler {
 public:
  std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) override;
  std::string_view name() const override { return "redundant"; }
};

}  // namespace braid::sched
