#include "stack/cc/coupled_cubic.h"

#include <algorithm>

namespace braid::cc {

CoupledCubic::CoupledCubic(std::uint32_t mss, CoupledGroup& group) : Cubic(mss), group_(group) {
  group_.watch().join(path_);
}

CoupledCubic::~CoupledCubic() { group_.watch().leave(path_); }

void CoupledCubic::observe(const Ack& ack) {
  Cubic::observe(ack);
  path_.observe(ack.now, ack.srtt, ack.latest_rtt, ack.min_rtt,
                std::min(cwnd(), std::max(ack.prior_in_flight, mss())));
  group_.watch().observed(path_, ack.now);
}

void CoupledCubic::on_congestion(const Congestion& event) {
  const std::uint64_t before = cwnd();
  Cubic::on_congestion(event);
  group_.watch().reduced(path_, before - std::min(before, cwnd()), event.now);
}

void CoupledCubic::on_timeout(const Congestion& event) {
  Cubic::on_timeout(event);
  group_.watch().reduced(path_, 0, event.now);  // nothing is in flight: no measured step
}

double CoupledCubic::share(Instant now) const { return group_.watch().share(path_, now); }

}  // namespace braid::cc
