#include "platform/capture.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace braid::platform {

namespace {

// The pair of lookups for packets `which` selects.
void add_lookups(std::vector<Rule>& rules, Rule which) {
  which.priority = CapturePlan::kPriority;
  which.table = kMainTable;
  which.suppress_prefix_length = 0;
  rules.push_back(which);
  which.priority = CapturePlan::kPriority + 1;
  which.table = CapturePlan::kTable;
  which.suppress_prefix_length.reset();
  rules.push_back(which);
}

}  // namespace

std::vector<Rule> capture_rules(const CapturePlan& plan) {
  std::vector<Rule> rules;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const std::string& lan : plan.lan_interfaces) {
      add_lookups(rules, {.family = family, .mark = plan.mark, .input_interface = lan});
    }
    if (plan.local == CapturePlan::Local::kLeave) continue;
    const auto host_length = static_cast<std::uint8_t>(family == AF_INET ? 32 : 128);
    // A connect() without bind() looks for a route with the unspecified address as its source.
    add_lookups(rules, {.family = family,
                        .input_interface = "lo",
                        .from = IpPrefix{IpAddress::any(family), host_length},
                        .ip_protocol = std::uint8_t{IPPROTO_TCP}});
    for (const IpAddress& address : plan.tun_addresses) {
      if (address.family() != family) continue;
      rules.push_back({.family = family,
                       .priority = CapturePlan::kPriority + 1,
                       .table = CapturePlan::kTable,
                       .input_interface = "lo",
                       .from = IpPrefix{address, host_length}});
    }
  }
  return rules;
}

std::vector<Route> capture_routes(const CapturePlan& plan) {
  std::vector<Route> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    Route route{.destination = IpPrefix::all(family),
                .table = CapturePlan::kTable,
                .link_index = plan.tun_index};
    for (const IpAddress& address : plan.tun_addresses) {
      if (address.family() == family && !route.preferred_source) route.preferred_source = address;
    }
    routes.push_back(route);
  }
  return routes;
}

std::error_code install_capture(NetlinkSocket& netlink, const CapturePlan& plan) {
  // Routes first: a rule never points at an empty table.
  bool ipv6_missing = false;
  for (const Route& route : capture_routes(plan)) {
    const auto error = replace_route(netlink, route);
    if (!error) continue;
    if (route.destination.address.is_v4() || !means_no_ipv6(error)) return error;
    ipv6_missing = true;
  }
  for (const Rule& rule : capture_rules(plan)) {
    if (ipv6_missing && rule.family == AF_INET6) continue;
    if (const auto error = add_rule(netlink, rule)) return error;
  }
  return {};
}

}  // namespace braid::platform
