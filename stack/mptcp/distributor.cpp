#include "stack/mptcp/distributor.h"

#include <algorithm>
#include <tuple>

#include "stack/base/ensure.h"

namespace braid::mptcp {
namespace {

sched::PathView view_of(const Subflow& subflow, Instant now) {
  const tcp::Connection::PathInfo info = subflow.tcp()->path_info();
  return {.id = subflow.id(),
          .backup = subflow.backup(),
          .in_doubt = subflow.in_doubt(),
          .srtt = info.srtt,
          .cwnd = info.cwnd,
          .in_flight = info.in_flight + subflow.queued(),
          .budget = subflow.tcp()->send_budget(now),
          .mss = info.mss,
          .super_segment = info.super_segment};
}

}  // namespace

void Distributor::look(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now) {
  paths_.clear();
  by_path_.clear();
  for (const auto& subflow : subflows) {
    if (!subflow->carries_data()) continue;
    paths_.push_back(view_of(*subflow, now));
    by_path_.push_back(subflow.get());
  }
}

// One super-segment of this path: a longer mapping would leave it as two, the second of a few pieces.
// Whole segments where at least one fits: the mapping's last piece is then not a runt.
std::uint32_t Distributor::range_limit(const sched::PathView& path) {
  const auto budget = static_cast<std::uint32_t>(
      std::min<std::uint64_t>({path.budget, path.super_segment, kMaxRange}));
  return path.mss > 0 && budget > path.mss ? budget / path.mss * path.mss : budget;
}

bool Distributor::has_budget(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now) {
  return std::any_of(subflows.begin(), subflows.end(), [&](const auto& subflow) {
    return subflow->carries_data() &&
           subflow->tcp()->send_budget(now) >= subflow->tcp()->path_info().mss;
  });
}

Distributor::Outcome Distributor::run(DataSender& sender,
                                      const std::vector<std::unique_ptr<Subflow>>& subflows,
                                      Instant now) {
  Outcome outcome;
  if (sender.unsent() == 0 && !sender.has_reinjections()) return outcome;
  look(subflows, now);
  while (!paths_.empty()) {
    const sched::StreamView stream{.unsent = std::max<std::uint64_t>(sender.unsent(), 1),
                                   .window = sender.window_left()};
    const auto picked = scheduler_->pick(paths_, stream);
    if (!picked) break;
    const auto path = std::find_if(paths_.begin(), paths_.end(),
                                   [&](const sched::PathView& p) { return p.id == *picked; });
    ENSURE(path != paths_.end() && path->budget > 0);
    Subflow& subflow = *by_path_[static_cast<std::size_t>(path - paths_.begin())];
    // A runt while more waits and the path is busy: rather wait for an ACK (RFC 9293 MUST-38).
    const bool runt = path->budget < path->mss && path->in_flight > 0 &&
                      sender.unsent() > path->budget && !sender.has_reinjections();
    const auto range = runt ? std::nullopt : sender.next(subflow.id(), range_limit(*path), now);
    if (!range) {
      path->budget = 0;
      continue;
    }
    subflow.map(*range);
    sender.mapped(*range, subflow.id(), now);
    if (range->kind == DataSender::Range::Kind::kReinjection) outcome.reinjected += range->length;
    *path = view_of(subflow, now);
  }
  if (sender.wants_probe()) probe(sender, now);
  return outcome;
}

// The closed window leaves no path a budget. The byte goes to one of them all the same, and that
// path's own persist timer sees it through.
void Distributor::probe(DataSender& sender, Instant now) {
  const auto best = std::min_element(paths_.begin(), paths_.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.in_doubt, a.backup, a.srtt) < std::tuple(b.in_doubt, b.backup, b.srtt);
  });
  if (best == paths_.end()) return;
  const auto range = sender.next(best->id, 1, now);
  if (!range) return;
  by_path_[static_cast<std::size_t>(best - paths_.begin())]->map(*range);
  sender.mapped(*range, best->id, now);
}

}  // namespace braid::mptcp
