// Sender: what is outstanding, what may leave now, and what is lost. One per connection.
//
// Works on positions (see stream_user.h); the FIN is one more position after the last byte. It
// holds snd_una, snd_nxt and snd_wnd, the scoreboard, the RTT estimate, loss recovery (RACK, RFC
// 8985, with RFC 6675 accounting), the congestion controller, pacing, and two timers:
//   retransmission (RFC 6298)  armed while anything is outstanding and the window is open
//   persist (RFC 9293 3.8.6.1) armed while the peer's window holds everything back
//   probe (RFC 8985 section 7) the tail loss probe, before the retransmission timer
//   reordering (RFC 8985 6.2)  until the next record is overdue
//   pacing                     until the next burst may leave
// It builds no segments: plan() says what should leave, the connection builds it and reports
// sent(). One flush of the connection: on_deadline() if next_deadline() has passed, set_end(), then
// plan() and sent() in turn until plan() has nothing.
//
// Files: sender.cpp takes ACKs, sender_plan.cpp says what leaves, sender_timers.cpp the timers,
// sender_path_probe.cpp probes the path MTU.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "stack/base/interval_set.h"
#include "stack/base/time.h"
#include "stack/cc/controller.h"
#include "stack/tcp/frto.h"
#include "stack/tcp/pacer.h"
#include "stack/tcp/path_memory.h"
#include "stack/tcp/prr.h"
#include "stack/tcp/rack.h"
#include "stack/tcp/rate_sampler.h"
#include "stack/tcp/recovery.h"
#include "stack/tcp/rtt.h"
#include "stack/tcp/scoreboard.h"

namespace braid::tcp {

class Sender {
 public:
  struct Setup {
    std::uint32_t mss = 536;                  // payload bytes of a full segment, options subtracted
    std::uint32_t max_super_payload = 65536;  // bytes one plan() may cover
    bool sack = false;
    std::unique_ptr<cc::Controller> controller;
    Duration peer_ack_delay = 200ms;         // of a lone segment at most
    std::uint32_t max_retransmissions = 15;  // of one segment, then give up (RFC 1122 R2)
    // The timer expired while our SYN was waited for (RFC 6298 5.7).
    enum class Syn : std::uint8_t { kAnswered, kRepeated } syn = Syn::kAnswered;
  };

  enum class Kind : std::uint8_t { kNew, kRetransmission, kWindowProbe };
  enum class Size : std::uint8_t { kUsual, kPathProbe };
  struct Plan {
    std::uint64_t position = 0;
    std::uint32_t max_length = 0;  // bytes of data; 0 with fin alone
    bool fin = false;              // the FIN rides when all max_length bytes are in this segment
    Kind kind = Kind::kNew;
    // kPathProbe: one segment, to hold as much as makes the packet to be probed full; at least
    // path_probe_payload() bytes, or it is no probe and a usual segment at most.
    Size size = Size::kUsual;
  };

  struct AckInput {
    std::uint64_t ack = 0;               // position; beyond snd_nxt was refused by the caller
    std::span<const Interval> sack;      // SACK blocks as positions, unfiltered
    std::uint64_t window = 0;            // bytes, scaled
    bool window_update_allowed = false;  // RFC 9293 SND.WL1/WL2 test, done by the caller
    bool carries_data = false;           // payload, SYN or FIN: not a duplicate ACK
    bool signalling_only = false;        // carries a non-DSS MPTCP option (RFC 8684 M13)
    bool ecn_echo = false;
    std::optional<Duration> timestamp_rtt;  // from TSecr, when the ACK advances
    // The moment TSecr stands for: the start of that tick of our timestamp clock, whose ticks are
    // Recovery::kTimestampTick. Finds recoveries that were in vain; without it only DSACK does.
    std::optional<Instant> echoed;
  };
  struct AckOutcome {
    std::uint64_t newly_acked = 0;  // positions, cumulatively
    bool budget_grew = false;       // more new data may leave than before
    bool fin_acked = false;
    std::uint32_t largest_segment = 0;  // payload of the largest segment that arrived; 0: none
  };
  enum class TimerOutcome : std::uint8_t { kNothing, kRetransmit, kProbe, kGiveUp };

