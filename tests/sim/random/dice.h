// Dice: what a plan is drawn with.
#pragma once

#include <cmath>
#include <cstdint>

#include "stack/base/random.h"
#include "stack/base/time.h"

namespace braid::sim {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  bool chance(double p) { return random_.chance(p); }
  std::uint32_t below(std::uint32_t n) { return random_.below(n); }
  double uniform(double low, double high) { return low + (high - low) * random_.unit(); }
  // As many small ones as large ones, in the sense of factors.
  double log_uniform(double low, double high) {
    return low * std::exp(std::log(high / low) * random_.unit());
  }
  Duration seconds(double low, double high) { return to_duration(uniform(low, high)); }
  Duration log_seconds(double low, double high) { return to_duration(log_uniform(low, high)); }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + below(high - low + 1);
  }

 private:
  static Duration to_duration(double seconds) {
    return Duration(static_cast<std::int64_t>(seconds * 1e9));
  }
  Random random_;
};

}  // namespace braid::sim
