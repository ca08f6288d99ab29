#include "stack/cc/lia.h"

namespace braid::cc {

// RFC 6356 3: alpha * bytes * mss / total.
double Lia::coupled_growth(double bytes) const {
  const double total = static_cast<double>(group().total_window());
  return group().alpha() * bytes * static_cast<double>(mss()) / total;
}

}  // namespace braid::cc
