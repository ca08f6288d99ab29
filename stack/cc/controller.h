// Controller: a congestion controller. Gets facts, answers with a window and a pacing rate.
//
// The sender tells it what happened (struct per kind of event); it never asks back and knows
// nothing of segments. Bytes everywhere. One file per algorithm; the factory maps names to them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::cc {

inline constexpr std::uint64_t kUnlimited = UINT64_MAX;

// What one delivery showed of the path's rate (draft-cheng-iccrg-delivery-rate-estimation), taken
// over the flight of the last sent transmission it answers. All zero: no sample.
struct RateSample {
  Rate rate;
  std::uint64_t delivered = 0;        // bytes within the interval
  Duration interval{};                // the longer one of sending and of answering them
  std::uint64_t prior_delivered = 0;  // bytes ever delivered when that transmission left
  std::uint64_t flight_at_send = 0;   // bytes in flight when it had left, itself included
  std::uint64_t lost = 0;             // bytes judged lost since it left
  bool app_limited = false;           // there was not enough to send: the path may carry more
};

struct Ack {
  Instant now;
  std::uint64_t newly_delivered = 0;  // bytes, cumulatively acked or SACKed for the first time
  std::uint64_t newly_lost = 0;       // bytes judged lost since the last of these reports
  std::uint64_t prior_in_flight = 0;  // bytes in flight before this ACK
  std::uint64_t in_flight = 0;        // and after it, losses taken out
  std::uint64_t total_delivered = 0;  // bytes, ever, this ACK's included
  Duration srtt{};                    // zero while there is no sample
  Duration min_rtt{};
  Duration latest_rtt{};       // zero when this ACK gave no sample
  std::uint64_t round = 0;     // round trips so far, by delivery: recovery does not stop them
  bool round_ended = false;    // this ACK covers bytes sent after the round's start
  bool in_recovery = false;    // fast recovery: no growth (after a timeout there is)
  bool after_timeout = false;  // what was outstanding at a timeout is not yet all repaired
  bool cwnd_limited = false;   // the window, not the application, held the sender back
  RateSample sample{};
};

// One transmission, or a part of it, has just been judged lost.
struct Loss {
  Instant now;
  std::uint64_t bytes = 0;
  std::uint64_t flight_at_send = 0;   // bytes in flight when it had left; zero: not known any more
  std::uint64_t lost_since_send = 0;  // bytes judged lost since it left, itself included
  bool app_limited = false;           // when it left
};

// kQueue is not the network's word but a controller's own finding (queue_guard.h).
enum class CongestionKind { kLoss, kEcn, kQueue };

struct Congestion {  // at most once per round trip: the sender keeps the recovery point
  Instant now;
  CongestionKind kind = CongestionKind::kLoss;
  std::uint64_t in_flight = 0;
  Duration srtt{};
};

// Who says how much may leave in fast recovery: PRR (RFC 6937), on the way to the window that
// on_congestion left, or the window alone.
enum class RecoveryPace : std::uint8_t { kProportional, kWindow };

class QueueTrials;

class Controller {
 public:
  virtual ~Controller() = default;
  // What it may try together with the other flows of its path.
  virtual void join_path(std::shared_ptr<QueueTrials>) {}
  // `mss`: sender maximum segment size in bytes. May be called again when the path MTU changes.
  virtual void set_mss(std::uint32_t mss) = 0;
  virtual void on_ack(const Ack& ack) = 0;
  // Before on_ack() of the same ACK, once per transmission; also when a timer is the judge.
  virtual void on_loss(const Loss&) {}
  virtual void on_congestion(const Congestion& event) = 0;
  // The retransmission timer fired (once per series of timeouts of one segment).
  virtual void on_timeout(const Congestion& event) = 0;
  // The congestion event (or timeout) taken last was spurious: windows go back to before it.
  virtual void undo() = 0;
  // Nothing was sent for `idle`, longer than one RTO (RFC 5681 4.1).
  virtual void on_idle(Duration idle, Duration rto) = 0;

  virtual std::uint64_t cwnd() const = 0;      // bytes
  virtual std::uint64_t ssthresh() const = 0;  // bytes, kUnlimited at first
  bool in_slow_start() const { return cwnd() < ssthresh(); }
  // By how much the window is multiplied in a round trip of slow start.
  virtual double slow_start_step() const { return 2; }
  // What the sender paces at. `srtt` zero: unknown. Zero: do not pace.
  virtual Rate pacing_rate(Duration srtt) const = 0;
  virtual RecoveryPace recovery_pace() const { return RecoveryPace::kProportional; }
  virtual std::string_view name() const = 0;
};

// Subflows of one MPTCP connection whose controllers increase together (RFC 6356). The connection
// passes its group to the factory for each subflow, and the controllers keep it: TCP connections
// outlive the MPTCP connection they belonged to.
class CoupledGroup;

}  // namespace braid::cc
