// Bbr: a model of the path instead of its losses (BBRv3, draft-ietf-ccwg-bbr).
//
// The model is the path's bandwidth (the most that was delivered in two probing cycles) and its
// least RTT. Sending is paced at the bandwidth and in flight is about their product. What goes
// beyond is found out by probing:
//
//   startup --no more bandwidth, or too much loss--> drain --queue gone--> down
//      down --queue gone--> cruise --2 to 3 s, or as long as Reno would take--> refill
//      refill --one round--> up --no more bandwidth, or too much loss--> down
//      any --no lower RTT seen for 5 s--> probe_rtt --200 ms at half the product--> cruise or
//      startup
//
// "Too much loss" is more than 2 % within one flight: it sets inflight_hi, the most the path takes.
// Loss while not probing sets inflight_lo and bw_lo for the time until the next probe. Less loss
// than that is repaired and else ignored, which is the point on a path that loses by chance.
//
// The draft's waiting times have a random part: here it is mixed from what was delivered so far, so
// a run is a function of its inputs. bbr.cpp: per ACK, window, rate; bbr_model.cpp: what the path
// can do; bbr_cycle.cpp: the states.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stack/cc/controller.h"

namespace braid::cc {

class Bbr final : public Controller {
 public:
  enum class State : std::uint8_t { kStartup, kDrain, kDown, kCruise, kRefill, kUp, kProbeRtt };

  explicit Bbr(std::uint32_t mss);

  void set_mss(std::uint32_t mss) override;
  void on_ack(const Ack& ack) override;
  void on_loss(const Loss& loss) override;
  void on_congestion(const Congestion& event) override;
  void on_timeout(const Congestion& event) override;
  void undo() override;
  void on_idle(Duration idle, Duration rto) override;

  std::uint64_t cwnd() const override { return cwnd_; }
  // Startup is slow start; past it there is no threshold but the window itself.
  std::uint64_t ssthresh() const override { return full_bandwidth_reached_ ? cwnd_ : kUnlimited; }
  Rate pacing_rate(Duration srtt) const override;
  RecoveryPace recovery_pace() const override { return RecoveryPace::kWindow; }
  std::string_view name() const override { return "bbr"; }

  State state() const { return state_; }
  double bandwidth() const;  // bytes per second; 0: not known yet
  Duration min_rtt() const { return min_rtt_; }
  std::uint64_t inflight_hi() const { return inflight_hi_; }  // bytes, kUnlimited: not known
  std::uint64_t inflight_lo() const { return inflight_lo_; }  // bytes, kUnlimited: no limit

 private:
  // What the ACKs coming in now answer (the draft's ACKS_*).
  enum class AckPhase : std::uint8_t { kNone, kStarting, kStopping, kRefilling, kFeedback };

  // bbr.cpp
  double pacing_gain() const;
  double cwnd_gain() const;
  void set_pacing_rate();
  void set_cwnd(const Ack& ack);
  std::uint64_t window_cap() const;
  void save_window();

  // bbr_model.cpp
  double max_bandwidth() const;
  std::uint64_t product(double gain) const;        // of bandwidth and least RTT
  std::uint64_t target_flight(double gain) const;  // and what pacing in bursts needs
  std::uint64_t target_flight() const;             // min(product, cwnd)
  std::uint64_t flight_with_headroom() const;
  std::uint64_t probe_rtt_window() const;
  std::uint64_t least_window() const;
  bool probing() const;
  void update_round(const Ack& ack);
  void update_bandwidth(const Ack& ack);
  void update_lower_bounds(const Ack& ack);
  void update_aggregation(const Ack& ack);
  void update_full_bandwidth(const Ack& ack);
  void update_upper_bounds(const Ack& ack);
  void update_min_rtt(const Ack& ack);
  void raise_upper_bound(const Ack& ack);
  void raise_slope();
  void flight_too_high(std::uint64_t flight, bool app_limited, Instant now);
  void reset_full_bandwidth(double bandwidth);
  void reset_lower_bounds();
  void start_round() { next_round_ = delivered_; }

  // bbr_cycle.cpp
  bool in_probe_bw() const;
  void check_startup_done();
  void check_drain_done(const Ack& ack);
  void update_cycle(const Ack& ack);
  bool time_to_probe(Instant now) const;
  bool time_to_go_down(const Ack& ack);
  void start_down(Instant now);
  void start_refill();
  void start_up(const Ack& ack);
  void check_probe_rtt(const Ack& ack);
  void leave_probe_rtt(Instant now);

  std::uint64_t mss_;
  std::uint64_t cwnd_;
  double pacing_rate_ = 0;  // bytes per second; 0: no bandwidth known
  State state_ = State::kStartup;
  AckPhase ack_phase_ = AckPhase::kNone;

  // The path, as far as it is known.
  std::array<double, 2> bandwidth_{};  // bytes per second: of the cycle before, and of this one
  double bandwidth_lo_ = 0;            // 0: no limit
  std::uint64_t inflight_hi_ = kUnlimited;
  std::uint64_t inflight_lo_ = kUnlimited;
  Duration min_rtt_ = Duration::max();
  Instant min_rtt_at_;
  Duration recent_min_rtt_ = Duration::max();  // for the decision to probe
  Instant recent_min_rtt_at_;
  bool recent_min_rtt_expired_ = false;

  // Rounds, counted by what is delivered.
  std::uint64_t delivered_ = 0;
  std::uint64_t next_round_ = 0;
  std::uint64_t round_ = 0;
  bool round_started_ = false;
  std::uint64_t next_loss_round_ = 0;
  bool loss_round_started_ = false;

  // This round's signals.
  bool loss_in_round_ = false;
  std::uint32_t loss_events_in_round_ = 0;
  std::uint64_t lost_in_round_ = 0;       // bytes
  std::uint64_t delivered_at_round_ = 0;  // when it began
  bool recovery_all_round_ = false;
  double bandwidth_latest_ = 0;
  std::uint64_t inflight_latest_ = 0;

  // Whether the pipe is full.
  bool full_bandwidth_reached_ = false;  // once is enough to leave startup
  bool full_bandwidth_now_ = false;
  double full_bandwidth_ = 0;
  std::uint32_t full_bandwidth_rounds_ = 0;

  // ACKs that come in bunches.
  Instant extra_since_;
  std::uint64_t extra_delivered_ = 0;
  struct Extra {
    std::uint64_t round = 0;
    std::uint64_t bytes = 0;
  };
  std::array<Extra, 2> extra_{};  // of the last ten rounds, in two halves

  // Probing.
  Instant cycle_started_;
  Duration probe_wait_{};
  std::uint64_t rounds_since_probe_ = 0;
  bool probe_samples_ = false;  // what comes in now tells of the probe
  std::uint32_t up_rounds_ = 0;
  std::uint64_t up_step_ = kUnlimited;  // bytes delivered per segment inflight_hi grows by
  std::uint64_t up_delivered_ = 0;
  std::optional<Instant> probe_rtt_done_;
  bool probe_rtt_round_done_ = false;
  bool idle_restart_ = false;

  // To go back to.
  std::uint64_t saved_cwnd_ = 0;
  bool was_in_recovery_ = false;
  struct Undo {
    std::uint64_t cwnd = 0;
    double bandwidth_lo = 0;
    std::uint64_t inflight_lo = kUnlimited;
    std::uint64_t inflight_hi = kUnlimited;
  };
  std::optional<Undo> undo_;
};

}  // namespace braid::cc
