#include "stack/cc/coupled_cubic.h"

#include <algorithm>
#include <utility>

namespace braid::cc {

CoupledCubic::CoupledCubic(std::uint32_t mss, std::shared_ptr<CoupledGroup> group)
    : Cubic(mss), group_(std::move(group)) {
  group_->watch().join(path_);
}

CoupledCubic::~CoupledCubic() { group_->watch().leave(path_); }

void CoupledCubic::observe(const Ack& ack) {
  Cubic::observe(ack);
  path_.observe(ack.now, ack.srtt, ack.latest_rtt, ack.min_rtt,
                std::min(cwnd(), std::max(ack.prior_in_flight, mss())));
  group_->watch().observed(path_, ack.now);
  least_rtt_ = ack.min_rtt;
  if (ssthresh() == kUnlimited) train_.on_ack(ack, cwnd());
  if (held_by_delay()) room_.on_ack(ack);
  guard_queue(ack);
}

void CoupledCubic::guard_queue(const Ack& ack) {
  const bool avoids = !ack.in_recovery && !in_slow_start();
  const auto phase = avoids ? QueueGuard::Phase::kAvoidance : QueueGuard::Phase::kOther;
  switch (guard_.on_ack(ack, phase, cwnd(), mss())) {
    case QueueGuard::Advice::kNothing: return;
    case QueueGuard::Advice::kTakeBack: return undo();
    case QueueGuard::Advice::kCut:
      last_cut_ = LastCut::kGuard;
      return cut({.now = ack.now,
                  .kind = CongestionKind::kQueue,
                  .in_flight = ack.in_flight,
                  .srtt = ack.srtt});
  }
}

double CoupledCubic::left_by(const Congestion& event) const {
  if (event.kind == CongestionKind::kQueue) return guard_.share_to_keep();
  const bool by_chance = event.kind == CongestionKind::kLoss && least_rtt_ > Duration::zero() &&
                         path_.queue < std::max(kNoQueue, least_rtt_ / kNoQueuePart);
  return by_chance ? kChanceBeta : Cubic::left_by(event);
}

void CoupledCubic::on_congestion(const Congestion& event) {
  last_cut_ = guard_.cutting() ? LastCut::kGuard : LastCut::kLoss;
  guard_.disturbed();
  cut(event);
}

void CoupledCubic::cut(const Congestion& event) {
  room_.forget();
  const std::uint64_t before = cwnd();
  Cubic::on_congestion(event);
  group_->watch().reduced(path_, before - std::min(before, cwnd()), event.now);
}

void CoupledCubic::on_timeout(const Congestion& event) {
  guard_.disturbed();
  guard_.lost_all();
  last_cut_ = LastCut::kLoss;
  room_.forget();
  Cubic::on_timeout(event);
  group_->watch().reduced(path_, 0, event.now);  // nothing is in flight: no measured step
}

void CoupledCubic::avoid(const Ack& ack, std::uint64_t bytes) {
  if (guard_.cutting()) return;
  if (!room_.has_room()) return Cubic::avoid(ack, bytes);
  grow(bytes / RoomWatch::kGrowthDivisor);
  begin_anew();
}

Rate CoupledCubic::pacing_rate(Duration srtt) const {
  const bool first_flight = ssthresh() == kUnlimited && train_.on_its_way(cwnd());
  return first_flight ? Rate() : Cubic::pacing_rate(srtt);
}

double CoupledCubic::share(Instant now) const { return group_->watch().share(path_, now); }

}  // namespace braid::cc
