// Nat: a filter whose side A is inside. IPv4 TCP and UDP leave with the outside address and a port
// of its own; ICMP errors find their way back in. IPv6 passes. Fragments and everything else are
// dropped.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "tests/support/sim/filter.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

class Nat final : public Filter {
 public:
  enum class Inbound { kFromAnyone, kFromPeersOnly };
  struct Settings {
    wire::IpAddress outside;
    Duration timeout = 120s;  // of a mapping nothing was sent over
    Inbound inbound = Inbound::kFromPeersOnly;
    std::uint16_t first_port = 20000;
  };
  explicit Nat(Settings settings) : settings_(settings), next_port_(settings.first_port) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

  // Forgets every mapping, as a reboot does: flows that go on leave from new ports.
  void rebind();
  // From now on another outside address (the provider's renumbering), and new ports.
  void renumber(const wire::IpAddress& outside);
  std::size_t mappings() const { return by_inside_.size(); }

 private:
  struct Inside {
    std::uint8_t protocol;
    wire::Endpoint endpoint;
    auto operator<=>(const Inside&) const = default;
  };
  struct Mapping {
    std::uint16_t port;
    Instant used;
    std::set<wire::Endpoint> peers;
  };

  bool outwards(PacketView& view, Instant now);
  bool inwards(PacketView& view, Instant now);
  bool error_inwards(PacketView& view, Instant now);
  // The inside end of an outside port, if its mapping lives.
  std::optional<Inside> inside_of(std::uint8_t protocol, std::uint16_t port, Instant now);
  std::uint16_t free_port(std::uint8_t protocol);

  Settings settings_;
  std::uint16_t next_port_;
  std::map<Inside, Mapping> by_inside_;
  std::map<std::pair<std::uint8_t, std::uint16_t>, Inside> by_port_;
};

}  // namespace braid::sim
