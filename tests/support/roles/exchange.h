// Exchange: a point in the middle of a simulated world where links meet: packets go on by
// destination prefix, untouched. (What a router would change or answer is no part of it.)
#pragma once

#include <utility>
#include <vector>

#include "stack/wire/ip_header.h"
#include "tests/support/sim/door.h"
#include "tests/support/sim/host.h"

namespace braid::sim {

class Exchange final : public Host {
 public:
  // Packets for `prefix` leave by `door`; the first match counts. Doors deliver single packets
  // (Gro::kOff is set here), which leave as they came.
  void route(const char* prefix, SimDoor& door) {
    DoorSettings settings = door.settings();
    settings.gro = Gro::kOff;
    door.set(settings);
    routes_.emplace_back(*wire::Prefix::parse(prefix), &door);
  }

  void receive(int, const PacketIn& packet, Instant) override {
    const Bytes bytes = packet.bytes;
    const bool v4 = bytes[0] >> 4 == 4;
    const auto destination =
        wire::IpAddress::from_bytes(v4 ? bytes.subspan(16, 4) : bytes.subspan(24, 16));
    for (const auto& [prefix, door] : routes_) {
      if (prefix.contains(destination)) {
        door->send_raw(bytes);
        return;
      }
    }
  }
  void flush(Instant) override {}
  Instant next_deadline() override { return kNever; }

 private:
  std::vector<std::pair<wire::Prefix, SimDoor*>> routes_;
};

}  // namespace braid::sim
