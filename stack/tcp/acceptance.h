// Acceptance: is this segment ours, is it now, is it honest? The checks of RFC 9293 3.10.7.4 before
// anything is believed, with RFC 5961's answers to blind attacks. Pure functions over positions.
#pragma once

#include <cstdint>

#include "stack/base/time.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

// Step one: the sequence number. Positions; `edge` is the highest right edge ever promised.
enum class SequenceVerdict : std::uint8_t {
  kAccept,
  kAckOnly,  // its text lies outside, its acknowledgment is good (a probe of a closed window)
  kOld,      // everything it holds was received before
  kOutside,  // beyond the window
};
struct ReceiveSpace {
  std::int64_t rcv_nxt = 0;
  std::int64_t last_ack_sent = 0;  // pure ACKs overtaken by data are good down to here
  std::int64_t edge = 0;
};
SequenceVerdict check_sequence(const ReceiveSpace& space, std::int64_t position,
                               std::uint32_t length);

// Step two: RST. RFC 5961 3.2: only the exact sequence number resets.
enum class ResetVerdict : std::uint8_t { kReset, kChallenge, kDrop };
ResetVerdict check_reset(const ReceiveSpace& space, std::int64_t position);

// Step five: the acknowledgment number, as a position. RFC 5961 5.2.
enum class AckVerdict : std::uint8_t {
  kAccept,
  kOld,      // below snd_una, still plausible: nothing to learn but its text is good
  kFuture,   // acknowledges what was never sent
  kAncient,  // implausibly old
};
AckVerdict check_ack(std::int64_t ack, std::int64_t snd_una, std::int64_t snd_nxt,
                     std::uint64_t max_window);

// At most `limit` events in each second: challenge ACKs (RFC 5961 7), answers to strays.
class RateLimit {
 public:
  explicit RateLimit(std::uint32_t limit) : limit_(limit) {}
  // Takes one from the allowance; false when it is used up.
  bool allow(Instant now);

 private:
  std::uint32_t limit_;
  std::uint32_t used_ = 0;
  Instant second_ends_ = Instant::min();
};

}  // namespace braid::tcp
