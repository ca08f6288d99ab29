// Router: a host that forwards by longest prefix, counts hop limits down, cuts IPv4 without DF, and
// says why it cannot forward.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tests/support/sim/door.h"
#include "tests/support/sim/host.h"
#include "tests/support/sim/icmp.h"

namespace braid::sim {

class Router final : public Host {
 public:
  enum class Verdict { kForward, kSilent, kNoRoute, kHostUnreachable, kProhibited };

  // Addresses that errors leaving by this interface come from.
  void add_interface(int interface, SimDoor& door, const wire::IpAddress& v4,
                     const wire::IpAddress& v6);
  void add_route(const wire::Prefix& prefix, int interface);
  // Packets to this prefix are not forwarded.
  void refuse(const wire::Prefix& prefix, Verdict verdict);
  void clear_routes() { routes_.clear(); }

  void receive(int interface, const PacketIn& packet, Instant now) override;
  void flush(Instant now) override;
  Instant next_deadline() override;
  std::uint64_t forwarded() const { return forwarded_; }

 private:
  struct Interface {
    SimDoor* door;
    wire::IpAddress v4, v6;
  };
  struct Route {
    wire::Prefix prefix;
    Verdict verdict;
    int interface;
  };
  struct Outgoing {
    int interface;
    Packet packet;
  };

  const Route* route_for(const wire::IpAddress& destination) const;
  void complain(int interface, const Packet& packet, IcmpAbout about, std::uint32_t mtu = 0);
  void forward(int from, Packet packet, PacketView& view, const Interface& to, int interface);

  std::map<int, Interface> interfaces_;
  std::vector<Route> routes_;
  std::vector<Outgoing> outgoing_;
  std::uint64_t forwarded_ = 0;
};

}  // namespace braid::sim
