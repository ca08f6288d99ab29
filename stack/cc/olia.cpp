#include "stack/cc/olia.h"

#include <algorithm>

namespace braid::cc {
namespace {

using Member = CoupledGroup::Member;

// The square of what a TCP's rate would be at this loss rate, but for a constant: 1 / (p * rtt^2).
double quality(const Member& member) {
  const double rtt = to_seconds(member.rtt);
  return static_cast<double>(member.loss_run) / (rtt * rtt);
}

}  // namespace

// Windows that differ by less than a segment are alike, or chance would move window back and forth.
double Olia::alpha() const {
  const auto segments = [this](const Member& member) { return member.window / mss(); };
  double paths = 0;
  std::uint64_t largest = 0;
  double best = 0;
  for (const Member* member : group().members()) {
    if (!member->counts()) continue;
    ++paths;
    largest = std::max(largest, segments(*member));
    best = std::max(best, quality(*member));
  }
  // Collected: the best by their losses that do not have the largest window.
  double collected = 0;
  double with_largest = 0;
  for (const Member* member : group().members()) {
    if (!member->counts()) continue;
    if (segments(*member) == largest) {
      ++with_largest;
    } else if (quality(*member) >= best) {
      ++collected;
    }
  }
  if (collected == 0) return 0;
  if (segments(self()) == largest) return -1 / (paths * with_largest);
  return quality(self()) >= best ? 1 / (paths * collected) : 0;
}

double Olia::coupled_growth(double bytes) const {
  const double total = group().total_rate();
  const double shared = self().rate() / to_seconds(self().rtt) / (total * total);
  const double moved = alpha() / static_cast<double>(std::max(self().window, mss()));
  return (shared + moved) * bytes * static_cast<double>(mss());
}

}  // namespace braid::cc