  explicit Sender(Setup setup);
  // Before start(): what is known of the path's round trip is others' too. The record outlives the
  // sender.
  void share(PathRecord& path) {
    path_ = &path;
    controller_->join_path(path.queue_trials());
  }

  // The handshake is done: the SYN's payload up to `acked` is acknowledged, the rest is lost.
  // `rtt`: the handshake's sample if it may be used (DESIGN 6: never for a Convert SYN).
  // Once, before anything else but set_mss(). A passive open with early data calls it in
  // SYN-RECEIVED with acked = sent = 0 and no sample, and sample_rtt() when it has one.
  void start(std::uint64_t acked, std::uint64_t sent, std::uint64_t window,
             std::optional<Duration> rtt, Instant now);
  bool started() const { return started_; }
  void sample_rtt(Duration rtt, Instant now);
  // The path MTU or the options changed. `reason` kPathMtu: what is in flight in larger segments
  // was dropped by the path: it is sent again, and no congestion is concluded (RFC 1191 6.4).
  enum class MssReason : std::uint8_t { kOptions, kPathMtu };
  void set_mss(std::uint32_t mss, Instant now, MssReason reason = MssReason::kPathMtu);
  std::uint32_t mss() const { return mss_; }

  // --- path MTU probes (RFC 8899), sent with data that has to leave anyway (sender_path_probe.cpp)

  // The payload of the next one, larger than mss(); 0: none is wanted.
  void want_path_probe(std::uint32_t payload) { path_probe_payload_ = payload; }
  std::uint32_t path_probe_payload() const { return path_probe_payload_; }
  enum class ProbeFate : std::uint8_t { kNone, kArrived, kLost };
  // What became of the last probe; said once.
  ProbeFate take_probe_fate();
  // Payload of the segments the oldest outstanding bytes left in last; 0 when there are none.
  std::uint32_t head_segment() const;

  std::uint32_t max_super_payload() const { return std::max(max_super_payload_, mss_); }

  // What the user has: bytes up to `end`, and whether a FIN follows. Called before plan().
  void set_end(std::uint64_t end, bool finished);

  AckOutcome receive_ack(const AckInput& input, Instant now);
  // What should leave now, or nothing. Repeated until nothing; each Plan is followed by sent().
  std::optional<Plan> plan(Instant now);
  // `length` bytes (at most the plan's) and possibly the FIN have left. A local loss (ENOBUFS) is
  // reported as sent, too: recovery finds it, and the loop over plan() ends.
  void sent(const Plan& plan, std::uint32_t length, bool fin, Instant now);

  // New bytes the network and the peer would take now, beyond snd_nxt and what is queued already:
  // what a scheduler may still map onto this connection. Pacing does not count: it spreads what
  // the window allows, it does not shrink it.
  std::uint64_t budget(Instant now) const;

  Instant next_deadline() const;
  // Whatever is due by `now`; harmless when nothing is. kNothing may still have made plan() ready
  // (pacing, reordering, tail loss probe), so the plan loop follows in every case but kGiveUp.
  // kRetransmit: the retransmission timer; consecutive_timeouts() is counted already.
  TimerOutcome on_deadline(Instant now);
  // RFC 9293 3.8.3 / RFC 5482: a soft "this path is in doubt" is the user's business; this counts.
  std::uint32_t consecutive_timeouts() const { return consecutive_timeouts_; }

  // True once after the window was reduced for an ECN echo: CWR goes on the next new data segment.
  bool take_cwr();

