// Table: results as text: one line per cell and direction, the law's verdict, and the worst cells
// with hints why.
#pragma once

#include <string>

#include "tests/sim/law/results.h"

namespace braid::law {

struct Verdict {
  std::size_t rows = 0;    // cells, each direction
  std::size_t seeds = 0;   // the fewest any row has
  std::size_t slower = 0;  // rows below kLeast of the better uplink (median)
  std::size_t lossless_rows = 0;
  std::size_t below_ceiling = 0;            // of these, below kCeiling of both together (median)
  std::array<std::size_t, 3> slow_small{};  // rows with a short transfer above kMostSmall
  double least = 0;                         // the worst median
};

inline constexpr double kLeast = 0.95;     // of the better uplink's speed
inline constexpr double kCeiling = 0.90;   // of both uplinks'
inline constexpr double kMostSmall = 1.1;  // of the better uplink's time

Verdict judge(const Results& results);
std::string table(const Results& results);
std::string summary(const Results& results);
// The rows with the lowest median, most urgent first, and where their time went.
std::string worst(const Results& results, std::size_t count);

}  // namespace braid::law
