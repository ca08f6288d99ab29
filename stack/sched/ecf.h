// Ecf: earliest completion first (Lim, Nahum, Towsley, Gibbens: "ECF: An MPTCP Path Scheduler to
// Manage Heterogeneous Paths", CoNEXT 2017).
//
// When the fastest path is full, is it better to use a slower one, or to wait? With k bytes waiting
// the fastest path needs about 1 + k / cwnd_f of its round trips for them, the first of which
// passes before it has room. If that is less than one round trip of the slower path, waiting
// completes earlier; unless the slower path would be done with all of it sooner still. A margin
// delta covers what the RTTs vary by, and a decision to wait is given up only by a clear difference
// (factor 1 + beta).
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class Ecf : public Scheduler {
 public:
  std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) override;
  std::string_view name() const override { return "ecf"; }

 private:
  bool better_wait(const PathView& fast, const PathView& slow, std::uint64_t unsent);

  bool waiting_ = false;
};

}  // namespace braid::sched
