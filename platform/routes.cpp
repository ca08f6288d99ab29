#include "platform/routes.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <vector>

namespace braid::platform {

namespace {

std::optional<IpAddress> gateway_in(const NetlinkAttributes& attributes) {
  if (const auto gateway = attributes.address(RTA_GATEWAY)) return gateway;
  // RTA_VIA: a gateway of the other family, behind two bytes that name it.
  const Bytes via = attributes.get(RTA_VIA);
  if (via.size() == 2 + 4 || via.size() == 2 + 16) return IpAddress::from_bytes(via.subspan(2));
  return std::nullopt;
}

// Of several next hops the first one that leaves by this link.
std::optional<RouteHop> hop_in_multipath(Bytes run, std::uint32_t link_index) {
  while (run.size() >= sizeof(rtnexthop)) {
    rtnexthop hop{};
    std::memcpy(&hop, run.data(), sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > run.size()) return std::nullopt;
    if (static_cast<std::uint32_t>(hop.rtnh_ifindex) == link_index) {
      return RouteHop{
          gateway_in(NetlinkAttributes(run.subspan(sizeof hop, hop.rtnh_len - sizeof hop)))};
    }
    const std::size_t step = RTNH_ALIGN(hop.rtnh_len);
    if (step >= run.size()) return std::nullopt;
    run = run.subspan(step);
  }
  return std::nullopt;
}

NetlinkRequest route_request(std::uint16_t type, std::uint16_t flags, const Route& route) {
  rtmsg body{};
  body.rtm_family = static_cast<std::uint8_t>(route.destination.address.family());
  body.rtm_dst_len = route.destination.length;
  body.rtm_table = RT_TABLE_UNSPEC;  // RTA_TABLE holds it, 32 bits wide
  body.rtm_protocol = kRouteProtocol;
  body.rtm_type = RTN_UNICAST;
  body.rtm_scope =
      route.gateway || !route.destination.address.is_v4() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  if (route.gateway) body.rtm_flags = RTNH_F_ONLINK;
  NetlinkRequest request(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), body);
  if (route.destination.length > 0) request.add(RTA_DST, route.destination.address);
  request.add(RTA_TABLE, route.table).add(RTA_OIF, route.link_index);
  request.add(RTA_PRIORITY, route.metric);
  if (route.gateway) request.add(RTA_GATEWAY, *route.gateway);
  if (route.preferred_source) request.add(RTA_PREFSRC, *route.preferred_source);
  return request;
}

NetlinkRequest rule_request(std::uint16_t type, std::uint16_t flags, const Rule& rule) {
  fib_rule_hdr body{};
  body.family = static_cast<std::uint8_t>(rule.family);
  body.action = FR_ACT_TO_TBL;
  if (rule.from) body.src_len = rule.from->length;
  NetlinkRequest request(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), body);
  request.add(FRA_PRIORITY, rule.priority).add(FRA_TABLE, rule.table);
  if (rule.mark) request.add(FRA_FWMARK, *rule.mark).add(FRA_FWMASK, 0xffffffffU);
  if (!rule.input_interface.empty()) {
    request.add(FRA_IIFNAME, std::string_view(rule.input_interface));
  }
  if (rule.from) request.add(FRA_SRC, rule.from->address);
  if (rule.ip_protocol) request.add(FRA_IP_PROTO, Bytes(&*rule.ip_protocol, 1));
  if (rule.suppress_prefix_length) {
    request.add(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  }
  request.add(FRA_PROTOCOL, Bytes(&kRouteProtocol, 1));
  return request;
}

struct Entry {
  std::uint16_t delete_type;
  std::vector<std::uint8_t> body;
};

// Collected first and deleted afterwards: a dump is not disturbed while it runs.
std::error_code collect_own(NetlinkSocket& netlink, int family, std::vector<Entry>& rules,
                            std::vector<Entry>& routes) {
  fib_rule_hdr rule_body{};
  rule_body.family = static_cast<std::uint8_t>(family);
  auto error = netlink.ask(
      NetlinkRequest(RTM_GETRULE, NLM_F_DUMP, rule_body), [&](const NetlinkMessage& message) {
        if (message.type != RTM_NEWRULE || !message.as<fib_rule_hdr>()) return;
        const auto protocol = message.attributes<fib_rule_hdr>().u8(FRA_PROTOCOL);
        if (protocol != kRouteProtocol) return;
        rules.push_back({RTM_DELRULE, {message.body.begin(), message.body.end()}});
      });
  if (error) return error;
  rtmsg route_body{};
  route_body.rtm_family = static_cast<std::uint8_t>(family);
  route_body.rtm_protocol = kRouteProtocol;
  return netlink.ask(
      NetlinkRequest(RTM_GETROUTE, NLM_F_DUMP, route_body), [&](const NetlinkMessage& message) {
        const auto body = message.as<rtmsg>();
        if (message.type != RTM_NEWROUTE || !body || body->rtm_protocol != kRouteProtocol) return;
        if ((body->rtm_flags & RTM_F_CLONED) != 0) return;
        routes.push_back({RTM_DELROUTE, {message.body.begin(), message.body.end()}});
      });
}

}  // namespace

