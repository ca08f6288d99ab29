// ReceiveWindow: what we promise the peer, and what we promised already (RFC 9293 3.8.6.2).
//
// The user says how much it can take; this class turns that into the 16-bit field. With kStream the
// promised right edge never moves left: where the scale cannot express the edge exactly the field
// is rounded up, and only that rounding (less than one unit of the scale, RFC 7323 2.4) is ever
// taken back. It moves right in steps worth a segment, or it would invite silly windows. With
// kShared the figure counts from the data level of MPTCP and is announced as it is.
#pragma once

#include <cstdint>

#include "stack/tcp/stream_user.h"

namespace braid::tcp {

class ReceiveWindow {
 public:
  // `shift`: of the fields after the SYNs. `mss`: what a full segment from the peer holds.
  ReceiveWindow(WindowScope scope, std::uint8_t shift, std::uint32_t mss)
      : scope_(scope), shift_(shift), mss_(mss) {}

  enum class Field : std::uint8_t { kUnscaled, kScaled };  // SYNs are never scaled
  // The field of a segment that leaves now and acknowledges rcv_nxt. `room`: what the user grants.
  std::uint16_t announce(std::uint64_t rcv_nxt, std::uint64_t room, Field field);
  // The user's room has grown enough that the peer should hear of it (RFC 9293 3.8.6.2.2).
  bool update_due(std::uint64_t rcv_nxt, std::uint64_t room) const;
  // One past the last position ever promised: bytes right of it are cut off.
  std::uint64_t edge() const { return highest_; }
  void validate() const;

 private:
  std::uint64_t stream_field(std::uint64_t rcv_nxt, std::uint64_t room, std::uint64_t unit);

  WindowScope scope_;
  std::uint8_t shift_;
  std::uint32_t mss_;
  std::uint64_t granted_ = 0;      // right edge meant; rises only
  std::uint64_t announced_ = 0;    // right edge last said, rounding included
  std::uint64_t highest_ = 0;      // of announced_
  std::uint64_t last_figure_ = 0;  // last field, in bytes
  std::uint64_t largest_room_ = 0;
};

}  // namespace braid::tcp
