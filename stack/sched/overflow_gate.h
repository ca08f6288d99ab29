// OverflowGate: which links are in reserve because cheaper ones suffice, in one direction.
//
// Links of equal cost are a tier. The cheapest tier is always open. When the open tiers together
// carry at least `share` of what they can, for `open_after` without a pause, the next tier opens.
// When the tiers below the dearest open one would carry all the present load within their share,
// for `close_after`, that one closes. So a peak opens nothing, and a short lull closes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::sched {

class OverflowGate {
 public:
  struct Settings {
    double share = 0.8;  // of a link's capacity, above 0, at most 1
    Duration open_after = 500ms;
    Duration close_after = 10s;
    bool operator==(const Settings&) const = default;
  };
  struct Load {
    std::uint32_t cost = 0;
    enum class Usable : std::uint8_t { kNo, kYes } usable = Usable::kYes;
    Rate rate;
    Rate capacity;  // zero: unknown, it never was full
  };

  void set(const Settings& settings) { settings_ = settings; }
  // All links, always in the same order. True when in_reserve() changed for one of them.
  bool update(std::span<const Load> links, Instant now);
  bool in_reserve(std::size_t link) const { return in_reserve_[link]; }

 private:
  struct Sum {
    Rate rate;
    Rate capacity;
    bool known = true;  // every capacity is
  };
  static Sum sum_up_to(std::span<const Load> links, std::uint32_t cost);
  std::optional<std::uint32_t> tier_below(std::span<const Load> links, std::uint32_t cost) const;
  std::optional<std::uint32_t> tier_above(std::span<const Load> links, std::uint32_t cost) const;
  bool lasts(std::optional<Instant>& since, bool holds, Duration long_enough, Instant now) const;

  Settings settings_;
  std::uint32_t open_cost_ = 0;  // of the dearest open tier
  std::optional<Instant> pressed_since_;
  std::optional<Instant> spare_since_;
  std::vector<bool> in_reserve_;
};

}  // namespace braid::sched
