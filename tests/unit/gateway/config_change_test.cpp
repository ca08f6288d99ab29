#include "gateway/config_change.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace braid::gateway {
namespace {

using Keys = std::vector<std::string>;

GatewayConfig gateway_config(const std::string& more = "", const std::string& dsl = "",
                             const std::string& lte = "") {
  return parse_gateway_config(
      "lan: { interfaces: [lan0] }\n"
      "concentrator: { address: 203.0.113.5 }\n"
      "uplinks:\n  - { name: dsl, interface: wan1" +
          dsl +
          " }\n"
          "  - { name: lte, interface: wan2" +
          lte + " }\n" + more,
      "g.yaml");
}

ConcentratorConfig concentrator_config(const std::string& more) {
  return parse_concentrator_config("listen: { interface: eth0 }\n" + more, "c.yaml");
}

}  // namespace

TEST_SUITE_BEGIN("gateway");
TEST_CASE("an unchanged file changes nothing and names nothing") {
  GatewayConfig running = gateway_config();
  CHECK(take_over(running, gateway_config()) == Keys{});
  ConcentratorConfig other = concentrator_config("");
  CHECK(take_over(other, concentrator_config("")) == Keys{});
}

TEST_CASE("a running gateway takes on what concerns scheduling, control and the log") {
  GatewayConfig running = gateway_config();
  const Keys fixed = take_over(
      running, gateway_config("scheduler: round_robin\ncongestion_control: reno\nlog: debug\n"
                              "dss_checksums: required\noverflow: { share: 50% }\n",
                              ", cost: 3", ", rate: 4Mbit/16Mbit, congestion_control: cubic"));
  CHECK(fixed == Keys{});
  CHECK(running.scheduler == sched::Policy::kRoundRobin);
  CHECK(running.congestion_control == cc::Algorithm::kReno);
  CHECK(running.dss_checksums == CommonConfig::DssChecksums::kRequired);
  CHECK(running.log == CommonConfig::LogLevel::kDebug);
  CHECK(running.overflow.share == 0.5);
  CHECK(running.uplinks[0].cost == 3);
  CHECK(running.uplinks[1].rate_up == Rate::bits_per_second(4'000'000));
  CHECK(running.uplinks[1].rate_down == Rate::bits_per_second(16'000'000));
  CHECK(running.uplinks[1].congestion_control == cc::Algorithm::kCubic);
  SUBCASE("and what is no longer said goes back to its default") {
    CHECK(take_over(running, gateway_config()) == Keys{});
    CHECK(running.uplinks[1].rate_up.is_zero());
    CHECK_FALSE(running.uplinks[1].congestion_control.has_value());
    CHECK(running.scheduler == GatewayConfig().scheduler);
  }
}

TEST_CASE("what a running gateway cannot change is named and kept") {
  GatewayConfig running = gateway_config();
  GatewayConfig fresh = gateway_config(
      "tun: { mtu: 1400 }\nmemory: 64MiB\nports: 50000-50999\n"
      "other_traffic: leave_alone\n");
  fresh.lan_interfaces = {"lan1"};
  fresh.capture = GatewayConfig::Capture::kLocal;
  fresh.concentrator_v4 = wire::IpAddress::parse("203.0.113.6");
  fresh.concentrator_port = 9;
  CHECK(take_over(running, fresh) == Keys{"tun", "memory", "lan.interfaces", "lan.capture",
                                          "concentrator.address", "concentrator.port", "ports",
                                          "other_traffic"});
  CHECK(running.tun.mtu == 1500);
  CHECK(running.memory_bytes == 256ULL << 20);
  CHECK(running.lan_interfaces == std::vector<std::string>{"lan0"});
  CHECK(running.concentrator_port == kDefaultPort);
}

TEST_CASE("uplinks cannot come, go or move, but are found again by name") {
  GatewayConfig running = gateway_config();
  GatewayConfig fresh = gateway_config("", ", cost: 7", "");
  SUBCASE("in another order") {
    std::swap(fresh.uplinks[0], fresh.uplinks[1]);
    CHECK(take_over(running, fresh) == Keys{});
    CHECK(running.uplinks[0].name == "dsl");
  }
  SUBCASE("one more") {
    fresh.uplinks.push_back({.name = "sat", .interface = "wan3"});
    CHECK(take_over(running, fresh) == Keys{"uplinks"});
    CHECK(running.uplinks.size() == 2);
  }
  SUBCASE("another name") {
    fresh.uplinks[1].name = "umts";
    CHECK(take_over(running, fresh) == Keys{"uplinks"});
    CHECK(running.uplinks[1].name == "lte");
  }
  SUBCASE("another interface, next hop or use") {
    fresh.uplinks[1].interface = "wan9";
    CHECK(take_over(running, fresh) == Keys{"uplinks"});
    CHECK(running.uplinks[1].interface == "wan2");
    fresh = gateway_config("", ", cost: 7, use: backup", "");
    CHECK(take_over(running, fresh) == Keys{"uplinks"});
    CHECK(running.uplinks[0].use == UplinkConfig::Use::kRegular);
  }
  CHECK(running.uplinks[0].cost == 7);
}

TEST_CASE("a running concentrator takes on its allow list, targets and limits") {
  ConcentratorConfig running = concentrator_config("allow: [ 192.0.2.0/24 ]\n");
  CHECK(take_over(running, concentrator_config("allow: [ 198.51.100.0/24 ]\nscheduler: redundant\n"
                                               "targets: { private: true }\n"
                                               "max_pending_per_client: 3\n")) == Keys{});
  CHECK(running.allow == std::vector{*wire::Prefix::parse("198.51.100.0/24")});
  CHECK(running.scheduler == sched::Policy::kRedundant);
  CHECK(running.private_targets == ConcentratorConfig::PrivateTargets::kServe);
  CHECK(running.max_pending_per_client == 3);
  ConcentratorConfig fresh = concentrator_config("");
  fresh.listen_interface = "eth1";
  fresh.listen_port = 1;
  CHECK(take_over(running, fresh) == Keys{"listen.interface", "listen.port"});
  CHECK(running.listen_port == kDefaultPort);
  CHECK(running.allow.empty());
}
TEST_SUITE_END();

}  // namespace braid::gateway
