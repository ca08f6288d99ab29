// Receiver: the receiving side of one connection: rcv_nxt, what waits out of order, SACK and DSACK
// blocks, when an ACK is due, timestamps to echo, ECN to echo. RFC 9293 3.10.7.4 (seventh and
// eighth step), RFC 2018, RFC 2883, RFC 7323 4.3 and 5, RFC 5681 4.2, RFC 3168 6.1.3.
//
// Positions are those of stream_user.h. It keeps no bytes and sends nothing: acceptance of segments
// is in acceptance.h, building them is the connection's. One timer:
//   delayed ACK (RFC 9293 3.8.6.3)  40 ms after the first segment not acknowledged at once, or less
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/interval_set.h"
#include "stack/base/seq.h"
#include "stack/base/time.h"
#include "stack/tcp/receive_window.h"
#include "stack/tcp/stream_user.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

class Receiver {
 public:
  struct Setup {
    SeqNum irs;  // the peer's initial sequence number
    WindowScope scope = WindowScope::kStream;
    std::uint8_t shift = 0;  // of the windows we announce
    bool sack = false;
    std::uint32_t mss = 536;  // as we announced it
  };
  static constexpr Duration kAckDelay = 40ms;
  static constexpr std::uint32_t kQuickAcks = 16;  // segments acknowledged at once at the start

  explicit Receiver(const Setup& setup);

  // --- positions
  SeqNum seq_of(std::uint64_t position) const {
    return irs_ + 1 + static_cast<std::uint32_t>(position);
  }
  // The position nearest to rcv_nxt with this sequence number; negative for what precedes byte 0.
  std::int64_t position_of(SeqNum seq) const {
    return static_cast<std::int64_t>(rcv_nxt_) + (seq - seq_of(rcv_nxt_));
  }
  SeqNum rcv_nxt() const { return seq_of(rcv_nxt_); }
  std::uint64_t next_position() const { return rcv_nxt_; }  // the FIN counts as one
  std::uint64_t last_ack_sent() const { return last_ack_sent_; }
  bool finished() const { return fin_ && rcv_nxt_ > *fin_; }  // the FIN is in order

  // --- arrival. `position` is that of the first payload byte; the segment overlaps the window.
  // Cuts what lies outside, gives the rest to the user, moves rcv_nxt, marks the ACK due.
  void receive(const wire::Segment& segment, std::int64_t position, StreamUser& user, Instant now);
  // A whole segment left of rcv_nxt: answered at once, with a DSACK if it held bytes.
  void receive_old(std::int64_t position, std::uint32_t length);
  // Something that only deserves an ACK (a probe right of the window, a bad timestamp).
  void ack_now() { ack_ = AckDue::kNow; }

  // --- timestamps (RFC 7323)
  enum class Paws : std::uint8_t { kFine, kOld };
  Paws check_timestamp(const wire::Timestamps& timestamps, Instant now) const;
  // For an acceptable segment that begins at `position`.
  void note_timestamp(const wire::Timestamps& timestamps, std::int64_t position, Instant now);
  std::uint32_t ts_recent() const { return ts_recent_; }

  // --- what leaves
  enum class AckDue : std::uint8_t { kNone, kDelayed, kNow };
  AckDue ack_due() const { return ack_; }
  // How long the ACKs to come may be delayed, at most kAckDelay.
  void set_ack_delay(Duration delay) { ack_delay_ = std::min(delay, kAckDelay); }
  // The first segments are no longer acknowledged at once.
  void end_quick_acks() { quick_acks_left_ = 0; }
  // The delayed ACK's time has come at `now`.
  void on_deadline(Instant now);
  Instant next_deadline() const { return ack_ == AckDue::kDelayed ? ack_deadline_ : kNever; }
  // SACK blocks of a segment about to leave: DSACK first, then the most recent (RFC 2018 4).
  void add_sack(wire::TcpOptions& options) const;
  // There is something to SACK that no segment has carried yet.
  bool sack_news() const { return sack_news_; }
  bool ecn_echo() const { return ecn_echo_; }
  ReceiveWindow& window() { return window_; }
  const ReceiveWindow& window() const { return window_; }
  // A segment with these options acknowledging rcv_nxt has left.
  void sent(const wire::TcpOptions& options);

  const IntervalSet& out_of_order() const { return out_of_order_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  void validate() const;

 private:
  static constexpr std::size_t kRecent = 8;

  enum class Order : std::uint8_t { kKept, kBroken };  // by a segment: next in line, no gap

  void note_ecn(const wire::Segment& segment);
  void note_duplicate(std::uint64_t first, std::uint64_t begin, std::uint64_t end);
  void place(const Slices& payload, std::uint64_t begin, StreamUser& user, Instant now);
  void advance(std::uint64_t to, StreamUser& user, Instant now);
  void take_fin(StreamUser& user, Instant now);
  void note_recent(std::uint64_t position);
  void schedule_ack(const wire::Segment& segment, Order order, Instant now);

  SeqNum irs_;
  bool sack_;
  std::uint64_t rcv_nxt_ = 0;
  std::uint64_t last_ack_sent_ = 0;
  IntervalSet out_of_order_;
  std::optional<std::uint64_t> fin_;  // the FIN's position, once it was seen inside the window
  // Positions inside the blocks to report, most recent first; entries may be stale.
  std::vector<std::uint64_t> recent_;
  std::optional<Interval> duplicate_;  // for a DSACK
  bool sack_news_ = false;

  ReceiveWindow window_;
  std::uint32_t own_mss_;
  AckDue ack_ = AckDue::kNone;
  Instant ack_deadline_ = kNever;
  Duration ack_delay_ = kAckDelay;
  std::uint64_t unacked_bytes_ = 0;
  std::uint32_t peer_segment_ = 536;  // the largest piece seen: what "full segment" means
  std::uint32_t quick_acks_left_ = kQuickAcks;
  bool ecn_echo_ = false;

  std::uint32_t ts_recent_ = 0;
  Instant ts_recent_at_{};
  bool ts_recent_valid_ = false;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace braid::tcp
