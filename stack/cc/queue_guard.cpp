#include "stack/cc/queue_guard.h"

#include <algorithm>
#include <utility>

namespace braid::cc {
namespace {

// The cut empties the queue within a round trip; what was sent after it tells of that in the next, and
// a whole round of such answers is the one after.
constexpr std::uint32_t kRoundsToWait = 2;

}  // namespace

QueueGuard::Finding QueueGuard::on_ack(const Ack& ack, Duration segment) {
  if (resting(ack.now)) return Finding::kNothing;
  // While it rested nobody kept the queue short for us: the path's own record of a minute is better.
  if (std::exchange(memory_, Memory::kGood) == Memory::kStale) path_rtt_ = ack.min_rtt;
  if (ack.min_rtt > Duration::zero()) path_rtt_ = std::min(path_rtt_, ack.min_rtt);
  const auto round = watch_.on_ack(ack);
  if (!round) return Finding::kNothing;
  if (rounds_to_wait_ > 0) {
    --rounds_to_wait_;
    return Finding::kNothing;
  }
  return round->tells_of_queue() ? judge(ack, round->least_rtt, segment) : Finding::kNothing;
}

QueueGuard::Finding QueueGuard::judge(const Ack& ack, Duration round_least, Duration segment) {
  const Duration target =
      std::max({kTarget, path_rtt_ / kTargetPart, segment * kTargetSegments});
  const Duration queue = round_least - std::min(path_rtt_, round_least);
  if (state_ == State::kCut) {
    state_ = State::kWatching;
    if (queue > target / 2) {
      rest(ack.now);
      return Finding::kNotOurs;
    }
    next_rest_ = kLeastRest;
    return Finding::kNothing;
  }
  if (queue <= target) return Finding::kNothing;
  share_to_keep_ = to_seconds(path_rtt_ + target / kLeftPart) / to_seconds(round_least);
  state_ = State::kCut;
  rounds_to_wait_ = kRoundsToWait;
  return Finding::kQueue;
}

void QueueGuard::rest(Instant now) {
  rest_until_ = now + next_rest_;
  next_rest_ = std::min(2 * next_rest_, kLongestRest);
  memory_ = Memory::kStale;
  watch_ = RoundWatch();
}

void QueueGuard::disturbed() {
  state_ = State::kWatching;
  rounds_to_wait_ = kRoundsToWait;
}

}  // namespace braid::cc
