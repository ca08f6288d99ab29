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
  return std::min(event.in_flight, cwnd()) / 2;  // RFC 5681 (4): by what was really outstanding
}

}  // namespace braid::cc
