// RoundRobin: paths with room in turn, one super-segment each. Knows no difference between them:
// for links that are alike, and as the plainest thing others are compared with.
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class RoundRobin : public Scheduler {
 public:
  std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) override;
  std::string_view name() const override { return "round_robin"; }

 private:
  std::uint32_t next_ = 0;  // the lowest id whose turn it may be
};

}  // namespace braid::sched
