// OtherTraffic: a default route for everything that is not captured (UDP, DNS, ping), which goes
// where the caller says, because that uplink is alive. Without one the main table decides, as
// before braid.
#pragma once

#include <cstdint>
#include <optional>

#include "platform/netlink_socket.h"
#include "platform/routes.h"

namespace braid::platform {

class OtherTraffic {
 public:
  static constexpr std::uint32_t kTable = 0xB71;
  // Just before the main table: whatever rules the machine has of its own come first.
  static constexpr std::uint32_t kPriority = 32764;

  explicit OtherTraffic(NetlinkSocket& netlink) : netlink_(netlink) {}

  // Puts the rules in; clear_own_rules_and_routes() takes them away.
  std::error_code install();
  // Default routes of both families go out of this link, each by its hop; a family without a hop is
  // left to the main table. No link: both are.
  struct Way {
    std::uint32_t link_index = 0;
    std::optional<RouteHop> ipv4;
    std::optional<RouteHop> ipv6;
    bool operator==(const Way&) const = default;
  };
  std::error_code follow(const std::optional<Way>& way);

 private:
  std::error_code set(int family, const std::optional<Route>& wanted,
                      std::optional<Route>& present);

  NetlinkSocket& netlink_;
  std::optional<Route> ipv4_;
  std::optional<Route> ipv6_;
};

}  // namespace braid::platform
