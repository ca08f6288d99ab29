#include "stack/tcp/acceptance.h"

namespace braid::tcp {

SequenceVerdict check_sequence(const ReceiveSpace& space, std::int64_t position,
                               std::uint32_t length) {
  if (length == 0) {
    if (position < space.last_ack_sent) return SequenceVerdict::kOld;
    return position <= space.edge ? SequenceVerdict::kAccept : SequenceVerdict::kOutside;
  }
  if (position < 0 || position + length <= space.rcv_nxt) return SequenceVerdict::kOld;
  if (position < space.edge) return SequenceVerdict::kAccept;
  // RFC 9293 3.10.7.4: with a closed window no text is acceptable, but valid ACKs are.
  return position == space.edge ? SequenceVerdict::kAckOnly : SequenceVerdict::kOutside;
}

ResetVerdict check_reset(const ReceiveSpace& space, std::int64_t position) {
  if (position == space.rcv_nxt) return ResetVerdict::kReset;
  return position > space.rcv_nxt && position <= space.edge ? ResetVerdict::kChallenge
                                                            : ResetVerdict::kDrop;
}

AckVerdict check_ack(std::int64_t ack, std::int64_t snd_una, std::int64_t snd_nxt,
                     std::uint64_t max_window) {
  if (ack > snd_nxt) return AckVerdict::kFuture;
  if (ack >= snd_una) return AckVerdict::kAccept;
  return ack >= snd_una - static_cast<std::int64_t>(max_window) ? AckVerdict::kOld
                                                                : AckVerdict::kAncient;
}

bool RateLimit::allow(Instant now) {
  if (now >= second_ends_) {
    second_ends_ = now + 1s;
    used_ = 0;
  }
  if (used_ == limit_) return false;
  ++used_;
  return true;
}

}  // namespace braid::tcp
