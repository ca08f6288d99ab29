#include "stack/sched/min_rtt.h"

#include <algorithm>
#include <tuple>

namespace braid::sched {
namespace {

// Lower is better.
int rank(const PathView& path) {
  return (path.in_doubt ? 2 : 0) + (path.backup ? 1 : 0);
}

}  // namespace

std::optional<std::uint32_t> MinRtt::pick(std::span<const PathView> paths,
                                          const StreamView& /*stream*/) {
  if (paths.empty()) return std::nullopt;
  const int best_rank =
      rank(*std::min_element(paths.begin(), paths.end(), [](const PathView& a, const PathView& b) {
        return rank(a) < rank(b);
      }));
  const PathView* best = nullptr;
  for (const PathView& path : paths) {
    if (rank(path) != best_rank || path.budget == 0) continue;
    if (best == nullptr || std::tie(path.srtt, path.id) < std::tie(best->srtt, best->id)) {
      best = &path;
    }
  }
  return best != nullptr ? std::optional(best->id) : std::nullopt;
}

}  // namespace braid::sched
