#include "stack/cc/queue_guard.h"

#include <algorithm>
#include <utility>

namespace braid::cc {
namespace {

// The cut empties the queue within a round trip; what was sent after it tells of that in the next, and
// a whole round of such answers is the one after.
constexpr std::uint32_t kRoundsToWait = 2;

}  // namespace

QueueGuard::Finding QueueGuard::on_ack(const Ack& ack, std::uint64_t window, std::uint32_t mss) {
  if (resting(ack.now)) return Finding::kNothing;
  // While it rested nobody kept the queue short for us: the path's own record of a minute is better.
  if (std::exchange(memory_, Memory::kGood) == Memory::kStale) path_rtt_ = ack.min_rtt;
  if (ack.min_rtt > Duration::zero()) path_rtt_ = std::min(path_rtt_, ack.min_rtt);
  const auto round = watch_.on_ack(ack);
  if (!round) return Finding::kNothing;
  // What a round answers was sent from where the one before it began.
  const std::uint64_t answered = std::exchange(window_before_, std::exchange(window_, window));
  if (cutting() && round->tells_of_room(path_rtt_)) was_ours();
  if (rounds_to_wait_ > 0) {
    --rounds_to_wait_;
    return Finding::kNothing;
  }
  if (!round->tells_of_queue()) return Finding::kNothing;
  const Duration segment = ack.srtt * std::int64_t{mss} / static_cast<std::int64_t>(window);
  const Duration target = std::max({kTarget, path_rtt_ / kTargetPart, segment * kTargetSegments});
  const Duration left = target / kLeftPart;
  if (cutting()) {
    if (round->least_rtt > after_cut_ + left) return not_ours(ack.now);
    was_ours();
    return Finding::kNothing;
  }
  if (round->least_rtt <= path_rtt_ + target) return Finding::kNothing;
  share_to_keep_ = to_seconds(path_rtt_ + left) / to_seconds(round->least_rtt);
  const double grown = answered > 0 ? static_cast<double>(window) / static_cast<double>(answered) : 1;
  after_cut_ = std::chrono::duration_cast<Duration>((path_rtt_ + left) * std::max(grown, 1.0));
  state_ = State::kCut;
  rounds_to_wait_ = kRoundsToWait;
  return Finding::kQueue;
}

void QueueGuard::was_ours() {
  state_ = State::kWatching;
  next_rest_ = kLeastRest;
}

QueueGuard::Finding QueueGuard::not_ours(Instant now) {
  state_ = State::kWatching;
  rest_until_ = now + next_rest_;
  next_rest_ = std::min(2 * next_rest_, kLongestRest);
  memory_ = Memory::kStale;
  watch_ = RoundWatch();
  window_ = window_before_ = 0;
  return Finding::kNotOurs;
}

void QueueGuard::disturbed() {
  state_ = State::kWatching;
  rounds_to_wait_ = kRoundsToWait;
}

}  // namespace braid::cc
