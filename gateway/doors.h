// Doors: the numbered devices of one host, as TCP's Exit. Segments become packets here and nowhere
// else; a packet the device refuses is a local loss, counted (its sender recovers as from any
// loss).
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/packet.h"
#include "stack/tcp/connection.h"
#include "stack/wire/segment.h"

namespace braid::gateway {

class Doors final : public tcp::Exit {
 public:
  // The device behind a number from now on; nullptr: none, what is sent there is lost.
  void set(tcp::InterfaceId interface, Door* door);
  Door* get(tcp::InterfaceId interface) const;

  bool ready(tcp::InterfaceId interface) const override;
  void send(tcp::InterfaceId interface, const wire::Segment& segment) override;
  void send_packet(tcp::InterfaceId interface, const PacketOut& packet);

  struct Counters {
    std::uint64_t packets = 0, bytes = 0, lost = 0;
  };
  const Counters& counters(tcp::InterfaceId interface) const;

 private:
  struct Slot {
    Door* door = nullptr;
    Counters counters;
  };
  std::vector<Slot> slots_;
  std::uint16_t ipv4_identification_ = 0;
};

}  // namespace braid::gateway
