#include "tests/support/roles/pattern.h"

#include <algorithm>
#include <array>

namespace braid::sim {

void fill(Pipe& pipe, const Pattern& pattern, std::uint64_t end) {
  std::array<std::uint8_t, 4096> block;
  while (pipe.in_order().value() < end) {
    const std::uint64_t at = pipe.in_order().value();
    const auto n = static_cast<std::uint32_t>(
        std::min({end - at, pipe.room(), static_cast<std::uint64_t>(block.size())}));
    if (n == 0) return;
    for (std::uint32_t i = 0; i < n; ++i) block[i] = pattern.at(at + i);
    if (pipe.append(Slices(Bytes(block.data(), n))) < n) return;
  }
}

bool drain(Pipe& pipe, const Pattern& pattern) {
  while (pipe.readable() > 0) {
    std::uint64_t at = pipe.released().value();
    const Slices bytes = pipe.peek(pipe.released(), 65536);
    for (Bytes slice : bytes) {
      for (std::uint8_t byte : slice) {
        if (byte != pattern.at(at++)) return false;
      }
    }
    pipe.release(StreamOffset(at));
  }
  return true;
}

}  // namespace braid::sim
