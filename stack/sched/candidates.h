// Candidates: which of the paths count at this moment, the same for every policy.
//
// Paths come in four classes: regular, backup, regular in doubt, backup in doubt. Only the best
// class with a member counts, and when its members are full the answer is to wait: a backup path is
// used when no regular one is usable (RFC 8684 M46, M77), not when the regular ones are busy, and
// new bytes on a path in doubt would stall the stream behind them.
//
// A path without a sample counts as the fastest: only by carrying bytes does it get one, and its
// initial congestion window bounds what a wrong guess costs. Equal RTTs go to the lowest id, so a
// run can be repeated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>

#include "stack/sched/scheduler.h"

namespace braid::sched {

class Candidates {
 public:
  explicit Candidates(std::span<const PathView> paths) : paths_(paths) {
    for (const PathView& path : paths) best_class_ = std::min(best_class_, class_of(path));
  }

  bool counts(const PathView& path) const { return class_of(path) == best_class_; }

  static bool has_room(const PathView& path) { return path.budget > 0; }
  static bool is_faster(const PathView& a, const PathView& b) {
    return std::tie(a.srtt, a.id) < std::tie(b.srtt, b.id);
  }

  // The first by `before` of those that count and satisfy `wanted`; nullptr when none does.
  template <typename Before, typename Wanted>
  const PathView* first(Before before, Wanted wanted) const {
    const PathView* best = nullptr;
    for (const PathView& path : paths_) {
      if (!counts(path) || !wanted(path)) continue;
      if (best == nullptr || before(path, *best)) best = &path;
    }
    return best;
  }
  // Of all that count, full or not.
  const PathView* fastest() const {
    return first(is_faster, [](const PathView&) { return true; });
  }
  const PathView* fastest_with_room() const { return first(is_faster, has_room); }

 private:
  static int class_of(const PathView& path) {
    return (path.in_doubt ? 2 : 0) + (path.backup ? 1 : 0);
  }

  std::span<const PathView> paths_;
  int best_class_ = std::numeric_limits<int>::max();
};

inline std::optional<Pick> pick_of(const PathView* path, Pick::Bytes bytes = Pick::Bytes::kNext) {
  return path != nullptr ? std::optional(Pick{path->id, bytes}) : std::nullopt;
}

}  // namespace braid::sched