  std::uint64_t snd_una() const { return scoreboard_.una(); }
  std::uint64_t snd_nxt() const { return scoreboard_.nxt(); }  // the FIN counts as one position
  // The peer's window is at least this wide, though no ACK of this connection's has said so
  // (windows shared between connections, RFC 8684 3.3.4). True when that is news.
  bool raise_window(std::uint64_t window, Instant now);
  std::uint64_t snd_wnd() const { return snd_wnd_; }
  std::uint64_t in_flight() const;                           // bytes, by the scoreboard
  std::uint64_t lost() const { return scoreboard_.lost(); }  // bytes, waiting to be sent again
  Instant oldest_sent() const;  // when the lowest outstanding byte left; never: none is
  bool in_recovery() const { return !recovery().open(); }
  const Scoreboard& scoreboard() const { return scoreboard_; }
  bool all_sent() const { return started_ && snd_nxt() >= limit(); }
  bool fin_sent() const { return finished_ && snd_nxt() > end_; }
  bool fin_acked() const { return finished_ && snd_una() > end_; }
  const Rtt& rtt() const { return rtt_; }
  Duration retransmission_timeout() const;  // with backoff
  Rate pacing_rate() const;
  const cc::Controller& controller() const { return *controller_; }
  const RateSampler& rate_sampler() const { return rate_sampler_; }
  struct Counters {
    std::uint64_t bytes_sent = 0, bytes_retransmitted = 0, timeouts = 0, recoveries = 0,
                  spurious = 0, tail_loss_probes = 0, window_probes = 0;
  };
  const Counters& counters() const { return counters_; }
  void validate() const;

 private:
  static constexpr std::uint32_t kDupThresh = 3;           // RFC 5681 3.2
  static constexpr std::uint32_t kInitialSegments = 10;    // RFC 6928
  static constexpr std::uint32_t kFewSegments = 4;         // RFC 7765: rrthresh
  static constexpr Duration kSillyWindowOverride = 500ms;  // RFC 9293 3.8.6.2.1: 0.1 to 1 s

  // What mends losses. Most connections never meet one.
  struct Repair {
    Prr prr;
    Recovery recovery;
    Frto frto;
  };
  const Recovery& recovery() const;
  Repair& repair();  // made on first use
  bool asks_by_new_data() const { return repair_ && repair_->frto.holds_retransmissions(); }

  // One past the last position there is to send, the FIN included.
  std::uint64_t limit() const { return end_ + (finished_ ? 1 : 0); }
  std::uint64_t window_edge() const { return snd_una() + snd_wnd_; }
  bool window_blocks() const { return snd_wnd_ == 0 && (!scoreboard_.empty() || !all_sent()); }
  // Bytes the congestion window lets leave now; PRR's share during fast recovery.
  std::uint64_t allowance() const;

  // sender.cpp
  std::optional<Interval> find_dsack(const AckInput& input) const;
  bool is_duplicate(const AckInput& input) const;
  void update_window(const AckInput& input);
  void sample_from(const AckInput& input, const Scoreboard::Delivery& delivery, Instant now);
  void note_probe_answer(const AckInput& input, const Scoreboard::Delivery& delivery,
                         const std::optional<Interval>& dsack, Instant now);
  void take_ecn_echo(Instant now);
  void finish_recovery(const AckInput& input, const Scoreboard::Delivery& delivery, bool duplicate);
  bool was_in_vain(const AckInput& input, const Scoreboard::Delivery& delivery, bool duplicate);
  void undo();
  void judge_by_time(const Scoreboard::Delivery& delivery, Instant now);
  void judge_by_duplicates(Scoreboard::Delivery& delivery, bool duplicate, Instant now);
  void enter_fast_recovery(std::uint64_t flight, Instant now);
  void report_losses(Instant now);
  void feed_controller(const Scoreboard::Delivery& delivery, std::uint64_t prior_in_flight,
                       Instant now);
  cc::Congestion congestion(cc::CongestionKind kind, Instant now) const;
  bool cwnd_limited() const;
  Rack::Facts rack_facts() const;

