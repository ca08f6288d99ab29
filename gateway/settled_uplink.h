// SettledUplink: the uplink of traffic that cannot change it without loss.
//
// Other traffic's connections are known to the uplink's NAT, and to their peers, by its address:
// whoever moves them to another uplink breaks them. So it stays where it is, unless another uplink
// has a fault less (living, regular, not in reserve), or has long been much faster for a small
// fetch.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/uplinks.h"

namespace braid::gateway {

class SettledUplink {
 public:
  static constexpr Duration kPatience = 10s;  // the other one is faster for so long without a break
  static constexpr double kMuchFaster = 0.7;  // of the time it takes where it is

  // Where it goes from now on; nothing without a usable uplink.
  std::optional<std::size_t> choose(const Uplinks& uplinks, Instant now);

 private:
  bool worth_it(const Uplinks& uplinks, std::size_t best, Instant now);

  std::optional<std::size_t> present_;
  std::optional<std::size_t> faster_;
  Instant faster_since_;
};

}  // namespace braid::gateway
