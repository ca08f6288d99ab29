// Routes and rules: which way the kernel would send, and the few entries that are ours.
//
// Everything braid puts in carries its protocol tag, so that it can be cleared without memory of
// it: at exit, and at start for what a crashed run left behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "platform/ip_address.h"
#include "platform/netlink_socket.h"

namespace braid::platform {

// The number in rtm_protocol and FRA_PROTOCOL; not in use in iproute2's rt_protos.
inline constexpr std::uint8_t kRouteProtocol = 0xB7;

inline constexpr std::uint32_t kMainTable = 254;

// The answers of a kernel that has no IPv6, or has it switched off on the device.
inline bool means_no_ipv6(std::error_code error) {
  return error == std::errc::address_family_not_supported ||
         error == std::errc::operation_not_supported || error == std::errc::permission_denied;
}

// A way out of one link: through a gateway, or on-link when there is none.
struct RouteHop {
  std::optional<IpAddress> gateway;
  bool operator==(const RouteHop&) const = default;
};

// The kernel's route to `destination` out of this link. An error when it has none (ENETUNREACH,
// EHOSTUNREACH): IPv4's habit of taking any address for on-link is not believed.
Result<RouteHop> route_out_of(NetlinkSocket& netlink, std::uint32_t link_index,
                              const IpAddress& destination);
// The default route of this link with the lowest metric in any table but those of ours.
Result<RouteHop> default_route_of(NetlinkSocket& netlink, std::uint32_t link_index, int family);
// The hop of a route message that leaves by this link, when it is a unicast route.
std::optional<RouteHop> parse_hop(const NetlinkMessage& message, std::uint32_t link_index);

struct Route {
  IpPrefix destination;
  std::uint32_t table = 0;
  std::uint32_t link_index = 0;
  std::optional<IpAddress> gateway;  // reached on this link, whatever the link's prefixes say
  std::optional<IpAddress> preferred_source;
  std::uint32_t metric = 1024;

  bool operator==(const Route&) const = default;
};

// Puts the route in, in place of a former one with the same destination, table and metric.
std::error_code replace_route(NetlinkSocket& netlink, const Route& route);
std::error_code delete_route(NetlinkSocket& netlink, const Route& route);

// A policy rule; what is absent matches everything.
struct Rule {
  int family = 0;  // AF_INET or AF_INET6
  std::uint32_t priority = 0;
  std::uint32_t table = 0;
  std::optional<std::uint32_t> mark;
  std::string input_interface;
  std::optional<IpPrefix> from;
  std::optional<std::uint8_t> ip_protocol;
  // The rule does not count when the route it finds has a prefix this short or shorter.
  std::optional<std::uint32_t> suppress_prefix_length;

  bool operator==(const Rule&) const = default;
};

// Nothing happens when the same rule is there already.
std::error_code add_rule(NetlinkSocket& netlink, const Rule& rule);
std::error_code delete_rule(NetlinkSocket& netlink, const Rule& rule);

// Removes every rule and route that carries our tag, rules first so that no rule ever points at a
// table already emptied. Returns how many there were.
Result<std::size_t> clear_own_rules_and_routes(NetlinkSocket& netlink);

}  // namespace braid::platform
