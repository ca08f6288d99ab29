#include "gateway/doors.h"

namespace braid::gateway {

void Doors::set(tcp::InterfaceId interface, Door* door) {
  if (slots_.size() <= interface) slots_.resize(interface + 1);
  slots_[interface].door = door;
}

Door* Doors::get(tcp::InterfaceId interface) const {
  return interface < slots_.size() ? slots_[interface].door : nullptr;
}

bool Doors::ready(tcp::InterfaceId interface) const {
  // Without a device nothing will ever be ready: let it be lost, so that a RST or a retransmission
  // runs its course instead of waiting for a door that may never open.
  const Door* door = get(interface);
  return door == nullptr || door->ready();
}

void Doors::send(tcp::InterfaceId interface, const wire::Segment& segment) {
  send_packet(interface, wire::make_packet(segment, ipv4_identification_++));
}

void Doors::send_packet(tcp::InterfaceId interface, const PacketOut& packet) {
  ENSURE(interface < slots_.size());
  Slot& slot = slots_[interface];
  if (slot.door == nullptr || slot.door->send(packet) != Door::Sent::kYes) {
    ++slot.counters.lost;
    return;
  }
  ++slot.counters.packets;
  slot.counters.bytes += packet.total_length();
}

const Doors::Counters& Doors::counters(tcp::InterfaceId interface) const {
  ENSURE(interface < slots_.size());
  return slots_[interface].counters;
}

}  // namespace braid::gateway
