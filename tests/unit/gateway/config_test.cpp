#include "gateway/config.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/config_reader.h"

namespace braid::gateway {
namespace {

constexpr const char* kMinimal = R"(lan: { interfaces: [lan0] }
uplinks:
  - { name: dsl, interface: wan1 }
  - { name: lte, interface: wan2 }
concentrator: { address: 203.0.113.5 }
)";

std::string gateway_error(const std::string& text) {
  try {
    parse_gateway_config(text, "g.yaml");
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no error";
}

std::string concentrator_error(const std::string& text) {
  try {
    parse_concentrator_config(text, "c.yaml");
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "no error";
}

TEST_SUITE_BEGIN("gateway");
TEST_CASE("the issue's five lines are a whole gateway configuration") {
  const GatewayConfig config = parse_gateway_config(kMinimal, "g.yaml");
  CHECK(config.lan_interfaces == std::vector<std::string>{"lan0"});
  REQUIRE(config.uplinks.size() == 2);
  CHECK(config.uplinks[0].name == "dsl");
  CHECK(config.uplinks[1].interface == "wan2");
  CHECK(config.concentrator_v4 == wire::IpAddress::parse("203.0.113.5"));
  CHECK(!config.concentrator_v6);
  CHECK(config.concentrator_port == 8803);
  CHECK(config.other_traffic == GatewayConfig::OtherTraffic::kFollow);
}

TEST_CASE("the issue's concentrator configuration is whole, and nobody is allowed by default") {
  const ConcentratorConfig config = parse_concentrator_config(
      "listen: { interface: eth0 }\nallow: [ 192.0.2.0/24, 2001:db8::/32 ]\n"
      "targets: { private: true }\n",
      "c.yaml");
  CHECK(config.listen_interface == "eth0");
  CHECK(config.listen_port == 8803);
  REQUIRE(config.allow.size() == 2);
  CHECK(config.allow[1].length == 32);
  CHECK(config.private_targets == ConcentratorConfig::PrivateTargets::kServe);

  const ConcentratorConfig bare =
      parse_concentrator_config("listen: { interface: eth0 }", "c.yaml");
  CHECK(bare.allow.empty());
  CHECK(bare.private_targets == ConcentratorConfig::PrivateTargets::kRefuse);
}

TEST_CASE("an unknown key is named with its place and the nearest known one") {
  CHECK(gateway_error("lan: { interfaces: [lan0] }\nuplink:\n  - { interface: wan1 }\n")
            .find("uplinks") != std::string::npos);
  CHECK(
      gateway_error("lan: { interfaces: [lan0] }\nuplinks:\n  - { interfase: wan1, interface: a }\n"
                    "concentrator: { address: 203.0.113.5 }\n") ==
      "g.yaml:3:7: uplinks[0].interfase: unknown key; the nearest known one is \"interface\"");
  CHECK(gateway_error(std::string(kMinimal) + "shceduler: min_rtt\n") ==
        "g.yaml:6:1: shceduler: unknown key; the nearest known one is \"scheduler\"");
}

TEST_CASE("a wrong value is named with line, column, key and what was expected") {
  CHECK(gateway_error("lan: { interfaces: [lan0] }\nuplinks:\n  - { interface: wan1 }\n"
                      "concentrator: { address: 203.0.113 }\n") ==
        "g.yaml:4:26: concentrator.address: expected an IP address, or a list of one per family");
  CHECK(gateway_error(std::string(kMinimal) + "ports: 10-20\n") ==
        "g.yaml:6:8: ports: expected a range like 61000-61999");
  CHECK(gateway_error(std::string(kMinimal) + "memory: lots\n") ==
        "g.yaml:6:9: memory: expected a size like 256MiB");
  CHECK(concentrator_error("listen: { interface: eth0, port: 0 }\n") ==
        "c.yaml:1:34: listen.port: expected a port from 1 to 65535");
  CHECK(concentrator_error("listen: { interface: eth0 }\nallow: [ 192.0.2.0/33 ]\n") ==
        "c.yaml:2:10: allow: expected networks like 192.0.2.0/24");
}

TEST_CASE("rates, times and shares are read, and refused when they are no such thing") {
  const GatewayConfig config = parse_gateway_config(
      "lan: { interfaces: [lan0] }\nconcentrator: { address: 203.0.113.5 }\nuplinks:\n"
      "  - { interface: a, rate: 1.5Mbit, cost: 0 }\n"
      "  - { interface: b, rate: 64kbit/2Gbit, congestion_control: reno }\n"
      "overflow: { share: 100%, open_after: 100ms, close_after: 60s }\n",
      "g.yaml");
  CHECK(config.uplinks[0].rate_up.bits_per_second() == 1'500'000);
  CHECK(config.uplinks[0].rate_down.bits_per_second() == 1'500'000);
  CHECK(config.uplinks[0].cost == 0);
  CHECK(config.uplinks[1].rate_up.bits_per_second() == 64'000);
  CHECK(config.uplinks[1].rate_down.bits_per_second() == 2'000'000'000);
  CHECK(config.uplinks[1].congestion_control == cc::Algorithm::kReno);
  CHECK(config.overflow ==
        sched::OverflowGate::Settings{.share = 1, .open_after = 100ms, .close_after = 60s});
  const auto uplink_error = [](const std::string& rest) {
    return gateway_error("lan: { interfaces: [lan0] }\nuplinks:\n  - { interface: a, " + rest +
                         " }\nconcentrator: { address: 203.0.113.5 }\n");
  };
  for (const char* const bad : {"20", "20mbit", "-1Mbit", "1Mbit/", "/1Mbit", "1kbit", "9999Gbit",
                                "nanMbit", "1Mbit/1Mbit/1Mbit"}) {
    CAPTURE(std::string(bad));
    CHECK(uplink_error(std::string("rate: ") + bad).find("expected a rate like 20Mbit") !=
          std::string::npos);
  }
  CHECK(uplink_error("cost: -1").find("expected a number from 0 to 1000000") != std::string::npos);
  CHECK(uplink_error("congestion_control: vegas").find("expected one of: reno") !=
        std::string::npos);
  for (const char* const bad : {"share: 0%", "share: 101%", "share: 80", "open_after: 50ms",
                                "open_after: 1", "close_after: 2d", "close_after: 25000000s"}) {
    CAPTURE(std::string(bad));
    CHECK(gateway_error(std::string(kMinimal) + "overflow: { " + bad + " }\n").find("overflow.") !=
          std::string::npos);
  }
}

TEST_CASE("what must be there is asked for") {
  CHECK(gateway_error("uplinks:\n  - { interface: wan1 }\nconcentrator: { address: 203.0.113.5 }\n")
            .find("lan.interfaces: is missing") != std::string::npos);
  CHECK(gateway_error("lan: { interfaces: [lan0] }\nuplinks: []\n").find("uplinks") !=
        std::string::npos);
  CHECK(gateway_error("lan: { interfaces: [lan0] }\nuplinks:\n  - { interface: wan1 }\n")
            .find("concentrator.address: is missing") != std::string::npos);
  CHECK(concentrator_error("allow: [ 192.0.2.0/24 ]\n").find("listen.interface: is missing") !=
        std::string::npos);
}

TEST_CASE("two uplinks share neither name nor interface") {
  const std::string tail = "concentrator: { address: 203.0.113.5 }\nlan: { interfaces: [lan0] }\n";
  CHECK(gateway_error("uplinks:\n  - { interface: a }\n  - { interface: a, name: b }\n" + tail)
            .find("interface of another uplink") != std::string::npos);
  CHECK(gateway_error("uplinks:\n  - { interface: a }\n  - { interface: b, name: a }\n" + tail)
            .find("name of another uplink") != std::string::npos);
}

TEST_CASE("an interface name that would break out of a rule's quotes is refused") {
  CHECK(gateway_error("lan: { interfaces: ['lan0\" drop'] }\nuplinks:\n  - { interface: wan1 }\n"
                      "concentrator: { address: 203.0.113.5 }\n")
            .find("expected an interface name") != std::string::npos);
}

TEST_CASE("text that is no YAML, or no mapping, is one error with its place") {
  CHECK(gateway_error("lan: [").rfind("g.yaml:", 0) == 0);
  CHECK(gateway_error("just words") == "g.yaml:1:1: expected a mapping of keys to values");
  CHECK(gateway_error("") == "g.yaml:1:1: expected a mapping of keys to values");
}

TEST_CASE("a laptop captures its own connections without a LAN") {
  const GatewayConfig config = parse_gateway_config(
      "lan: { capture: local }\nuplinks:\n  - { interface: wlan0 }\n"
      "concentrator: { address: 203.0.113.5 }\n",
      "g.yaml");
  CHECK(config.capture == GatewayConfig::Capture::kLocal);
}

TEST_CASE("every file of configs/ loads in its role, and the reference shows the defaults") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("configs")) {
    CAPTURE(entry.path().string());
    ++files;
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    if (role_of(text.str(), entry.path()) == Role::kGateway) {
      CHECK_NOTHROW(load_gateway_config(entry.path()));
    } else {
      CHECK_NOTHROW(load_concentrator_config(entry.path()));
    }
  }
  CHECK(files >= 6);

  const GatewayConfig reference = load_gateway_config("configs/reference-gateway.yaml");
  const GatewayConfig plain = parse_gateway_config(kMinimal, "g.yaml");
  CHECK(reference.tun.ipv4 == plain.tun.ipv4);
  CHECK(reference.tun.ipv6 == plain.tun.ipv6);
  CHECK(reference.tun.mtu == plain.tun.mtu);
  CHECK(reference.tun.name == plain.tun.name);
  CHECK(reference.memory_bytes == plain.memory_bytes);
  CHECK(reference.congestion_control == plain.congestion_control);
  CHECK(reference.scheduler == plain.scheduler);
  CHECK(reference.first_port == plain.first_port);
  CHECK(reference.last_port == plain.last_port);
  CHECK(reference.nat_timeout == plain.nat_timeout);
  CHECK(reference.concentrator_port == plain.concentrator_port);
  CHECK(reference.other_traffic == plain.other_traffic);
  CHECK(reference.overflow == plain.overflow);
  CHECK(reference.uplinks[0].cost == plain.uplinks[0].cost);
  CHECK(reference.log == plain.log);
}

TEST_CASE("what NATs forget after is a time in seconds") {
  const auto with = [](const char* time) {
    return parse_gateway_config(std::string(kMinimal) + "\nnat_timeout: " + time + "\n", "g.yaml");
  };
  CHECK(with("30s").nat_timeout == 30s);
  for (const char* bad : {"30", "9s", "86401s", "s", "-30s", "30m"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(with(bad), ConfigError);
  }
}

TEST_CASE("edit distance counts inserted, deleted and replaced letters") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("same", "same") == 0);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
