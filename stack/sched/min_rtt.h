// MinRtt: the path with the lowest smoothed RTT that has room now.
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class MinRtt : public Scheduler {
 public:
  std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) override;
  std::string_view name() const override { return "min_rtt"; }
};

}  // namespace braid::sched
