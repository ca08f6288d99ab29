// SimDoor: the network device of a simulated host. Cuts super-packets, completes checksums, and can
// be made to refuse (kBusy) or lose (kLost) packets as a real one does under load.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "stack/base/packet.h"
#include "stack/base/random.h"
#include "stack/base/time.h"
#include "tests/support/sim/link_model.h"

namespace braid::sim {

enum class Gro { kOff, kOn };

struct DoorSettings {
  std::uint32_t mtu = 1500;
  std::uint32_t max_super_packet = 65535;
  Gro gro = Gro::kOn;          // joins packets that reach the host in one wake-up
  double busy_chance = 0.0;    // of each send to be refused
  Duration busy_time = 100us;  // and how long the device stays so
  double local_loss = 0.0;     // of each send to end in ENOBUFS
};

struct DoorStats {
  std::uint64_t packets = 0;        // handed over by the host
  std::uint64_t super_packets = 0;  // of these, to be cut
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  std::uint64_t oversized = 0;  // packets or pieces above the MTU: always a fault of the host, or a
                                // change of MTU it could not know of yet
};

class SimDoor final : public Door {
 public:
  // Where the cut packets go, and the clock of the world.
  using Wire = std::function<void(Packet)>;

  SimDoor(DoorSettings settings, Random random, const Instant& now, Wire wire);

  bool ready() const override { return now_ >= busy_until_; }
  Sent send(const PacketOut& packet) override;
  std::uint32_t mtu() const override { return settings_.mtu; }
  std::uint32_t max_super_packet() const override { return settings_.max_super_packet; }

  // Sends bytes as they are: for hosts that make their own packets (routers, test hosts).
  Sent send_raw(Bytes packet);

  void set(DoorSettings settings) { settings_ = settings; }
  const DoorSettings& settings() const { return settings_; }
  const DoorStats& stats() const { return stats_; }
  // When a busy device becomes ready again: its host is woken then. kNever when it is ready.
  Instant next_deadline() const { return ready() ? kNever : busy_until_; }

 private:
  DoorSettings settings_;
  Random random_;
  const Instant& now_;
  Wire wire_;
  Instant busy_until_ = Instant::min();
  DoorStats stats_;
};

}  // namespace braid::sim
