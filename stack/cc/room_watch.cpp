#include "stack/cc/room_watch.h"

namespace braid::cc {

void RoomWatch::on_ack(const Ack& ack) {
  const auto round = watch_.on_ack(ack);
  if (!round) return;
  const bool room = ack.min_rtt > Duration::zero() && round->tells_of_room(ack.min_rtt);
  rounds_ = room ? rounds_ + 1 : 0;
}

}  // namespace braid::cc
