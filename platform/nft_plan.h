// NftPlan: what braid's one nftables table holds, and its text. Loading it is nft_table's work.
//
// The kernel's TCP knows nothing of our ports and would answer RST: `quiet` drops what belongs to
// us, after the packet sockets saw it. `capture` marks new connections of the LAN, per connection,
// so that policy rules send them to the TUN. `source` masquerades what leaves with a foreign
// address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/ip_address.h"
#include "platform/packet_filter.h"

namespace braid::platform {

// Interface names in plans have passed is_interface_name().
struct GatewayNftPlan {
  enum class NewConnections { kCapture, kLeave };  // kLeave: draining, the kernel's own way
  enum class Masquerade { kForeignSources, kNone };

  std::vector<std::string> lan_interfaces;
  std::vector<std::string> uplinks;
  // What comes from there to our ports is ours alone; empty: from anywhere.
  std::vector<IpAddress> concentrators;
  std::optional<std::uint16_t> concentrator_port;
  PortRange local_ports;
  std::uint32_t mark = 0;  // connection mark and routing mark
  NewConnections new_connections = NewConnections::kCapture;
  // Of other traffic that leaves by an uplink with a source address the uplink does not have.
  Masquerade masquerade = Masquerade::kForeignSources;
};

struct ConcentratorNftPlan {
  enum class Masquerade { kServerSide, kNone };  // kNone: inside addresses are routable

  std::string listen_interface;
  std::uint16_t listen_port = 0;
  std::string tun;
  Masquerade masquerade = Masquerade::kServerSide;
};

inline constexpr const char* kNftTable = "inet braid";

// The table as nftables reads it, and in one transaction with it the removal of a former one of
// ours.
std::string nft_text(const GatewayNftPlan& plan);
std::string nft_text(const ConcentratorNftPlan& plan);

}  // namespace braid::platform
