#include "platform/nft_plan.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include "platform/links.h"
#include "stack/base/ensure.h"

namespace braid::platform {

namespace {

std::string quoted(const std::string& interface) {
  ENSURE(is_interface_name(interface));
  return '"' + interface + '"';
}

std::string set_of(const std::vector<std::string>& interfaces) {
  std::string text;
  for (const auto& interface : interfaces) {
    text += (text.empty() ? "{ " : ", ") + quoted(interface);
  }
  return text + " }";
}

std::string chain(std::string_view name, std::string_view kind, std::string_view rules) {
  return fmt::format("  chain {} {{\n    type {};\n{}  }}\n", name, kind, rules);
}

// The table is made, deleted and made again in one transaction: the first makes the deletion valid
// when there was none. The owner flag ties it to our netlink socket, so it dies with the process.
std::string table(std::string_view chains) {
  return fmt::format(
      "table {0} {{\n  flags owner;\n}}\ndelete table {0}\ntable {0} {{\n  flags owner;\n{1}}}\n",
      kNftTable, chains);
}

std::string quiet_rule(const GatewayNftPlan& plan, std::string_view source) {
  const std::string port =
      plan.concentrator_port ? fmt::format(" tcp sport {}", *plan.concentrator_port) : "";
  return fmt::format("    iifname {} fib daddr type local{}{} tcp dport {}-{} drop\n",
                     set_of(plan.uplinks), source, port, plan.local_ports.first,
                     plan.local_ports.last);
}

std::string quiet_rules(const GatewayNftPlan& plan) {
  if (plan.concentrators.empty()) return quiet_rule(plan, "");
  std::string rules;
  for (const IpAddress& address : plan.concentrators) {
    rules += quiet_rule(
        plan, fmt::format(" {} saddr {}", address.is_v4() ? "ip" : "ip6", address.to_string()));
  }
  return rules;
}

std::string capture_rules(const GatewayNftPlan& plan) {
  const std::string lan = set_of(plan.lan_interfaces);
  std::string rules;
  if (plan.new_connections == GatewayNftPlan::NewConnections::kCapture) {
    rules += fmt::format(
        "    iifname {} tcp flags & (syn|ack|rst|fin) == syn ct state new fib daddr type != local "
        "ct mark set {:#x}\n",
        lan, plan.mark);
  }
  rules +=
      fmt::format("    iifname {0} ct mark {1:#x} ct direction original meta mark set {1:#x}\n",
                  lan, plan.mark);
  // Errors the LAN sends about our segments, PMTU above all, belong to the same connection.
  // Protocols by number: their names are in /etc/protocols, which a small system does without.
  rules += fmt::format(
      "    iifname {0} meta l4proto {{ {2}, {3} }} ct state related ct mark {1:#x} meta mark "
      "set {1:#x}\n",
      lan, plan.mark, int{IPPROTO_ICMP}, int{IPPROTO_ICMPV6});
  return rules;
}

}  // namespace

std::string nft_text(const GatewayNftPlan& plan) {
  std::string chains;
  if (!plan.uplinks.empty()) {
    chains += chain("quiet", "filter hook prerouting priority raw", quiet_rules(plan));
  }
  if (!plan.lan_interfaces.empty()) {
    chains += chain("capture", "filter hook prerouting priority mangle", capture_rules(plan));
  }
  if (plan.masquerade == GatewayNftPlan::Masquerade::kForeignSources && !plan.uplinks.empty()) {
    chains += chain("source", "nat hook postrouting priority srcnat",
                    fmt::format("    oifname {} fib saddr . oif type != local masquerade\n",
                                set_of(plan.uplinks)));
  }
  return table(chains);
}

std::string nft_text(const ConcentratorNftPlan& plan) {
  std::string chains = chain("quiet", "filter hook prerouting priority raw",
                             fmt::format("    iifname {} fib daddr type local tcp dport {} drop\n",
                                         quoted(plan.listen_interface), plan.listen_port));
  if (plan.masquerade == ConcentratorNftPlan::Masquerade::kServerSide) {
    chains += chain("source", "nat hook postrouting priority srcnat",
                    fmt::format("    iifname {0} oifname != {0} masquerade\n", quoted(plan.tun)));
  }
  return table(chains);
}

}  // namespace braid::platform
