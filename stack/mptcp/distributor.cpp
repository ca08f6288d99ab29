#include "stack/mptcp/distributor.h"

#include <algorithm>
#include <tuple>

#include "stack/base/ensure.h"

namespace braid::mptcp {

// ---- what there is

sched::PathView Distributor::view_of(const Subflow& subflow, Instant now) const {
  const tcp::Connection::PathInfo info = subflow.tcp()->path_info();
  const std::shared_ptr<sched::Link>& link = subflow.path().link;
  const std::uint64_t in_flight = info.in_flight + subflow.queued();
  std::uint64_t budget = subflow.tcp()->send_budget(now);
  for (const Fined& fined : fined_) {
    if (fined.subflow != subflow.id()) continue;
    const std::uint64_t limit = fined.penalty.limit();
    budget = std::min(budget, limit > in_flight ? limit - in_flight : 0);
  }
  return {.id = subflow.id(),
          .backup = subflow.backup(),
          .in_doubt = subflow.in_doubt(),
          .in_reserve = link != nullptr && link->in_reserve,
          .in_recovery = info.in_recovery,
          .cost = link != nullptr ? link->cost : 0,
          .srtt = info.srtt,
          .rttvar = info.rttvar,
          .min_rtt = info.min_rtt,
          .cwnd = info.cwnd,
          .in_flight = in_flight,
          .lost = info.lost,
          .budget = budget,
          .mss = info.mss,
          .super_segment = info.super_segment,
          .pacing_rate = info.pacing_rate,
          .delivery_rate = info.delivery_rate};
}

void Distributor::look(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now) {
  paths_.clear();
  by_path_.clear();
  for (const auto& subflow : subflows) {
    if (!subflow->carries_data()) continue;
    if (sched::Penalty* const penalty = penalty_of(subflow->id())) {
      const tcp::Connection::PathInfo info = subflow->tcp()->path_info();
      penalty->relax(info.cwnd, info.mss, info.srtt, now);
    }
    paths_.push_back(view_of(*subflow, now));
    by_path_.push_back(subflow.get());
  }
  std::erase_if(fined_, [this](const Fined& fined) {
    return fined.penalty.limit() == sched::Penalty::kNone || find(fined.subflow) == nullptr;
  });
}

sched::Penalty* Distributor::penalty_of(SubflowId subflow) {
  const auto it = std::find_if(fined_.begin(), fined_.end(),
                               [subflow](const Fined& fined) { return fined.subflow == subflow; });
  return it == fined_.end() ? nullptr : &it->penalty;
}

sched::PathView* Distributor::find(std::uint32_t id) {
  const auto it = std::find_if(paths_.begin(), paths_.end(),
                               [id](const sched::PathView& path) { return path.id == id; });
  return it == paths_.end() ? nullptr : &*it;
}

Subflow& Distributor::subflow_of(const sched::PathView& path) {
  return *by_path_[static_cast<std::size_t>(&path - paths_.data())];
}

// One super-segment of this path: a longer mapping would leave it as two, the second of a few
// pieces. Whole segments where at least one fits: the mapping's last piece is then not a runt.
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

// ---- handing out

Distributor::Outcome Distributor::run(DataSender& sender,
                                      const std::vector<std::unique_ptr<Subflow>>& subflows,
                                      Instant now) {
  Outcome outcome;
  const bool something_out = sender.snd_una() < sender.snd_nxt() && subflows.size() > 1;
  if (sender.unsent() == 0 && !sender.has_reinjections() && !something_out) return outcome;
  look(subflows, now);
  while (hand_out(sender, now, outcome)) {
  }
  note_full_links(sender, now);
  if (sender.wants_probe()) probe(sender, now);
  if (paths_.size() > 1 && may_overtake(sender)) {
    look(subflows, now);  // where nothing was to be had, hand_out() has crossed paths out
    overtake(sender, now, outcome);
  }
  return outcome;
}

// One range, or one path found unfit. False when it is over.
bool Distributor::hand_out(DataSender& sender, Instant now, Outcome& outcome) {
  using Kind = DataSender::Range::Kind;
  const sched::StreamView stream{.unsent = std::max<std::uint64_t>(sender.backlog(), 1),
                                 .window = sender.window_left(),
                                 .send_window = sender.window(),
                                 .now = now};
  const std::optional<sched::Pick> picked = scheduler_->pick(paths_, stream);
  if (!picked) return false;
  sched::PathView* const path = find(picked->path);
  ENSURE(path != nullptr && path->budget > 0);
  // A runt while more waits and the path is busy: rather wait for an ACK (RFC 9293 MUST-38).
  const bool runt = path->budget < path->mss && path->in_flight > 0 &&
                    sender.unsent() > path->budget && !sender.has_reinjections();
  std::optional<DataSender::Range> range;
  if (!runt) {
    range = picked->bytes == sched::Pick::Bytes::kCopies
                ? sender.next_or_copy(path->id, range_limit(*path), now)
                : sender.next(path->id, range_limit(*path), now);
  }
  if (!range) {
    path->budget = 0;
    return true;
  }
  if (range->kind == Kind::kReinjection) outcome.reinjected += range->length;
  if (range->kind == Kind::kCopy) outcome.copied += range->length;
  map(sender, *path, *range, now);
  return true;
}

void Distributor::map(DataSender& sender, sched::PathView& path, const DataSender::Range& range,
                      Instant now) {
  Subflow& subflow = subflow_of(path);
  subflow.map(range);
  sender.mapped(range, subflow.id(), now);
  path = view_of(subflow, now);
}

// The closed window leaves no path a budget. The byte goes to one of them all the same, and that
// path's own persist timer sees it through; unanswered it goes to the others as well.
void Distributor::probe(DataSender& sender, Instant now) {
  const auto rank = [](const sched::PathView& path) {
    return std::tuple(path.in_doubt, path.backup, path.srtt);
  };
  sched::PathView* best = nullptr;
  for (sched::PathView& path : paths_) {
    if (!sender.next(path.id, 1, now)) continue;
    if (best == nullptr || rank(path) < rank(*best)) best = &path;
  }
  if (best == nullptr) return sender.probe_is_everywhere();
  map(sender, *best, *sender.next(best->id, 1, now), now);
}

void Distributor::note_full_links(const DataSender& sender, Instant now) const {
  if (sender.unsent() == 0) return;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const std::shared_ptr<sched::Link>& link = by_path_[i]->path().link;
    const bool full = paths_[i].in_flight + paths_[i].mss > paths_[i].cwnd;
    if (link != nullptr && full) link->last_full = now;
  }
}

}  // namespace braid::mptcp
