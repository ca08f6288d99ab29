#include "stack/sched/overflow_gate.h"

#include <algorithm>

namespace braid::sched {
namespace {

bool usable(const OverflowGate::Load& link) {
  return link.usable == OverflowGate::Load::Usable::kYes;
}

Rate operator*(Rate rate, double factor) {
  return Rate::bytes_per_second(
      static_cast<std::uint64_t>(static_cast<double>(rate.bytes_per_second()) * factor));
}

Rate operator+(Rate a, Rate b) {
  return Rate::bytes_per_second(a.bytes_per_second() + b.bytes_per_second());
}

}  // namespace

OverflowGate::Sum OverflowGate::sum_up_to(std::span<const Load> links, std::uint32_t cost) {
  Sum sum;
  for (const Load& link : links) {
    if (!usable(link) || link.cost > cost) continue;
    sum.rate = sum.rate + link.rate;
    sum.capacity = sum.capacity + link.capacity;
    if (link.capacity.is_zero()) sum.known = false;
  }
  return sum;
}

std::optional<std::uint32_t> OverflowGate::tier_below(std::span<const Load> links,
                                                      std::uint32_t cost) const {
  std::optional<std::uint32_t> best;
  for (const Load& link : links) {
    if (usable(link) && link.cost < cost) best = std::max(best.value_or(0), link.cost);
  }
  return best;
}

std::optional<std::uint32_t> OverflowGate::tier_above(std::span<const Load> links,
                                                      std::uint32_t cost) const {
  std::optional<std::uint32_t> best;
  for (const Load& link : links) {
    if (usable(link) && link.cost > cost) best = std::min(best.value_or(UINT32_MAX), link.cost);
  }
  return best;
}

bool OverflowGate::lasts(std::optional<Instant>& since, bool holds, Duration long_enough,
                         Instant now) const {
  if (!holds) {
    since.reset();
    return false;
  }
  if (!since) since = now;
  if (now - *since < long_enough) return false;
  since.reset();
  return true;
}

bool OverflowGate::update(std::span<const Load> links, Instant now) {
  // Costs and usability may have changed: stand on a tier that exists.
  const bool stands = std::any_of(links.begin(), links.end(), [this](const Load& link) {
    return usable(link) && link.cost == open_cost_;
  });
  if (!stands) {
    const auto below = tier_below(links, open_cost_);
    open_cost_ = below ? *below : tier_above(links, open_cost_).value_or(open_cost_);
  }

  const Sum open = sum_up_to(links, open_cost_);
  const auto above = tier_above(links, open_cost_);
  const bool pressed = above && open.known && open.rate >= open.capacity * settings_.share;
  const auto below = tier_below(links, open_cost_);
  bool spare = false;
  if (below) {
    const Sum without = sum_up_to(links, *below);
    spare = without.known && open.rate < without.capacity * settings_.share;
  }
  if (lasts(pressed_since_, pressed, settings_.open_after, now)) {
    open_cost_ = *above;
  } else if (lasts(spare_since_, spare, settings_.close_after, now)) {
    open_cost_ = *below;
  }

  std::vector<bool> reserve(links.size());
  for (std::size_t i = 0; i < links.size(); ++i) reserve[i] = links[i].cost > open_cost_;
  const bool changed = reserve != in_reserve_;
  in_reserve_ = std::move(reserve);
  return changed;
}

}  // namespace braid::sched
