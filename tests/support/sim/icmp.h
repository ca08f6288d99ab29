// ICMP and ICMPv6 errors as routers and hosts make them.
#pragma once

#include <optional>

#include "tests/support/sim/packet_view.h"

namespace braid::sim {

enum class IcmpAbout {
  kNoRoute,
  kHostUnreachable,
  kPortUnreachable,
  kProhibited,
  kTooBig,
  kTimeExceeded
};

// The error about `packet`, from `reporter` (of its family) to its sender; `mtu` with kTooBig.
// Nothing when there must be none: about ICMP errors, later fragments, multicast.
std::optional<Packet> icmp_error(const Packet& packet, IcmpAbout about,
                                 const wire::IpAddress& reporter, std::uint32_t mtu = 0);

}  // namespace braid::sim
