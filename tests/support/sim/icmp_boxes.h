// Boxes that answer TCP packets with ICMP errors: walls that stop them, and liars that let them
// pass.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/support/sim/filter.h"
#include "tests/support/sim/icmp.h"

namespace braid::sim {

// Who an error comes from, by the packet's family.
struct Reporters {
  wire::IpAddress v4, v6;
  const wire::IpAddress& of(const PacketView& view) const { return view.is_v4() ? v4 : v6; }
};

// Stops SYNs that open connections toward one end, to one port or to all, and says why.
class SynWall final : public Filter {
 public:
  SynWall(Toward toward, std::optional<std::uint16_t> port, IcmpAbout about, Reporters reporters)
      : toward_(toward), port_(port), about_(about), reporters_(reporters) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

 private:
  Toward toward_;
  std::optional<std::uint16_t> port_;
  IcmpAbout about_;
  Reporters reporters_;
};

// Complains about every `every`-th TCP packet of an established connection although it passes: such
// an error must harm nobody (RFC 9293 MUST-56, RFC 5927). With kTooBig it names `mtu`.
class Complainer final : public Filter {
 public:
  Complainer(std::uint64_t every, IcmpAbout about, std::uint32_t mtu, Reporters reporters)
      : every_(every), about_(about), mtu_(mtu), reporters_(reporters) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;
  std::uint64_t complaints() const { return complaints_; }

 private:
  std::uint64_t every_;
  IcmpAbout about_;
  std::uint32_t mtu_;
  Reporters reporters_;
  std::uint64_t seen_ = 0;
  std::uint64_t complaints_ = 0;
};

}  // namespace braid::sim
