#include "stack/cc/room_watch.h"

#include <algorithm>

namespace braid::cc {

void RoomWatch::on_ack(const Ack& ack) {
  const auto round = watch_.on_ack(ack);
  if (!round) return;
  const Duration none = std::max(kNoQueue, ack.min_rtt / kNoQueuePart);
  const bool empty = round->tells_of_queue() && ack.min_rtt > Duration::zero() &&
                     round->least_rtt - ack.min_rtt <= none;
  rounds_ = empty ? rounds_ + 1 : 0;
}

}  // namespace braid::cc