  // sender_plan.cpp
  Plan plan_window_probe() const;
  std::optional<Plan> plan_tail_probe() const;
  std::optional<Plan> plan_frto();
  std::uint64_t room_to_leave() const;
  std::optional<Plan> plan_retransmission(Instant now);
  std::optional<Plan> plan_new(Instant now);
  void note_idle_room(Instant now);
  Plan cover(std::uint64_t begin, std::uint64_t end, Kind kind) const;
  std::uint64_t burst(Instant now) const;
  void tell_others(Instant now);
  bool held_by_pacing(Instant now);
  bool window_worth_filling(std::uint64_t usable) const;
  void restart_after_idle(Instant now);

  // sender_path_probe.cpp
  std::optional<Plan> plan_path_probe(Instant now);
  void path_probe_sent(std::uint64_t begin, std::uint64_t end);
  void judge_path_probe();
  bool only_path_probe_lost() const;

  // sender_timers.cpp
  void restart_retransmission_timer(Instant now);
  void advance_retransmission_timer();
  void stop_recovery_timers();
  void arm_after_sending(const Plan& plan, Instant now);
  void arm_tail_probe(Instant now);
  void arm_persist(Instant now);
  void arm_after_ack(bool advanced, Instant now);
  void reordering_due(Instant now);
  TimerOutcome retransmission_due(Instant now);
  TimerOutcome persist_due(Instant now);

  std::uint32_t mss_;
  std::uint32_t max_super_payload_;
  std::uint32_t max_retransmissions_;
  std::chrono::duration<std::int32_t, std::milli> peer_ack_delay_;
  std::unique_ptr<cc::Controller> controller_;

  bool sack_;
  bool started_ = false;
  std::uint64_t end_ = 0;
  bool finished_ = false;
  std::uint64_t snd_wnd_ = 0;
  std::uint64_t max_window_ = 0;  // the largest ever offered, for silly window avoidance

  Scoreboard scoreboard_;
  Rtt rtt_;
  Rack rack_;
  TailLossProbe tail_probe_;
  std::unique_ptr<Repair> repair_;  // since the first loss
  PathRecord* path_ = nullptr;      // none: nobody shares
  Pacer pacer_;
  RateSampler rate_sampler_;
  std::uint64_t newly_lost_ = 0;  // bytes, since the controller last heard of an ACK

  std::uint64_t flight_before_ack_ = 0;  // bytes outstanding and not SACKed
  std::uint32_t duplicate_acks_ = 0;     // without SACK only
  std::uint64_t reno_delivered_ = 0;     // bytes that duplicate ACKs say have arrived
  struct PathProbe {
    std::uint64_t begin = 0;
    std::uint64_t order = 0;  // of its transmission
  };
  std::optional<PathProbe> path_probe_;  // under way
  std::uint32_t path_probe_payload_ = 0;
  ProbeFate path_probe_fate_ = ProbeFate::kNone;
  // A probe has just left: what follows it leaves too, for its ACK tells of the probe's fate.
  bool chaser_due_ = false;
  std::uint64_t probed_up_to_ = 0;  // what a probe has held is not held up by another one
  std::uint64_t ecn_point_ = 0;     // one reduction until this is acknowledged
  bool cwr_pending_ = false;

  std::uint64_t round_end_ = 0;         // a round trip ends when this is acknowledged
  std::uint64_t round_max_flight_ = 0;  // bytes, in this round
  std::uint64_t last_max_flight_ = 0;   // and in the one before
  Instant last_sent_at_;

  Instant retransmission_deadline_ = kNever;
  Instant persist_deadline_ = kNever;
  Instant probe_deadline_ = kNever;
  Instant reordering_deadline_ = kNever;
  Instant pacing_deadline_ = kNever;
  std::uint32_t backoff_ = 0;               // doublings of the timeout
  std::uint32_t consecutive_timeouts_ = 0;  // without progress
  std::uint32_t persist_backoff_ = 0;
  std::uint32_t unanswered_probes_ = 0;
  bool window_probe_due_ = false;
  bool tail_probe_due_ = false;
  bool sampled_since_probe_ = true;  // an RTT was measured since the last tail loss probe
  bool head_due_ = false;            // the timer fired: the head leaves whatever is in flight
  bool silly_override_ = false;      // a small window is used after all

  Counters counters_;
};

}  // namespace braid::tcp
