#include "platform/capture.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace braid::platform {

TEST_SUITE_BEGIN("platform");
TEST_CASE("marked LAN packets ask the main table without its default, then the TUN's table") {
  const auto rules = capture_rules({.tun_index = 7, .lan_interfaces = {"lan0"}, .mark = 0x42});
  REQUIRE(rules.size() == 4);
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    const int family = i == 0 ? AF_INET : AF_INET6;
    CHECK(rules[i] == Rule{.family = family,
                           .priority = CapturePlan::kPriority,
                           .table = kMainTable,
                           .mark = 0x42,
                           .input_interface = "lan0",
                           .suppress_prefix_length = 0});
    CHECK(rules[i + 1] == Rule{.family = family,
                               .priority = CapturePlan::kPriority + 1,
                               .table = CapturePlan::kTable,
                               .mark = 0x42,
                               .input_interface = "lan0"});
  }
}

TEST_CASE("local capture takes unbound TCP connects and what bears the TUN's address, no more") {
  const auto address = *IpAddress::parse("192.0.2.1");
  const auto rules = capture_rules({.tun_index = 7,
                                    .mark = 0x42,
                                    .local = CapturePlan::Local::kCapture,
                                    .tun_addresses = {address}});
  std::vector<Rule> ipv4;
  std::vector<Rule> ipv6;
  for (const Rule& rule : rules) (rule.family == AF_INET ? ipv4 : ipv6).push_back(rule);
  REQUIRE(ipv4.size() == 3);
  REQUIRE(ipv6.size() == 2);
  for (const Rule& rule : rules) {
    CHECK(rule.input_interface == "lo");
    CHECK_FALSE(rule.mark);
    REQUIRE(rule.from);
  }
  CHECK(ipv4[0].from->to_string() == "0.0.0.0/32");
  CHECK(ipv4[0].ip_protocol == std::uint8_t{IPPROTO_TCP});
  CHECK(ipv4[0].suppress_prefix_length == 0U);
  CHECK(ipv4[1].table == CapturePlan::kTable);
  CHECK(ipv4[2].from->to_string() == "192.0.2.1/32");
  CHECK_FALSE(ipv4[2].ip_protocol);
  CHECK(ipv6[0].from->to_string() == "::/128");
}

TEST_CASE("the TUN's table has a default route of each family, with the TUN's address as source") {
  const auto routes = capture_routes({.tun_index = 7,
                                      .lan_interfaces = {"lan0"},
                                      .tun_addresses = {*IpAddress::parse("2001:db8::1")}});
  REQUIRE(routes.size() == 2);
  CHECK(routes[0].destination.to_string() == "0.0.0.0/0");
  CHECK(routes[1].destination.to_string() == "::/0");
  for (const Route& route : routes) {
    CHECK(route.table == CapturePlan::kTable);
    CHECK(route.link_index == 7);
    CHECK_FALSE(route.gateway);
  }
  CHECK_FALSE(routes[0].preferred_source);
  CHECK(routes[1].preferred_source == IpAddress::parse("2001:db8::1"));
}
TEST_SUITE_END();

}  // namespace braid::platform
