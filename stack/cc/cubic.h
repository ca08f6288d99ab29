// Cubic: growth by the time since the last loss, not by the RTT (RFC 9438).
//
// Past ssthresh the window follows W(t) = C * (t - K)^3 + W_max, where K is the time it takes to
// come back to W_max; it is never slower than an estimate of what Reno would have. Windows in
// segments as the RFC has them, as doubles; bytes at the edge.
#pragma once

#include <optional>

#include "stack/cc/loss_based.h"

namespace braid::cc {

class Cubic : public LossBased {
 public:
  explicit Cubic(std::uint32_t mss) : LossBased(mss) {}
  std::string_view name() const override { return "cubic"; }

 protected:
  void observe(const Ack& ack) override;
  // How much of one flow this is: 1, unless subflows share a bottleneck (coupled_cubic.h).
  virtual double share(Instant) const { return 1; }
  // What an event leaves of the window.
  virtual double left_by(const Congestion& event) const {
    return event.kind == CongestionKind::kEcn ? kEcnBeta : kBeta;
  }

  void avoid(const Ack& ack, std::uint64_t bytes) override;
  // The curve begins at the present window, whatever was before.
  void begin_anew();

 private:
  static constexpr double kC = 0.4;
  static constexpr double kBeta = 0.7;
  static constexpr double kEcnBeta = 0.85;  // RFC 8511: a mark comes earlier than a loss

  // One stretch of congestion avoidance.
  struct Epoch {
    Instant start;
    double k = 0;       // seconds
    double origin = 0;  // W_max it returns to, segments
    double reno = 0;    // W_est, segments
    double before = 0;  // cwnd before the reduction, segments
    double share = 1;   // of a flow, while this lasts
  };

  std::uint64_t reduced(const Congestion& event) override;
  void timed_out() override;
  void undone() override;
  void was_idle(Duration idle) override;
  void begin_epoch(Instant now);
  // Kept by share(): the constants of a flow that is only part of one.
  static double steepness(double share) { return kC * share * share * share * share; }
  double segments(std::uint64_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(mss());
  }

  std::optional<Epoch> epoch_;
  double w_max_ = 0;     // segments; zero: no loss in this epoch's past (K = 0)
  double before_ = 0;    // segments, cwnd at the last reduction
  double fraction_ = 0;  // bytes of growth not yet given
  Instant last_ack_;
  struct Saved {
    std::optional<Epoch> epoch;
    double w_max = 0;
    double before = 0;
  };
  Saved saved_;
};

}  // namespace braid::cc
