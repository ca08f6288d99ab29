// CoupledCubic: CUBIC on every path, and on those that share a bottleneck one CUBIC together. Ours.
//
// LIA and its kin couple all subflows all of the time, and grow as Reno does. On uplinks of their
// own that is a price for nothing: the bundle must carry what its links carry, and Reno's pace does
// not fill a fast or a long one. So each subflow is a CUBIC (RFC 9438) until the group has found
// that some of them stand in the same queue (bottleneck_watch.h). N that do are weighted down to
// the N-th part of a flow each, as EWTCP does with Reno (Honda et al., 2009): a CUBIC's window goes
// with C^(1/4) and a Reno's with alpha^(1/2), so a share s of a flow means C * s^4 and alpha * s^2.
//
// It knows four more things than CUBIC: a queue of its path's flows (queue_guard.h), losses that
// are not congestion (kChanceBeta), how wide the path looked to its first flight (first_train.h),
// and that the path has room though delay held the window down (room_watch.h).
#pragma once

#include <memory>
#include <utility>

#include "stack/cc/coupled_group.h"
#include "stack/cc/cubic.h"
#include "stack/cc/first_train.h"
#include "stack/cc/queue_guard.h"
#include "stack/cc/room_watch.h"

namespace braid::cc {

class CoupledCubic final : public Cubic {
 public:
  CoupledCubic(std::uint32_t mss, std::shared_ptr<CoupledGroup> group);
  ~CoupledCubic() override;
  CoupledCubic(const CoupledCubic&) = delete;
  CoupledCubic& operator=(const CoupledCubic&) = delete;

  void join_path(std::shared_ptr<QueueTrials> trials) override {
    guard_.join_path(std::move(trials));
  }
  std::string_view name() const override { return "coupled_cubic"; }
  void on_congestion(const Congestion& event) override;
  void on_timeout(const Congestion& event) override;
  Rate pacing_rate(Duration srtt) const override;
  double slow_start_step() const override { return train_.step(); }

 private:
  // Loss by chance: where no queue stands, a loss says little of congestion (TCP Veno, Fu and Liew
  // 2003).
  static constexpr double kChanceBeta = 0.9;
  static constexpr Duration kNoQueue = 2ms;        // as short as this there is none; or
  static constexpr std::int64_t kNoQueuePart = 8;  // as this part of the path's RTT

  void observe(const Ack& ack) override;
  double share(Instant now) const override;
  std::uint64_t first_growth(std::uint64_t delivered) override { return train_.growth(delivered); }
  bool path_is_full() const override { return train_.path_is_full(); }
  void avoid(const Ack& ack, std::uint64_t bytes) override;
  double left_by(const Congestion& event) const override;
  bool held_by_delay() const { return ssthresh() != kUnlimited && last_cut_ != LastCut::kLoss; }
  void guard_queue(const Ack& ack);
  void cut(const Congestion& event);

  std::shared_ptr<CoupledGroup> group_;
  BottleneckWatch::Path path_;
  Duration least_rtt_{};  // zero: nothing is known of queues
  QueueGuard guard_;
  FirstTrain train_{initial_window()};
  RoomWatch room_;
  enum class LastCut : std::uint8_t { kNone, kGuard, kLoss } last_cut_ = LastCut::kNone;
};

}  // namespace braid::cc
