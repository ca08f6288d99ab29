// Capture: the policy rules and routes that bring captured connections to the TUN.
//
// What the nftables table marked (platform/nft_plan.h) is looked up in the main table first,
// default routes left out, so that connected and specific destinations stay direct; then in a table
// whose default is the TUN. `capture local` does it to the machine's own connections as well: those
// whose program chose no source address get the TUN's, and what bears the TUN's address goes there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/ip_address.h"
#include "platform/netlink_socket.h"
#include "platform/routes.h"

namespace braid::platform {

struct CapturePlan {
  // Ours to choose; below the priorities `ip rule add` gives by itself, so that others do not end
  // up before us by accident.
  static constexpr std::uint32_t kTable = 0xB70;
  static constexpr std::uint32_t kPriority = 5000;

  enum class Local { kLeave, kCapture };

  std::uint32_t tun_index = 0;
  std::vector<std::string> lan_interfaces;
  std::uint32_t mark = 0;
  Local local = Local::kLeave;
  std::vector<IpAddress> tun_addresses;  // for kCapture: at most one of each family counts
};

std::vector<Rule> capture_rules(const CapturePlan& plan);
std::vector<Route> capture_routes(const CapturePlan& plan);

// Puts all of it in; on an error what was put in stays (clear_own_rules_and_routes takes it away).
// A kernel without IPv6 gets the IPv4 part. The TUN is up.
std::error_code install_capture(NetlinkSocket& netlink, const CapturePlan& plan);

}  // namespace braid::platform
