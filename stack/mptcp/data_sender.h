// DataSender: the sending half of a connection's data level (RFC 8684 3.3.2 - 3.3.6).
//
// Hands out ranges of the pipe to subflows at the moment they can send, remembers which subflow
// carries which range until it is DATA_ACKed, and gives ranges out a second time (reinjection) when
// their subflow failed, timed out, or when everything was acknowledged by subflows but not at the
// data level (M73). A DATA_ACK releases the pipe; the subflow mappings keep their own Holds (M64).
// No subflow is known here but by number.
//
// What was given out is a row of records without gaps:
//
//     snd_una                                                 snd_nxt          pipe.in_order()
//   -----|  record  |   record   | record |    record    |  ...  |   unsent   |-----------> offset
//
// A carrier of a record is in flight, acked (by its subflow's TCP) or timed out. A record with no
// carrier in flight or acked is *due*: the next subflow not carrying it gets it, lowest first,
// since the lowest missing byte is what holds up the peer. New data comes after what is due.
//
// Timers, all multiples of the RTO told to on_deadline(), doubling to a minute:
//   head     the first record is acked by subflows and no longer in flight, yet not DATA_ACKed
//   (M73) persist  the peer's window is closed, nothing is outstanding, data waits: a one-byte
//   probe fin      a DATA_FIN all data before which is DATA_ACKed, but not itself
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "stack/base/pipe.h"
#include "stack/base/ring.h"
#include "stack/base/time.h"
#include "stack/mptcp/data_record.h"
#include "stack/mptcp/data_sequence.h"

namespace braid::mptcp {

class DataSender {
 public:
  // The stream goes on at pipe.released(); nothing may be sent before the window is known.
  DataSender(Pipe& pipe, DataSequence sequence);
  // The peer's window as the handshake told it last; the first DATA_ACK has the better word.
  void initial_window(std::uint64_t window);
  // Not zero: the head and fin timers take this long, as long again, twice that and so on, whatever
  // on_deadline() says of round trips.
  void set_ack_timeout(Duration timeout) { ack_timeout_ = timeout; }

  struct Range {
    StreamOffset begin;
    std::uint32_t length = 0;  // bytes of data, without the DATA_FIN
    bool data_fin = false;     // the DATA_FIN's octet follows the last byte
    // kCopy: bytes that are in flight on another subflow, too.
    enum class Kind : std::uint8_t { kNew, kReinjection, kWindowProbe, kCopy } kind = Kind::kNew;
  };
  // What `subflow` should carry next, at most max_length bytes, or nothing. Never empty, never a
  // range that this subflow itself still carries. A DATA_FIN without data is no range: fin_due().
  std::optional<Range> next(SubflowId subflow, std::uint32_t max_length, Instant now) const;
  // The same, but before any new bytes come those which others carry and nobody has delivered yet.
  std::optional<Range> next_or_copy(SubflowId subflow, std::uint32_t max_length, Instant now);
  // The lowest bytes at or after `from` which only other subflows carry, all of them in flight: who
  // got them last, and when. Nothing where bytes are due: next() gives those out.
  struct Waiting {
    Range range;
    SubflowId carrier = 0;
    Instant mapped_at;
  };
  std::optional<Waiting> waiting(SubflowId subflow, StreamOffset from,
                                 std::uint32_t max_length) const;
  // The range has been mapped onto that subflow; or a prefix of it, then with data_fin unset.
  void mapped(const Range& range, SubflowId subflow, Instant now);

  struct AckOutcome {
    bool advanced = false;
    bool fin_acked = false;
  };
  // A DATA_ACK with the window of the same segment (M63). Outside [snd_una, snd_nxt]: ignored.
  AckOutcome receive_data_ack(std::uint64_t dsn_ack, std::uint64_t window, Instant now);
  // The DATA_FIN should leave now on a pure ACK of any usable subflow: DSN of snd_nxt(), SSN 0,
  // DLL 1 (M79). It takes no room in a subflow's sequence space, so only its DATA_ACK shows
  // arrival.
  bool fin_due(Instant now) const;
  // It left so.
  void fin_transmitted(Instant now);
  // The subflow's TCP acknowledged a whole mapping: this is the range it was told of by mapped().
  void subflow_acked(SubflowId subflow, StreamOffset begin, std::uint32_t length);
  // kTimedOut: what only it carried may ride on others too, while it goes on retransmitting (M72).
  // kFailed: it is gone for good; what nobody else carries is due at once, even what it had
  // acknowledged: a proxy on the dead path may have done that and kept the bytes (M71).
  enum class Trouble : std::uint8_t { kTimedOut, kFailed };
  void subflow_trouble(SubflowId subflow, Trouble trouble, Instant now);

