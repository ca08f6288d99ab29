// Recovery: which phase of loss recovery the sender is in, and whether it was entered in vain.
//
//            loss detected                     retransmission timer
//   open ------------------> fast --------------------------------> timeout
//    ^  <--- all sent before the loss is acknowledged, or undone ---/
//
// In vain: the ACK answers an original and not our retransmission, by its timestamp (Eifel, RFC
// 3522), or every retransmission came back as a duplicate (DSACK, RFC 3708).
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/interval_set.h"
#include "stack/base/time.h"

namespace braid::tcp {

class Recovery {
 public:
  enum class Phase : std::uint8_t { kOpen, kFast, kTimeout };
  // The peer's timestamps count our clock in ticks of this length.
  static constexpr Duration kTimestampTick = 1ms;
  enum class Cause : std::uint8_t { kReduced, kNotReduced };  // did the controller shrink for it?

  Phase phase() const { return phase_; }
  bool open() const { return phase_ == Phase::kOpen; }
  // One past the last position sent when this recovery began.
  std::uint64_t point() const { return point_; }

  void enter(Phase phase, std::uint64_t snd_una, std::uint64_t snd_nxt, Cause cause);
  void leave();
  // The controller took the reduction back: the recovery ends and is not undone twice.
  void undone();
  // Everything sent before the recovery is acknowledged by `snd_una`.
  bool complete(std::uint64_t snd_una) const { return !open() && snd_una >= point_; }

  // The reduction was taken back although there was a loss.
  void forgive() { can_undo_ = false; }

  void on_retransmitted(std::uint64_t position, std::uint64_t bytes, Instant now);
  // One that reports bytes from before this recovery is not about its retransmissions.
  void on_dsack(Interval reported);
  // `snd_una` has moved; `echoed`: the tick of the segment this ACK answers. True once, when the
  // recovery turns out to be in vain and the controller can undo it.
  bool in_vain(std::uint64_t snd_una, std::optional<Instant> echoed);
  // The controller shrank for this recovery, and that was not taken back.
  bool can_undo() const { return can_undo_ && !open(); }
  // The same question by DSACKs alone.
  bool all_duplicates() const;

 private:
  Phase phase_ = Phase::kOpen;
  std::uint64_t begin_ = 0;  // snd_una when this recovery began
  std::uint64_t point_ = 0;
  bool can_undo_ = false;
  struct First {
    std::uint64_t position = 0;
    Instant at;
  };
  std::optional<First> first_;       // retransmission of this recovery, until it is judged
  std::uint64_t retransmitted_ = 0;  // bytes in this recovery
  std::uint64_t not_duplicate_ = 0;  // of these, not reported by DSACK
};

}  // namespace braid::tcp
