#include "stack/cc/room_watch.h"

#include <algorithm>
#include <utility>

namespace braid::cc {

void RoomWatch::on_ack(const Ack& ack) {
  if (ack.round_ended) {
    const Duration least = std::exchange(round_least_, Duration::max());
    const Round round = std::exchange(round_, Round::kUnsure);
    const Duration none = std::max(kNoQueue, ack.min_rtt / kNoQueuePart);
    const bool empty = round == Round::kFull && ack.min_rtt > Duration::zero() &&
                       least != Duration::max() && least - ack.min_rtt <= none;
    rounds_ = empty ? rounds_ + 1 : 0;
  }
  if (ack.latest_rtt > Duration::zero()) round_least_ = std::min(round_least_, ack.latest_rtt);
  if (ack.cwnd_limited) round_ = Round::kFull;
}

}  // namespace braid::cc
