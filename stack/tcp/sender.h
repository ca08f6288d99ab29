// Sender: what is outstanding, what may leave now, and what is lost. One per connection.
//
// Works on positions (see stream_user.h); the FIN is one more position after the last byte. It holds
// snd_una, snd_nxt and snd_wnd, the scoreboard, the RTT estimate, loss recovery (RACK, RFC 8985, with
// RFC 6675 accounting), the congestion controller, pacing, and two timers:
//   retransmission (RFC 6298)  armed while anything is outstanding
//   persist (RFC 9293 3.8.6.1) armed while the peer's window holds everything back
// It builds no segments: plan() says what should leave, the connection builds it and reports sent().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "stack/base/interval_set.h"
#include "stack/base/time.h"
#include "stack/cc/controller.h"
#include "stack/tcp/pacer.h"
#include "stack/tcp/rtt.h"
#include "stack/tcp/scoreboard.h"

namespace braid::tcp {

class Sender {
 public:
  struct Setup {
    std::uint32_t mss = 536;             // payload bytes of a full segment, options subtracted
    std::uint32_t max_super_payload = 65536;  // bytes one plan() may cover
    bool sack = false;
    std::unique_ptr<cc::Controller> controller;
    std::uint32_t max_retransmissions = 15;  // of one segment, then give up (RFC 1122 R2)
  };

  enum class Kind : std::uint8_t { kNew, kRetransmission, kWindowProbe };
  struct Plan {
    std::uint64_t position = 0;
    std::uint32_t max_length = 0;  // bytes of data; 0 with fin alone
    bool fin = false;              // the FIN may ride when all bytes up to it are in this segment
    Kind kind = Kind::kNew;
  };

  struct AckInput {
    std::uint64_t ack = 0;                  // position; beyond snd_nxt was refused by the caller
    std::span<const Interval> sack;         // SACK blocks as positions, unfiltered
    std::uint64_t window = 0;               // bytes, scaled
    bool window_update_allowed = false;     // RFC 9293 SND.WL1/WL2 test, done by the caller
    bool carries_data = false;              // payload, SYN or FIN: not a duplicate ACK
    bool signalling_only = false;           // carries a non-DSS MPTCP option (RFC 8684 M13)
    bool ecn_echo = false;
    std::optional<Duration> timestamp_rtt;  // from TSecr, when the ACK advances
  };
  struct AckOutcome {
    std::uint64_t newly_acked = 0;  // positions, cumulatively
    bool budget_grew = false;       // more new data may leave than before
    bool fin_acked = false;
  };
  enum class TimerOutcome : std::uint8_t { kNothing, kRetransmit, kProbe, kGiveUp };

  explicit Sender(Setup setup);

  // The handshake is done: the SYN's payload up to `acked` is acknowledged, the rest is lost.
  // `rtt`: the handshake's sample if it may be used (DESIGN 6: never for a Convert SYN).
  void start(std::uint64_t acked, std::uint64_t sent, std::uint64_t window,
             std::optional<Duration> rtt, Instant now);
  void set_mss(std::uint32_t mss, Instant now);  // path MTU changed: outstanding data is cut anew

  // What the user has: bytes up to `end`, and whether a FIN follows. Called before plan().
  void set_end(std::uint64_t end, bool finished);

  AckOutcome receive_ack(const AckInput& input, Instant now);
  // What should leave now, or nothing. Repeated until nothing; each Plan is followed by sent().
  std::optional<Plan> plan(Instant now);
  // `length` bytes (at most the plan's) and possibly the FIN have left. kLost: the device lost it.
  void sent(const Plan& plan, std::uint32_t length, bool fin, Instant now);

  // New bytes the network and the peer would take now, beyond snd_nxt and what is queued already:
  // what a scheduler may still map onto this connection.
  std::uint64_t budget(Instant now) const;

  Instant next_deadline() const;
  TimerOutcome on_deadline(Instant now);
  // RFC 9293 3.8.3 / RFC 5482: a soft "this path is in doubt" is the user's business; this counts.
  std::uint32_t consecutive_timeouts() const;

  std::uint64_t snd_una() const;
  std::uint64_t snd_nxt() const;
  std::uint64_t snd_wnd() const;
  std::uint64_t in_flight() const;  // bytes, by the scoreboard
  bool in_recovery() const;
  const Rtt& rtt() const;
  const cc::Controller& controller() const;
  struct Counters {
    std::uint64_t bytes_sent = 0, bytes_retransmitted = 0, timeouts = 0, recoveries = 0,
                  spurious = 0, tail_loss_probes = 0;
  };
  const Counters& counters() const;
  void validate() const;

 private:
  // (the author's)
};

}  // namespace braid::tcp
