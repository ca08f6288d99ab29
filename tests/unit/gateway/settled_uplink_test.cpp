#include "gateway/settled_uplink.h"

#include <doctest/doctest.h>

namespace braid::gateway {
namespace {

constexpr const char* kConfig = R"(
lan: { interfaces: [lan0] }
uplinks:
  - { name: dsl, interface: wan1 }
  - { name: lte, interface: wan2 }
  - { name: sat, interface: wan3, use: backup }
concentrator: { address: 203.0.113.5 }
)";

struct Bench {
  GatewayConfig config = parse_gateway_config(kConfig, "g.yaml");
  Random random{std::uint64_t{1}};
  tcp::Layer tcp{random};
  Uplinks uplinks{config, tcp, random};
  SettledUplink settled;
  Instant now{100s};

  Bench() {
    for (std::size_t i = 0; i < uplinks.size(); ++i) set_link(i, UplinkState::Link::kUp);
  }
  void set_link(std::size_t uplink, UplinkState::Link link) {
    const auto text = "10." + std::to_string(uplink) + ".0.2";
    uplinks.update(uplink, {.link = link, .ipv4 = wire::IpAddress::parse(text)});
  }
  void measured(std::size_t uplink, Duration rtt) { uplinks.health(uplink).measured(rtt, now); }
  std::optional<std::size_t> choose() { return settled.choose(uplinks, now); }
  // The choice a little before and after the other's patience ends.
  std::optional<std::size_t> choose_after_patience() {
    choose();
    now += SettledUplink::kPatience;
    return choose();
  }
};

TEST_SUITE_BEGIN("gateway");
TEST_CASE("other traffic stays where it is while another uplink is faster now and then") {
  Bench bench;
  bench.measured(0, 40ms);
  bench.measured(1, 60ms);
  REQUIRE(bench.choose() == 0u);
  for (int i = 0; i < 20; ++i) {
    bench.now += 1s;
    bench.uplinks.health(1).forget();
    bench.measured(1, i % 2 == 0 ? 10ms : 60ms);
    CHECK(bench.choose() == 0u);
  }
}

TEST_CASE("it moves to an uplink that stays much faster, not to one that is a little faster") {
  Bench bench;
  bench.measured(0, 40ms);
  bench.measured(1, 60ms);
  REQUIRE(bench.choose() == 0u);
  SUBCASE("much") {
    bench.measured(1, 20ms);
    bench.now += SettledUplink::kPatience - 1ms;
    REQUIRE(bench.choose() == 0u);
    bench.now += SettledUplink::kPatience - 1ms;
    CHECK(bench.choose() == 0u);
    bench.now += 1ms;
    CHECK(bench.choose() == 1u);
  }
  SUBCASE("a little") {
    bench.measured(1, 30ms);
    CHECK(bench.choose_after_patience() == 0u);
  }
}

TEST_CASE("it leaves an uplink with a fault at once, and does not hurry back") {
  Bench bench;
  bench.measured(0, 40ms);
  bench.measured(1, 40ms);
  REQUIRE(bench.choose() == 0u);
  bench.set_link(0, UplinkState::Link::kDown);
  REQUIRE(bench.choose() == 1u);
  bench.set_link(0, UplinkState::Link::kUp);
  bench.measured(0, 40ms);
  CHECK(bench.choose_after_patience() == 1u);
  bench.set_link(1, UplinkState::Link::kDown);
  CHECK(bench.choose() == 0u);
  bench.set_link(0, UplinkState::Link::kDown);
  CHECK(bench.choose() == 2u);  // the backup
  bench.set_link(1, UplinkState::Link::kUp);
  CHECK(bench.choose() == 1u);
}

TEST_CASE("without a usable uplink there is none to choose, and then the best that comes") {
  Bench bench;
  REQUIRE(bench.choose() == 0u);
  for (std::size_t i = 0; i < bench.uplinks.size(); ++i) {
    bench.set_link(i, UplinkState::Link::kDown);
  }
  CHECK(!bench.choose());
  bench.set_link(2, UplinkState::Link::kUp);
  CHECK(bench.choose() == 2u);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
