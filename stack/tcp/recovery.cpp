#include "stack/tcp/recovery.h"

#include <algorithm>

namespace braid::tcp {

void Recovery::enter(Phase phase, std::uint64_t snd_una, std::uint64_t snd_nxt, Cause cause) {
  phase_ = phase;
  begin_ = snd_una;
  point_ = snd_nxt;
  can_undo_ = cause == Cause::kReduced;
  first_.reset();
  retransmitted_ = 0;
  not_duplicate_ = 0;
}

// What all_duplicates() needs is kept: the DSACKs often come after the recovery has ended.
void Recovery::leave() {
  phase_ = Phase::kOpen;
  first_.reset();
}

void Recovery::on_retransmitted(std::uint64_t position, std::uint64_t bytes, Instant now) {
  if (open()) return;
  if (retransmitted_ == 0) first_ = First{.position = position, .at = now};
  retransmitted_ += bytes;
  not_duplicate_ += bytes;
}

void Recovery::on_dsack(Interval reported) {
  if (reported.begin < begin_) return;
  not_duplicate_ -= std::min(not_duplicate_, reported.size());
}

bool Recovery::in_vain(std::uint64_t snd_una, std::optional<Instant> echoed) {
  if (open() || !can_undo_ || !first_ || !echoed || snd_una <= first_->position) return false;
  // RFC 3522 3.2 step 5: what the ACK answers left in a tick before the retransmission's.
  const bool vain = *echoed + kTimestampTick <= first_->at;
  first_.reset();
  return vain;
}

bool Recovery::all_duplicates() const {
  return can_undo_ && retransmitted_ > 0 && not_duplicate_ == 0;
}

void Recovery::undone() {
  leave();
  can_undo_ = false;
}

}  // namespace braid::tcp
