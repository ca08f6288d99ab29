// Pattern: the bytes test applications send: any offset of any stream can be made and checked
// alone.
#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/base/pipe.h"

namespace braid::sim {

class Pattern {
 public:
  explicit Pattern(std::uint64_t stream) : stream_(stream) {}

  std::uint8_t at(std::uint64_t offset) const {
    std::uint64_t x = (offset >> 3) * 0x9E3779B97F4A7C15ULL + stream_ * 0xD1B54A32D192ED03ULL;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ULL;
    x ^= x >> 32;
    return static_cast<std::uint8_t>(x >> ((offset & 7) * 8));
  }

 private:
  std::uint64_t stream_;
};

// Appends pattern bytes [pipe.in_order(), end) as far as there is room and memory.
void fill(Pipe& pipe, const Pattern& pattern, std::uint64_t end);

// Compares and releases all readable bytes. False at the first wrong byte.
bool drain(Pipe& pipe, const Pattern& pattern);

}  // namespace braid::sim
