// Doubt: whether a peer that was sending and then fell silent is still there. Whoever only receives
// would never learn that the other end was restarted: it owes nothing and so meets no reset. After
// `patience` of silence it asks with a keep-alive (RFC 9293 3.8.4), twelve times at most; any
// answer ends the doubt until more data has come. An idle connection costs nothing.
#pragma once

#include <cstdint>

#include "stack/base/time.h"

namespace braid::tcp {

class Doubt {
 public:
  // Zero patience: never in doubt.
  explicit Doubt(Duration patience) : patience_(patience) {}

  // New data of the peer's.
  void text_arrived(Instant now);
  // We wait for an ACK, and retransmissions ask; or the peer has ended its stream.
  void settle() { deadline_ = kNever; }
  // When on_deadline() is to be called; kNever: not in doubt.
  Instant deadline() const { return deadline_; }
  enum class Verdict : std::uint8_t { kWait, kAsk };
  // `last_received`: when anything acceptable of the peer's arrived.
  Verdict on_deadline(Instant last_received, Instant now);

 private:
  Duration patience_;
  Instant deadline_ = kNever;
  Instant last_text_ = Instant::min();
  Instant asked_at_ = Instant::min();
  std::uint32_t asked_ = 0;  // in a row, unanswered
};

}  // namespace braid::tcp
