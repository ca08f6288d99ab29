#include "stack/tcp/pacer.h"

#include <algorithm>

namespace braid::tcp {

bool Pacer::ready(Instant now) {
  if (granted_ > 0) return true;
  if (now < next_) {
    waiting_ = true;
    return false;
  }
  if (waiting_) woken_at_ = now;
  waiting_ = false;
  return true;
}

Instant Pacer::owed_since(Instant now) const {
  return std::max(next_, now - (woken_at_ == now ? kMostLate : kInterval));
}

std::uint64_t Pacer::burst(Rate rate, const Path& path, Instant now) const {
  const std::uint64_t most = std::max<std::uint64_t>(path.max_super_payload, path.mss);
  if (rate.is_zero()) return most;
  const std::uint64_t least = std::uint64_t{kMinSegments} * path.mss;
  const std::int64_t halvings = path.min_rtt / kShortPath;
  const bool is_short = path.min_rtt > Duration::zero() && halvings < 32;
  const std::uint64_t extra = is_short ? path.max_super_payload >> halvings : 0;
  const Duration time = std::max(kInterval, now - owed_since(now));
  return std::min(most, std::max(least, rate.bytes_in(time) + extra));
}

void Pacer::sent(std::uint64_t bytes, Rate rate, Instant now) {
  const std::uint64_t free = std::min(bytes, granted_);
  granted_ -= free;
  bytes -= free;
  if (bytes == 0 || rate.is_zero()) return;
  next_ = owed_since(now) + rate.time_for(bytes);
}

}  // namespace braid::tcp
