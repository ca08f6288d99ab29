// RoleHost: a gateway or concentrator as a host of a simulated world. Port numbers of the world are
// the role's interface numbers.
#pragma once

#include "gateway/host.h"
#include "tests/support/roles/running_role.h"
#include "tests/support/sim/host.h"

namespace braid::sim {

class RoleHost final : public Host {
 public:
  explicit RoleHost(gateway::Host& role) : role_(role) {}

  void receive(int interface, const PacketIn& packet, Instant now) override {
    const RunningRole running(role_);
    role_.receive(static_cast<tcp::InterfaceId>(interface), packet, now);
  }
  void flush(Instant now) override {
    const RunningRole running(role_);
    // A device that was busy wakes its host when it can send again; which one it was is not said.
    for (tcp::InterfaceId i = 0; i < kMostInterfaces; ++i) {
      if (const Door* door = role_.doors().get(i); door && door->ready()) role_.door_opened(i);
    }
    role_.flush(now);
  }
  Instant next_deadline() override { return role_.next_deadline(); }

 private:
  static constexpr tcp::InterfaceId kMostInterfaces = 8;
  gateway::Host& role_;
};

}  // namespace braid::sim
