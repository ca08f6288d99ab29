#include "platform/other_traffic.h"

#include <sys/socket.h>

namespace braid::platform {

std::error_code OtherTraffic::install() {
  for (const int family : {AF_INET, AF_INET6}) {
    // Specific routes of the main table keep their say; only its default is overruled.
    const Rule specific{
        .family = family, .priority = kPriority, .table = kMainTable, .suppress_prefix_length = 0};
    const Rule ours{.family = family, .priority = kPriority + 1, .table = kTable};
    for (const Rule& rule : {specific, ours}) {
      const auto error = add_rule(netlink_, rule);
      if (error && !(family == AF_INET6 && means_no_ipv6(error))) return error;
    }
  }
  return {};
}

std::error_code OtherTraffic::set(int family, const std::optional<Route>& wanted,
                                  std::optional<Route>& present) {
  std::error_code result;
  if (wanted && wanted == present) return {};
  if (wanted) {
    // IPv6 takes a replacement through a gateway for one on-link as a second route.
    if (present && family == AF_INET6) static_cast<void>(delete_route(netlink_, *present));
    result = replace_route(netlink_, *wanted);
    if (!result) present = wanted;
  } else if (present) {
    result = delete_route(netlink_, *present);
    present.reset();
    // The kernel removed it together with its link or address.
    if (result == std::errc::no_such_process || result == std::errc::no_such_device) result.clear();
  }
  return family == AF_INET6 && means_no_ipv6(result) ? std::error_code() : result;
}

std::error_code OtherTraffic::follow(const std::optional<Way>& way) {
  const auto route = [&](int family, const std::optional<RouteHop>& hop) -> std::optional<Route> {
    if (!hop) return std::nullopt;
    return Route{.destination = IpPrefix::all(family),
                 .table = kTable,
                 .link_index = way->link_index,
                 .gateway = hop->gateway};
  };
  const auto error4 = set(AF_INET, way ? route(AF_INET, way->ipv4) : std::nullopt, ipv4_);
  const auto error6 = set(AF_INET6, way ? route(AF_INET6, way->ipv6) : std::nullopt, ipv6_);
  return error4 ? error4 : error6;
}

}  // namespace braid::platform
