#include "stack/tcp/pacer.h"

#include <algorithm>

namespace braid::tcp {

std::uint64_t Pacer::burst(Rate rate, std::uint32_t mss, std::uint64_t max_super_payload) {
  const std::uint64_t most = std::max<std::uint64_t>(max_super_payload, mss);
  if (rate.is_zero()) return most;
  const std::uint64_t least = std::uint64_t{kMinSegments} * mss;
  return std::min(most, std::max(least, rate.bytes_in(kInterval)));
}

void Pacer::sent(std::uint64_t bytes, Rate rate, Instant now) {
  const std::uint64_t free = std::min(bytes, granted_);
  granted_ -= free;
  bytes -= free;
  if (bytes == 0 || rate.is_zero()) return;
  next_ = std::max(next_, now - kInterval) + rate.time_for(bytes);
}

}  // namespace braid::tcp
