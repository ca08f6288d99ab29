// LossBased: what Reno, CUBIC and LIA share: slow start, the reaction to loss, undo, idle decay.
//
// An algorithm says only how it grows past ssthresh (avoid) and how far it falls (reduced).
//
//   slow start   +1 byte per byte delivered (RFC 5681 3.1, RFC 3465 without limit: the sender
//   paces) congestion   ssthresh = reduced(); cwnd = ssthresh timeout      ssthresh = reduced();
//   cwnd = 1 segment idle         cwnd halves per timeout of silence, not below the initial window
//   (RFC 7661 4.4)
// Growth only while the window was the limit (RFC 7661), and never in fast recovery.
#pragma once

#include "stack/cc/controller.h"
#include "stack/cc/hystart.h"

namespace braid::cc {

class LossBased : public Controller {
 public:
  static constexpr std::uint32_t kInitialSegments = 10;  // RFC 6928
  static constexpr std::uint32_t kMinimumSegments = 2;   // RFC 5681: the least ssthresh

  explicit LossBased(std::uint32_t mss);

  void set_mss(std::uint32_t mss) override;
  void on_ack(const Ack& ack) override;
  void on_congestion(const Congestion& event) override;
  void on_timeout(const Congestion& event) override;
  void undo() override;
  void on_idle(Duration idle, Duration rto) override;

  std::uint64_t cwnd() const override { return cwnd_; }
  std::uint64_t ssthresh() const override { return ssthresh_; }
  Rate pacing_rate(Duration srtt) const override;

 protected:
  std::uint64_t mss() const { return mss_; }
  std::uint64_t initial_window() const { return kInitialSegments * mss_; }
  void grow(std::uint64_t bytes) { cwnd_ += bytes; }
  // Not below the least window.
  void shrink(std::uint64_t bytes);

  // Every ACK, before anything is done with it.
  virtual void observe(const Ack&) {}
  // The first slow start: what the window may grow by for `delivered` bytes, HyStart++ aside.
  virtual std::uint64_t first_growth(std::uint64_t delivered) { return delivered; }
  // What observe() has seen ends the first slow start.
  virtual bool path_is_full() const { return false; }
  // Congestion avoidance: `bytes` were delivered and the window was the limit.
  virtual void avoid(const Ack& ack, std::uint64_t bytes) = 0;
  // The window after a congestion event, not yet limited from below. State for undo is kept here.
  virtual std::uint64_t reduced(const Congestion& event) = 0;
  virtual void timed_out() {}
  virtual void undone() {}
  virtual void was_idle(Duration) {}

 private:
  void reduce(const Congestion& event);

  std::uint64_t mss_;
  std::uint64_t cwnd_;
  std::uint64_t ssthresh_ = kUnlimited;
  HyStart hystart_;
  struct Windows {
    std::uint64_t cwnd = 0;
    std::uint64_t ssthresh = 0;
  };
  Windows before_{};  // the last reduction; zero: nothing to undo
};

}  // namespace braid::cc