std::optional<RouteHop> parse_hop(const NetlinkMessage& message, std::uint32_t link_index) {
  const auto body = message.as<rtmsg>();
  if (message.type != RTM_NEWROUTE || !body || body->rtm_type != RTN_UNICAST) return std::nullopt;
  const auto attributes = message.attributes<rtmsg>();
  if (attributes.has(RTA_MULTIPATH)) {
    return hop_in_multipath(attributes.get(RTA_MULTIPATH), link_index);
  }
  if (attributes.u32(RTA_OIF) != link_index) return std::nullopt;
  return RouteHop{gateway_in(attributes)};
}

Result<RouteHop> route_out_of(NetlinkSocket& netlink, std::uint32_t link_index,
                              const IpAddress& destination) {
  rtmsg body{};
  body.rtm_family = static_cast<std::uint8_t>(destination.family());
  body.rtm_dst_len = static_cast<std::uint8_t>(destination.bytes().size() * 8);
  // The matched entry instead of a result: without one IPv4 answers "on-link" for any address when
  // the output interface is given. IPv6 tells the truth by itself.
  if (destination.is_v4()) body.rtm_flags = RTM_F_FIB_MATCH;
  NetlinkRequest request(RTM_GETROUTE, NLM_F_ACK, body);
  request.add(RTA_DST, destination).add(RTA_OIF, link_index);
  std::optional<RouteHop> found;
  const auto error = netlink.ask(std::move(request), [&](const NetlinkMessage& message) {
    if (const auto hop = parse_hop(message, link_index)) found = hop;
  });
  if (error) return error;
  if (!found) return system_error(ENETUNREACH);
  return *found;
}

Result<RouteHop> default_route_of(NetlinkSocket& netlink, std::uint32_t link_index, int family) {
  rtmsg body{};
  body.rtm_family = static_cast<std::uint8_t>(family);
  NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP, body);
  request.add(RTA_OIF, link_index);
  std::optional<RouteHop> found;
  std::uint32_t found_metric = 0;
  const auto error = netlink.ask(std::move(request), [&](const NetlinkMessage& message) {
    const auto route = message.as<rtmsg>();
    if (!route || route->rtm_dst_len != 0 || route->rtm_protocol == kRouteProtocol) return;
    const auto hop = parse_hop(message, link_index);
    const auto metric = message.attributes<rtmsg>().u32(RTA_PRIORITY).value_or(0);
    if (!hop || (found && found_metric <= metric)) return;
    found = hop;
    found_metric = metric;
  });
  if (error) return error;
  if (!found) return system_error(ENETUNREACH);
  return *found;
}

std::error_code replace_route(NetlinkSocket& netlink, const Route& route) {
  return netlink.command(route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route));
}

std::error_code delete_route(NetlinkSocket& netlink, const Route& route) {
  return netlink.command(route_request(RTM_DELROUTE, 0, route));
}

std::error_code add_rule(NetlinkSocket& netlink, const Rule& rule) {
  const auto error = netlink.command(rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule));
  return error == std::errc::file_exists ? std::error_code() : error;
}

std::error_code delete_rule(NetlinkSocket& netlink, const Rule& rule) {
  return netlink.command(rule_request(RTM_DELRULE, 0, rule));
}

Result<std::size_t> clear_own_rules_and_routes(NetlinkSocket& netlink) {
  std::vector<Entry> rules;
  std::vector<Entry> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    if (const auto error = collect_own(netlink, family, rules, routes)) return error;
  }
  rules.insert(rules.end(), routes.begin(), routes.end());
  for (const Entry& entry : rules) {
    const auto error =
        netlink.command(NetlinkRequest::with_body(entry.delete_type, NLM_F_ACK, entry.body));
    // Gone by itself in the meantime (its device went down) is as good.
    if (error && error != std::errc::no_such_file_or_directory &&
        error != std::errc::no_such_process) {
      return error;
    }
  }
  return rules.size();
}

}  // namespace braid::platform
