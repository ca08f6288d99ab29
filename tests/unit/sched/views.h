// Path views for scheduler tests, changed by small words: full(backup(path(1, 10ms))).
#pragma once

#include "stack/sched/scheduler.h"

namespace braid::sched::test {

inline constexpr std::uint32_t kMss = 1400;
inline constexpr std::uint64_t kWindow = 10 * kMss;

// An idle path with ten segments of window.
inline PathView path(std::uint32_t id, Duration srtt) {
  PathView view;
  view.id = id;
  view.srtt = srtt;
  view.min_rtt = srtt;
  view.rttvar = srtt / 10;
  view.cwnd = kWindow;
  view.budget = kWindow;
  view.mss = kMss;
  view.super_segment = 4 * kMss;
  return view;
}
inline PathView full(PathView view) {
  view.in_flight = view.cwnd;
  view.budget = 0;
  return view;
}
inline PathView backup(PathView view) {
  view.backup = true;
  return view;
}
inline PathView doubtful(PathView view) {
  view.in_doubt = true;
  return view;
}
inline PathView costing(PathView view, std::uint32_t cost) {
  view.cost = cost;
  return view;
}
inline PathView in_reserve(PathView view) {
  view.in_reserve = true;
  return view;
}
inline PathView with_window(PathView view, std::uint64_t cwnd) {
  view.cwnd = view.budget = cwnd;
  return view;
}

// Much waits, and the peer's window is wide.
inline StreamView much() {
  return {
      .unsent = 10'000'000, .window = 10'000'000, .send_window = 10'000'000, .now = Instant(1s)};
}

inline std::optional<std::uint32_t> id_of(const std::optional<Pick>& pick) {
  return pick ? std::optional(pick->path) : std::nullopt;
}

}  // namespace braid::sched::test
