#include "stack/mptcp/demand.h"

namespace braid::mptcp {

void Demand::note(std::uint64_t carried, Backlog backlog, Instant now) {
  if (now - last_progress_ > kRest) {
    state_ = State::kNone;
    mark_ = carried_;
  }
  if (carried != carried_ || backlog == Backlog::kWaiting) last_progress_ = now;
  carried_ = carried;
  if (carried_ - mark_ > threshold_ || backlog == Backlog::kWaiting) state_ = State::kEarned;
}

}  // namespace braid::mptcp
