// Handshake: the SYNs of one connection: what they offer, what was agreed, when they are repeated.
//
// RFC 9293 3.7.1 (MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 3168 6.1.1 (ECN).
// It builds no segments. One timer:
//   SYN (RFC 6298 2.1, 5.5)  armed by start() and sent(); 1 s, soon doubled, up to 60 s
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/time.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

class Handshake {
 public:
  struct Offer {
    wire::Family family = wire::Family::kIpv4;
    std::uint32_t mtu = 1500;
    std::uint8_t window_scale = 8;
    bool timestamps = true, sack = true, ecn = true;
    Duration timeout = 180s;                // give up this long after the first SYN
    std::uint32_t max_retransmissions = 7;  // or after this many, whichever is first
    std::uint32_t linear_timeouts = 0;      // so many expire before the timeout doubles
  };
  // What both ends' SYNs allow, once peer_syn() was called.
  struct Agreed {
    bool timestamps = false, sack = false, ecn = false;
    std::uint8_t send_shift = 0;     // of windows the peer announces after the SYNs
    std::uint8_t receive_shift = 0;  // of windows we announce after the SYNs
    std::uint16_t peer_mss = 536;    // bytes of payload plus options, as announced or the default
  };
  enum class Timeout : std::uint8_t { kNothing, kResend, kGiveUp };

  explicit Handshake(const Offer& offer);

  // The options of our SYN, or of our SYN-ACK when the peer's SYN is known: MSS, window scale,
  // SACK-permitted. Timestamps are the caller's (they need a clock), if uses_timestamps().
  void add_options(wire::TcpOptions& options) const;
  bool uses_timestamps() const { return peer_known_ ? agreed_.timestamps : offer_.timestamps; }
  // ECE and CWR of the SYN about to leave (RFC 3168 6.1.1; a retransmitted one asks for nothing).
  wire::TcpFlags ecn_flags() const;

  // The peer's SYN or SYN-ACK.
  void peer_syn(const wire::Segment& segment);
  const Agreed& agreed() const { return agreed_; }
  std::uint16_t own_mss() const;  // as we announce it

  // The attempt begins: from here on it can time out, even if no SYN ever gets out of the door.
  void start(Instant now);
  // A SYN or SYN-ACK has left because it was due (the timer runs) or because the peer repeated its
  // own (the timer is left alone).
  enum class Sent : std::uint8_t { kDue, kAnswer };
  void sent(Sent why, Instant now);
  Timeout on_deadline(Instant now);
  Instant next_deadline() const { return deadline_; }
  // SYNs that have left.
  std::uint32_t transmissions() const { return transmissions_; }
  // The timer expired while our SYN was waited for.
  bool timed_out() const { return timed_transmissions_ > 1; }
  // SYNs of ours left at and after `when`, a tick of the timestamp clock.
  bool was_sending(Instant when) const {
    return transmissions_ > 0 && when + std::chrono::milliseconds(1) > first_sent_;
  }
  // The time since our SYN left, if it left once only (Karn).
  std::optional<Duration> round_trip(Instant now) const;

 private:
  Offer offer_;
  Agreed agreed_;
  bool peer_known_ = false;
  bool peer_scales_ = false;
  std::uint32_t transmissions_ = 0;
  std::uint32_t timed_transmissions_ = 0;  // of these, sent because they were due
  Instant started_{};
  Instant first_sent_{};
  Duration rto_;
  Instant deadline_ = kNever;
};

// Bytes of IP and TCP header without options: what an MTU exceeds an MSS by (RFC 9293 MUST-67).
constexpr std::uint32_t header_bytes(wire::Family family) {
  return family == wire::Family::kIpv4 ? 40 : 60;
}
// RFC 9293 MUST-15: the MSS of a peer that announced none, and the least we ever cut to.
constexpr std::uint16_t default_mss(wire::Family family) {
  return family == wire::Family::kIpv4 ? 536 : 1220;
}

}  // namespace braid::tcp
