// The classic BPF program of a packet socket: what an uplink's packets must look like to reach us.
//
// TCP to our ports from the hosts we speak with, ICMP and ICMPv6 errors (they quote our segments),
// and fragments of those two, whose ports only the first one shows. Addressed to our own MAC, no
// VLAN tag. IPv6 extension headers other than Fragment are left to the kernel.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "platform/ip_address.h"

namespace braid::platform {

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // inclusive
  auto operator<=>(const PortRange&) const = default;
};

enum class LinkKind { kEthernet, kRawIp };
constexpr std::uint16_t link_header_length(LinkKind kind) {
  return kind == LinkKind::kEthernet ? 14 : 0;
}

struct PacketFilter {
  // A jump of the program reaches this many peers.
  static constexpr std::size_t kMaxPeers = 16;

  LinkKind link = LinkKind::kEthernet;
  PortRange local_ports;
  // Sources TCP may come from; empty, or more than kMaxPeers: any.
  std::vector<IpAddress> peers;
};

// The program; it answers with the whole packet or nothing.
std::vector<sock_filter> compile(const PacketFilter& filter);

}  // namespace braid::platform
