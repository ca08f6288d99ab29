// StreamUser: what one TCP connection carries. The engine (Connection) does not know which.
//
// Two kinds exist: PipeStream (plain bytes between the connection and two pipes) and
// mptcp::Subflow. Positions are 64-bit and count the bytes after the SYN: position 0 is sequence
// number ISN + 1, SYN payload included; the FIN occupies the position after the last byte. The
// engine keeps no bytes: it tells the user where arriving bytes belong and asks the user for bytes
// to send.
//
// After closed() the engine never calls the user again and the user drops its Connection pointer.
#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/interval_set.h"
#include "stack/base/time.h"
#include "stack/tcp/close_reason.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

// Why a segment is being built; decides which options belong on it.
enum class Purpose : std::uint8_t { kSyn, kSynAck, kHandshakeAck, kAck, kData, kReset };

struct Outgoing {
  Purpose purpose = Purpose::kAck;
  std::uint64_t position = 0;  // of the first payload byte (kData), else of the next byte to send
  std::uint32_t length = 0;    // the most payload this segment will hold; 0 without kData
  bool fin = false;            // the segment also carries the FIN
  bool retransmission = false;
  Instant now;
};

// How the window this user grants is to be read.
enum class WindowScope : std::uint8_t {
  kStream,  // counts from this connection's rcv_nxt: its right edge may never move left
  kShared,  // counts from the data level of an MPTCP connection (RFC 8684 3.3.4)
};

// What the engine does after the user has seen a segment's options.
enum class Verdict : std::uint8_t { kContinue, kReset };

class StreamUser {
 public:
  virtual ~StreamUser() = default;

  // --- receiving. Called only for segments that passed TCP's own checks (RFC 8684 M12).

  // Every acceptable segment after the SYNs, pure ACKs too, before its payload is placed.
  // `position` is that of its first sequence number. kReset: the engine aborts with a RST.
  virtual Verdict segment_arrived(const wire::Segment& segment, std::uint64_t position,
                                  Instant now) = 0;
  // Bytes of that segment inside the window; possibly right of the next expected position, possibly
  // seen before. Returns the positions now certainly kept (a range inside the given one, or empty):
  // only these are ever acknowledged or SACKed, and what was acknowledged is never given up.
  virtual Interval place(std::uint64_t position, const Slices& bytes, Instant now) = 0;
  // Every position below `position` has been received (what place() kept is now in order).
  virtual void received_up_to(std::uint64_t position, Instant now) = 0;
  // The peer's FIN is in order: nothing follows `position`.
  virtual void peer_finished(std::uint64_t position, Instant now) = 0;
  // Bytes the peer may send beyond rcv_nxt (kStream) or beyond the DATA_ACK (kShared).
  virtual std::uint64_t receive_window() const = 0;
  virtual WindowScope window_scope() const = 0;

  // --- sending.

  // One past the last position with a byte to send; never falls.
  virtual std::uint64_t send_end() const = 0;
  // The stream ends at send_end(): a FIN follows it.
  virtual bool send_finished() const = 0;
  // Bytes from `position`, at most max_length, at least one if position < send_end(); shorter where
  // one segment must not reach further (the end of a DSS mapping). Sent-and-unacked positions may
  // be asked for any number of times.
  virtual Slices peek(std::uint64_t position, std::uint32_t max_length) const = 0;
  // The most bytes add_options() will put on a data segment: what the segment size leaves room for.
  virtual std::uint32_t data_option_bytes() const = 0;
  // Adds this user's options to a segment about to leave. Timestamps and SYN options are there
  // already; SACK blocks too (they are cut to fit afterwards).
  virtual void add_options(const Outgoing& outgoing, wire::TcpOptions& options) = 0;
  // Everything below `position` is acknowledged.
  virtual void acked(std::uint64_t position, Instant now) = 0;

  // --- life.

  // The handshake is complete. `segment`: the SYN-ACK (active open), or the ACK that completed a
  // passive one. `syn_bytes_acked`: how much of our SYN's payload the SYN-ACK acknowledged.
  virtual Verdict established(const wire::Segment& segment, std::uint32_t syn_bytes_acked,
                              Instant now) = 0;
  // Passive open: whether this segment may complete the handshake. One that may not is dropped as
  // if it had been lost, and comes again. Default: any.
  virtual bool may_complete(const wire::Segment& /*segment*/) const { return true; }
  // The peer repeated its SYN while our answer is withheld. Default: nobody cares.
  virtual void syn_repeated() {}
  // The retransmission timer fired with bytes outstanding; `consecutive` counts from 1.
  virtual void retransmission_timeout(std::uint32_t consecutive, Instant now) = 0;
  // Window, congestion window or device opened: send budget may have grown. Default: nobody cares.
  virtual void send_budget_grew() {}
  // Gone (or in TIME-WAIT, where the engine needs nobody). Last call ever made.
  virtual void closed(CloseReason reason, Instant now) = 0;
};

}  // namespace braid::tcp
