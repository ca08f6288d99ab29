// Runs a property over many seeds; a failure names the seed that shows it.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

#include "stack/base/random.h"

namespace braid::test {

inline std::uint64_t environment_number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Calls `property` with a generator for each of `runs` seeds, or for the one in
// BRAID_PROPERTY_SEED. The seed is printed with every failed check inside.
inline void for_seeds(std::uint64_t runs, const std::function<void(Random&)>& property) {
  const bool single = std::getenv("BRAID_PROPERTY_SEED") != nullptr;
  const std::uint64_t first = environment_number("BRAID_PROPERTY_SEED", 1);
  const std::uint64_t count = single ? 1 : environment_number("BRAID_PROPERTY_RUNS", runs);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("BRAID_PROPERTY_SEED=", seed);
    Random random(seed);
    property(random);
  }
}

}  // namespace braid::test
