// Results: what the law's runs have measured, one line of text per cell, direction and seed.
//
// A file of such lines is what a long run leaves behind, what it resumes from, and what several
// processes' outputs put together are read from.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/sim/law/net.h"

namespace braid::law {

inline constexpr std::array<std::uint64_t, 3> kSmall{10'000, 100'000, 1'000'000};  // bytes

// Seconds; a transfer that did not end within its limit counts as the limit.
struct Measured {
  double bonded = 0;
  double alone = 0;  // the better uplink
  bool finished = true;
  double speed() const { return bonded > 0 ? alone / bonded : 0; }  // 1: as fast as the better one
};

struct Result {
  std::uint32_t cell = 0;
  Direction direction = Direction::kDown;
  std::uint64_t seed = 1;
  Measured bulk;
  Hints hints;                                     // of the bulk transfer
  std::array<std::optional<Measured>, 3> small{};  // by kSmall; empty when not asked for

  auto key() const { return std::tuple(cell, direction, seed); }
};

std::string to_line(const Result& result);
// Nothing for a line that is none of ours (or half written).
std::optional<Result> from_line(const std::string& line);
// By cell, direction and seed; a later line replaces an earlier one.
using Results = std::map<std::tuple<std::uint32_t, Direction, std::uint64_t>, Result>;
Results read_results(std::istream& in);

}  // namespace braid::law
