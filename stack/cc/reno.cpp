#include "stack/cc/reno.h"

#include <algorithm>

namespace braid::cc {

void Reno::avoid(const Ack&, std::uint64_t bytes) {
  delivered_ += bytes;
  while (delivered_ >= cwnd()) {
    delivered_ -= cwnd();
    grow(mss());
  }
}

std::uint64_t Reno::reduced(const Congestion& event) {
  delivered_ = 0;
  const std::uint64_t flight = std::min(event.in_flight, cwnd());
  // RFC 5681 (4): half of what was really outstanding; RFC 8511: a mark comes earlier than a loss.
  return event.kind == CongestionKind::kEcn ? flight * 4 / 5 : flight / 2;
}

}  // namespace braid::cc
