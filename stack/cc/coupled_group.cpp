#include "stack/cc/coupled_group.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::cc {

CoupledGroup::~CoupledGroup() { ENSURE(members_.empty()); }

void CoupledGroup::join(const Member& member) {
  members_.push_back(&member);
  changed();
}

void CoupledGroup::leave(const Member& member) {
  const auto it = std::find(members_.begin(), members_.end(), &member);
  ENSURE(it != members_.end());
  members_.erase(it);
  changed();
}

double CoupledGroup::alpha() const {
  if (stale_) {
    alpha_ = compute_alpha();
    stale_ = false;
  }
  return alpha_;
}

double CoupledGroup::compute_alpha() const {
  double best = 0;
  double sum = 0;
  double total = 0;
  for (const Member* member : members_) {
    if (!member->counts()) continue;
    best = std::max(best, member->rate() / to_seconds(member->rtt));
    sum += member->rate();
    total += static_cast<double>(member->window);
  }
  return sum > 0 ? total * best / (sum * sum) : 1.0;
}

std::uint64_t CoupledGroup::total_window() const {
  std::uint64_t total = 0;
  for (const Member* member : members_) {
    if (member->counts()) total += member->window;
  }
  return total;
}

double CoupledGroup::total_rate() const {
  double total = 0;
  for (const Member* member : members_) {
    if (member->counts()) total += member->rate();
  }
  return total;
}

}  // namespace braid::cc
