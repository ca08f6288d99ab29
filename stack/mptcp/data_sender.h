// DataSender: the sending half of a connection's data level (RFC 8684 3.3.2 - 3.3.6).
//
// Hands out ranges of the pipe to subflows at the moment they can send, remembers which subflow
// carries which range until it is DATA_ACKed, and gives ranges out a second time (reinjection) when
// their subflow failed, timed out, or when everything was acknowledged by subflows but not at the
// data level (M73). A DATA_ACK releases the pipe; the subflow mappings keep their own Holds (M64).
// Timers: data-level retransmission (M73), DATA_FIN repetition, window probe. No subflow is known
// here but by number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/pipe.h"
#include "stack/base/time.h"
#include "stack/mptcp/data_sequence.h"

namespace braid::mptcp {

using SubflowId = std::uint32_t;

class DataSender {
 public:
  DataSender(Pipe& pipe, DataSequence sequence);

  struct Range {
    StreamOffset begin;
    std::uint32_t length = 0;      // bytes of data, without the DATA_FIN
    bool data_fin = false;         // the DATA_FIN's octet follows (it may be all there is)
    enum class Kind : std::uint8_t { kNew, kReinjection, kWindowProbe } kind = Kind::kNew;
  };
  // What `subflow` should carry next, at most max_length bytes, or nothing. Never a range that this
  // subflow itself still carries.
  std::optional<Range> next(SubflowId subflow, std::uint32_t max_length, Instant now) const;
  // The range (or a prefix of it) has been mapped onto that subflow.
  void mapped(const Range& range, SubflowId subflow, Instant now);

  struct AckOutcome {
    bool advanced = false;
    bool fin_acked = false;
  };
  // A DATA_ACK with the window of the same segment (M63). Outside [snd_una, snd_nxt]: ignored.
  AckOutcome receive_data_ack(std::uint64_t dsn_ack, std::uint64_t window, Instant now);
  // The subflow's TCP acknowledged the mapping of this range.
  void subflow_acked(SubflowId subflow, StreamOffset begin, std::uint32_t length);
  // Its ranges not DATA_ACKed may be carried by others now. `failed`: it is gone for good.
  enum class Trouble : std::uint8_t { kTimedOut, kFailed };
  void subflow_trouble(SubflowId subflow, Trouble trouble, Instant now);

  std::uint64_t unsent() const;        // new bytes waiting, window or not
  std::uint64_t window_left() const;   // bytes of the peer's window not used yet
  bool has_reinjections() const;
  StreamOffset snd_una() const;
  StreamOffset snd_nxt() const;
  bool fin_pending() const;            // the pipe has ended and the DATA_FIN is not DATA_ACKed
  bool fin_sent() const;
  bool fin_acked() const;
  Instant next_deadline() const;
  // `rto`: the longest of the usable subflows' RTOs. Marks what the timers say should go again.
  void on_deadline(Duration rto, Instant now);
  const DataSequence& sequence() const { return sequence_; }
  Pipe& pipe() { return pipe_; }
  void validate() const;

 private:
  // (the author's)
  Pipe& pipe_;
  DataSequence sequence_;
};

}  // namespace braid::mptcp
