// Overflow: the cheapest path that has room; a dearer one only when the cheaper links no longer
// suffice.
//
// Whether they suffice is no question one connection can answer: the host measures its links
// (overflow_gate.h) and holds the dear ones in reserve. A path in reserve is used all the same
// where no cheaper one is usable. Without such a host (all costs equal) this is min_rtt.
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class Overflow : public Scheduler {
 public:
  std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) override;
  std::string_view name() const override { return "overflow"; }
};

}  // namespace braid::sched
