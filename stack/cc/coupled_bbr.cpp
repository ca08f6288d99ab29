#include "stack/cc/coupled_bbr.h"

namespace braid::cc {

CoupledBbr::CoupledBbr(std::uint32_t mss, CoupledGroup& group) : Bbr(mss), group_(group) {
  group_.watch().join(path_);
}

CoupledBbr::~CoupledBbr() { group_.watch().leave(path_); }

void CoupledBbr::observe(const Ack& ack) {
  path_.observe(ack.now, ack.srtt, ack.latest_rtt, ack.min_rtt, ack.prior_in_flight);
  group_.watch().observed(path_, ack.now);
}

double CoupledBbr::share(Instant now) const { return group_.watch().share(path_, now); }

bool CoupledBbr::may_probe_rtt(Instant now) const { return group_.watch().quiet(path_, now); }

void CoupledBbr::drops_for_rtt(std::uint64_t bytes, Instant now) {
  group_.watch().reduced(path_, bytes, now);
}

}  // namespace braid::cc
