// Blest: blocking estimation (Ferlin, Alay, Mehani, Boreli: "BLEST: Blocking Estimation-based MPTCP
// Scheduler for Heterogeneous Networks", IFIP Networking 2016).
//
// When the fastest path is full, bytes given to a slower one stay outstanding for one of its round
// trips and hold their share of the connection's window meanwhile. In that time the fastest path
// could send X bytes, its window growing by a segment per round trip. If X does not fit beside what
// the slow path would then hold, the window would block the fast path: better wait for it. lambda
// scales X: a window that blocked all the same shows the estimate was too low, a round trip without
// that lets it sink again.
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched {

class Blest : public Scheduler {
 public:
  Blest();
  std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) override;
  void window_blocked(Instant now) override;
  std::string_view name() const override { return "blest"; }

 private:
  void adapt(const PathView& slow, Instant now);
  bool would_block(const PathView& fast, const PathView& slow, const StreamView& stream) const;

  double lambda_;
  bool blocked_ = false;  // since lambda was last adapted
  Instant adapted_{};
};

}  // namespace braid::sched
