// Calls that have to wait: see "Time moves" in host.h.
#include <algorithm>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

// Real time: how long the clock is held for a thread that is returning, and how long a waiting
// thread believes that somebody steps the clock.
constexpr Duration kReturnPatience = 2s;
constexpr Duration kSteppingPatience = 3s;
// Virtual time a call on the stepping thread may take before it fails: the script has a mistake.
constexpr Duration kLongestCall = 300s;

}  // namespace

bool Host::wait_until(Lock& lock, const std::function<bool()>& done, Duration timeout) {
  if (done()) return true;
  const Instant deadline = timeout == Duration::zero() ? kNever : now_ + timeout;
  if (is_stepping_thread()) {
    return wait_by_stepping(lock, done, std::min(deadline, now_ + kLongestCall));
  }
  Waiter waiter{.done = done, .deadline = deadline};
  waiters_.push_back(&waiter);
  while (!waiter.released) {
    const std::uint64_t seen = steps_;
    if (changed_.wait_for(lock, kSteppingPatience) == std::cv_status::no_timeout) continue;
    if (waiter.released || steps_ != seen) continue;
    // Nobody steps: the script is at its end and waits for this call.
    const Instant next = std::max(now_, next_deadline());
    if (next == kNever) break;
    now_ = next;
    step();
    waiter.released = done() || now_ >= deadline;
  }
  waiters_.remove(&waiter);
  return done();
}

bool Host::wait_by_stepping(Lock& lock, const std::function<bool()>& done, Instant deadline) {
  while (!done() && now_ < deadline) advance_to(lock, std::min(deadline, next_deadline()));
  return done();
}

// Lets every call that can return now return, and its thread look at the clock, before time goes
// on.
void Host::settle(Lock& lock) {
  if (!is_stepping_thread()) return;
  for (Waiter* const waiter : waiters_) {
    if (waiter->released || (!waiter->done() && now_ < waiter->deadline)) continue;
    waiter->released = true;
    waiter->deadline = kNever;
    returning_.insert(waiter->thread);
  }
  if (returning_.empty()) return;
  changed_.notify_all();
  changed_.wait_for(lock, kReturnPatience, [this] { return returning_.empty(); });
  returning_.clear();
}

}  // namespace braid::pd