  std::uint64_t unsent() const;  // new bytes waiting, window or not
  // What waits, as a scheduler should see it: behind a full pipe the source holds nobody knows how
  // much, and a pipe is no deeper than it was ever needed.
  static constexpr std::uint64_t kMuch = std::uint64_t{1} << 40;
  std::uint64_t backlog() const;
  std::uint64_t window_left() const;  // bytes of the peer's window not used yet
  std::uint64_t window() const;       // bytes of it beyond the last DATA_ACK
  bool has_reinjections() const;
  // Nothing new may leave before the head of the window is acknowledged.
  bool is_window_full() const { return unsent() > 0 && window_left() == 0 && snd_una_ < snd_nxt_; }
  // The window is closed, and it is time to ask whether it still is: next() gives one byte for
  // that, and the same one again for a subflow that has not had it: the first may have died.
  bool wants_probe() const { return probe_due_ && may_probe(); }
  // Every subflow has it: their own persist timers go on asking.
  void probe_is_everywhere() { probe_due_ = false; }
  StreamOffset snd_una() const { return snd_una_; }  // first byte not DATA_ACKed; no DATA_FIN in it
  StreamOffset snd_nxt() const { return snd_nxt_; }  // first byte never mapped; no DATA_FIN in it
  bool fin_pending() const;  // the pipe has ended and the DATA_FIN is not DATA_ACKed
  bool fin_sent() const { return fin_ != Fin::kUnsent; }
  bool fin_acked() const { return fin_ == Fin::kAcked; }
  // May lie in the past: then a timer waits to be started by on_deadline(). What is due and only
  // waits for a subflow is no deadline.
  Instant next_deadline() const;
  // `rto`: the longest of the usable subflows' RTOs. Starts timers and marks what they say should
  // go again; afterwards next_deadline() is later than `now`. Cheap: call it at every flush. True
  // when the head timer fired.
  bool on_deadline(Duration rto, Instant now);
  const DataSequence& sequence() const { return sequence_; }
  Pipe& pipe() { return pipe_; }
  void validate() const;

 private:
  // A mapping's sixteen-bit length leaves one octet for the DATA_FIN (M78).
  static constexpr std::uint32_t kMaxRange = 65534;  // bytes
  enum class Fin : std::uint8_t { kUnsent, kSent, kAcked };
  using Record = DataRecord;
  using Carrier = DataRecord::Carrier;
  using Standing = DataRecord::Standing;
  // A timer that is started by on_deadline(), the one place that knows the time and the RTO.
  struct Timer {
    std::optional<Instant> started;
    std::uint32_t fired = 0;  // since the last reset: each doubles the interval
    Instant deadline(Duration rto) const;
    void reset() { *this = Timer(); }
  };
  using Records = Ring<Record>;

  std::optional<Range> next_due(SubflowId subflow, std::uint32_t max_length) const;
  std::optional<Range> next_new(std::uint32_t max_length) const;
  std::optional<Range> next_probe(SubflowId subflow, std::uint32_t max_length) const;
  bool probe_is_out() const { return snd_una_ < snd_nxt_ && snd_una_ >= window_edge_; }
  bool may_probe() const;
  StreamOffset copied_to(SubflowId subflow) const;
  void set_copied_to(SubflowId subflow, StreamOffset offset);
  std::size_t index_at(StreamOffset offset) const;
  void split_at(StreamOffset offset);
  void set_due(Record& record);
  void clear_due(Record& record);
  void seek_first_due();
  void release_up_to(StreamOffset offset);
  bool ends_stream(StreamOffset offset) const;
  bool head_timer_wanted() const;
  bool persist_timer_wanted() const;
  bool fin_timer_wanted() const;
  bool run(Timer& timer, bool wanted, Instant now);
  Instant due(const Timer& timer) const;
  Instant deadline(const Timer& timer, bool wanted) const;
  void fire_head_timer();

  Pipe& pipe_;
  DataSequence sequence_;
  Records records_;  // [snd_una_, snd_nxt_) in order, without gaps
  StreamOffset snd_una_;
  StreamOffset snd_nxt_;
  StreamOffset window_edge_;  // the highest DATA_ACK + window seen (M70)
  enum class EdgeFrom : std::uint8_t { kHandshake, kDataAck } edge_from_ = EdgeFrom::kHandshake;
  StreamOffset first_due_;  // no due record ends at or below it
  std::uint64_t due_bytes_ = 0;
  Fin fin_ = Fin::kUnsent;
  // Below this offset there is nothing to copy for that subflow; an entry for each that ever asked.
  std::vector<std::pair<SubflowId, StreamOffset>> copied_to_;
  bool fin_again_ = false;  // its timer fired, or a subflow that may have carried it failed
  bool probe_due_ = false;
  Duration rto_ = 1s;  // RFC 6298 2.1, until somebody knows better
  Timer head_timer_;
  Timer persist_timer_;
  Timer fin_timer_;
  Duration ack_timeout_{};
};

}  // namespace braid::mptcp
