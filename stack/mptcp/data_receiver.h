// DataReceiver: the receiving half of a connection's data level (RFC 8684 3.3.2 - 3.3.4).
//
// Places mapped bytes of any subflow into the one pipe, keeps the DATA_FIN until all before it is
// there (M80), and says what DATA_ACK and window to send. The window's right edge never moves left
// (M66). The pipe grows when bytes that wait for a slower path fill half of it. Subflows do the
// mapping; this class thinks in pipe offsets.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/pipe.h"
#include "stack/mptcp/data_sequence.h"

namespace braid::mptcp {

class DataReceiver {
 public:
  // The stream goes on at pipe.in_order(); the pipe's room is promised: the handshake told it.
  DataReceiver(Pipe& pipe, DataSequence sequence);

  // Bytes whose first one has this DSN. Returns how the bytes fared: the range of *this run* (0 =
  // its first byte) now certainly held. What was received before counts as held; what lies right of
  // the window or past the end of the stream, or found no memory, does not (M62).
  Interval place(std::uint64_t dsn, const Slices& bytes);
  // A DATA_FIN with this DSN (the octet after the last byte). Ignored when it contradicts the
  // stream: bytes right of it are here, another end is known, or it lies right of the window. True
  // when it was new.
  bool data_fin(std::uint64_t dsn);

  // 64-bit value for the next DATA_ACK: next byte expected, plus one once the DATA_FIN is taken.
  std::uint64_t data_ack() const;
  // Bytes that may be sent beyond data_ack(). Call when a segment with a DATA_ACK is built: it is a
  // promise from then on.
  std::uint64_t promise_window();
  std::uint64_t window() const;                           // the same, without promising
  bool fin_received() const { return pipe_.complete(); }  // the DATA_FIN and all before it
  bool out_of_order() const { return !pipe_.out_of_order().empty(); }  // bytes wait for a gap
  const DataSequence& sequence() const { return sequence_; }
  Pipe& pipe() { return pipe_; }
  void validate() const;

 private:
  void widen();
  StreamOffset edge() const;   // one past the last byte that may arrive
  StreamOffset acked() const;  // the offset data_ack() stands for, the DATA_FIN's octet counted

  Pipe& pipe_;
  DataSequence sequence_;
  StreamOffset promised_edge_;  // the highest edge told to the peer (M66)
};

}  // namespace braid::mptcp
