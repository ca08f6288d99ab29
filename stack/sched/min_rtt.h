// MinRtt: the path with the lowest smoothed RTT that has room now.
//
// Paths come in four classes: regular, backup, regular in doubt, backup in doubt. Only the best
// class with a member counts, and when its members are full the answer is to wait: a backup path is
// used when no regular one is usable (RFC 8684 M46, M77), not when the regular ones are busy, and
// new bytes on a path in doubt would stall the stream behind them.
//
// A path without a sample counts as the fastest: only by carrying bytes does it get one, and its
// initial congestion window bounds what a wrong guess costs. Equal RTTs go to the lowest id, so a
// run can be repeated.
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class MinRtt : public Scheduler {
 public:
  std::optional<std::uint32_t> pick(std::span<const PathView> paths,
                                    const StreamView& stream) override;
  std::string_view name() const override { return "min_rtt"; }
};

}  // namespace braid::sched
