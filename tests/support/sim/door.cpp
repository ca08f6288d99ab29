#include "tests/support/sim/door.h"

#include <utility>

#include "tests/support/sim/offload.h"

namespace braid::sim {

SimDoor::SimDoor(DoorSettings settings, Random random, const Instant& now, Wire wire)
    : settings_(settings), random_(std::move(random)), now_(now), wire_(std::move(wire)) {}

Door::Sent SimDoor::send(const PacketOut& packet) {
  if (!ready()) {
    ++stats_.refused;
    return Sent::kBusy;
  }
  if (settings_.busy_chance > 0 && random_.chance(settings_.busy_chance)) {
    ++stats_.refused;
    busy_until_ = now_ + settings_.busy_time;
    return Sent::kBusy;
  }
  if (settings_.local_loss > 0 && random_.chance(settings_.local_loss)) {
    ++stats_.lost;
    return Sent::kLost;
  }
  if (packet.total_length() > settings_.max_super_packet) {
    ++stats_.oversized;
    return Sent::kLost;
  }
  ++stats_.packets;
  std::vector<Packet> pieces = segment(packet);
  if (pieces.size() > 1) ++stats_.super_packets;
  for (Packet& piece : pieces) {
    if (piece.size() > settings_.mtu) {
      ++stats_.oversized;
      continue;
    }
    wire_(std::move(piece));
  }
  return Sent::kYes;
}

Door::Sent SimDoor::send_raw(Bytes packet) {
  PacketOut out;
  out.payload.append(packet);
  return send(out);
}

}  // namespace braid::sim
