#include "stack/cc/balia.h"

#include <algorithm>

namespace braid::cc {

double Balia::alpha() const {
  if (!self().counts() || self().window == 0) return 1;
  double fastest = self().rate();
  for (const CoupledGroup::Member* member : group().members()) {
    if (member->counts()) fastest = std::max(fastest, member->rate());
  }
  return fastest / self().rate();
}

// x_r / (rtt_r * (sum x)^2) * (1 + alpha) / 2 * (4 + alpha) / 5, per byte and in segments.
double Balia::coupled_growth(double bytes) const {
  const double total = group().total_rate();
  const double a = alpha();
  const double step = self().rate() / to_seconds(self().rtt) / (total * total);
  return step * (1 + a) / 2 * (4 + a) / 5 * bytes * static_cast<double>(mss());
}

// w * (1 - min(alpha, 1.5) / 2)
std::uint64_t Balia::reduced(const Congestion& event) {
  const double window = static_cast<double>(std::min(event.in_flight, cwnd()));
  return static_cast<std::uint64_t>(window * (1 - std::min(alpha(), 1.5) / 2));
}

}  // namespace braid::cc
