// Schedulers in both whole roles: overflow in both directions, and a configuration that is read
// again while connections run.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {
namespace {

constexpr std::uint64_t kUpload = 1;
constexpr std::uint64_t kDownload = 2;

AppScript client_script(std::uint64_t bytes) {
  return {.send_bytes = bytes, .send_stream = kUpload, .expect_stream = kDownload};
}
AppScript server_script(std::uint64_t bytes) {
  return {.send_bytes = bytes, .send_stream = kDownload, .expect_stream = kUpload};
}

gateway::GatewayConfig gateway_config(const std::string& more) {
  return gateway::parse_gateway_config(
      "lan: { interfaces: [lan0] }\n"
      "concentrator: { address: [203.0.113.5, \"2001:db8:5::5\"] }\n"
      "uplinks:\n"
      "  - { name: dsl, interface: wan1, cost: 1, rate: 50Mbit }\n"
      "  - { name: lte, interface: wan2, cost: 9, rate: 30Mbit }\n" +
          more,
      "gateway.yaml");
}

gateway::ConcentratorConfig concentrator_config(const std::string& more) {
  return gateway::parse_concentrator_config(TwoUplinksSettings::kUsualConcentrator + more,
                                            "concentrator.yaml");
}

// What may pass between concentrator and server: the demand.
TwoUplinksSettings with_demand(std::uint64_t megabits) {
  TwoUplinksSettings settings;
  settings.server_side = {
      .rate = Rate::bits_per_second(megabits * 1'000'000), .delay = 1ms, .queue_time = 50ms};
  return settings;
}

struct Run {
  TwoUplinks net;

  explicit Run(std::uint64_t seed, std::uint64_t megabits) : net(seed, with_demand(megabits)) {
    net.gateway().reconfigure(gateway_config("scheduler: overflow\n"));
  }
  void download(std::uint64_t bytes) {
    net.server->listen(80, [bytes] { return server_script(bytes); });
    App& app = net.client->connect(net.server_at(80), client_script(100), net.world.now());
    REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 120s));
    CHECK(app.intact());
    CHECK(app.received() == bytes);
  }
  void upload(std::uint64_t bytes) {
    net.server->listen(80, [] { return server_script(10); });
    App& app = net.client->connect(net.server_at(80), client_script(bytes), net.world.now());
    REQUIRE(
        net.world.run_until([&] { return app.closed() && net.server->apps()[0]->closed(); }, 120s));
    CHECK(net.server->apps()[0]->intact());
    CHECK(net.server->apps()[0]->received() == bytes);
  }
  std::uint64_t carried(LinkId link, Toward toward) {
    return net.world.model(link, toward).stats().delivered_bytes;
  }
  const sched::Link& lte() { return *net.gateway().ways().paths()[1].link; }
};

constexpr std::uint64_t kBytes = 20'000'000;

TEST_SUITE_BEGIN("sim");
TEST_CASE("overflow: a download within the cheap uplink's share leaves the dear one alone") {
  Run run(11, 25);
  run.download(kBytes);
  CHECK(run.carried(run.net.lte, Toward::kA) < kBytes / 50);
  CHECK(run.lte().peer_in_reserve);
}

TEST_CASE("overflow: a download beyond the cheap uplink's share uses both, until it ends") {
  Run run(12, 200);
  run.download(2 * kBytes);
  CHECK(run.carried(run.net.lte, Toward::kA) > kBytes / 4);
  CHECK_FALSE(run.lte().peer_in_reserve);
  run.net.world.run_for(12s);
  CHECK(run.lte().peer_in_reserve);
  SUBCASE("and the next small one is carried by the cheap uplink") {
    const std::uint64_t before = run.carried(run.net.lte, Toward::kA);
    App& app =
        run.net.client->connect(run.net.server_at(80), client_script(100), run.net.world.now());
    run.net.world.run_for(300ms);
    CHECK(app.received() > 100'000);
    CHECK(run.carried(run.net.lte, Toward::kA) - before < 10'000);
  }
}

TEST_CASE("overflow: an upload within the cheap uplink's share leaves the dear one alone") {
  Run run(13, 25);
  run.upload(kBytes);
  CHECK(run.carried(run.net.lte, Toward::kB) < kBytes / 50);
  CHECK(run.lte().in_reserve);
}

TEST_CASE("overflow: an upload beyond the cheap uplink's share uses both") {
  Run run(14, 200);
  run.upload(2 * kBytes);
  CHECK(run.carried(run.net.lte, Toward::kB) > kBytes / 4);
  CHECK_FALSE(run.lte().in_reserve);
}

TEST_CASE("overflow: with the cheap uplink gone the dear one carries all, at once") {
  Run run(15, 25);
  run.net.server->listen(80, [] { return server_script(kBytes); });
  App& app =
      run.net.client->connect(run.net.server_at(80), client_script(100), run.net.world.now());
  run.net.world.run_for(2s);
  const std::uint64_t before = app.received();
  run.net.set_uplink_link(0, gateway::UplinkState::Link::kDown);
  run.net.world.run_for(2s);
  CHECK(app.received() > before + 2'000'000);
  CHECK_FALSE(run.lte().peer_in_reserve);
}

TEST_CASE("a scheduler that is no longer overflow holds nothing in reserve") {
  Run run(16, 25);
  run.download(1'000'000);
  REQUIRE(run.lte().peer_in_reserve);
  CHECK(run.net.gateway().reconfigure(gateway_config("scheduler: min_rtt\n")).empty());
  run.net.world.run_for(1s);
  CHECK_FALSE(run.lte().peer_in_reserve);
  CHECK_FALSE(run.lte().in_reserve);
}

TEST_CASE("running connections change their scheduler at once, and lose nothing by it") {
  TwoUplinks net(17);
  net.server->listen(80, [] { return server_script(5 * kBytes); });
  App& app = net.client->connect(net.server_at(80), client_script(100), net.world.now());
  net.world.run_for(1s);
  const auto copied = [&] {
    return net.concentrator().sessions().begin()->second->bundle().counters().copied_bytes;
  };
  REQUIRE(net.concentrator().active_sessions() == 1);
  CHECK(copied() == 0);
  CHECK(net.concentrator().reconfigure(concentrator_config("scheduler: redundant\n")).empty());
  net.world.run_for(1s);
  CHECK(copied() > 1'000'000);
  net.concentrator().reconfigure(concentrator_config("scheduler: round_robin\n"));
  net.world.run_for(500ms);
  const std::uint64_t then = copied();
  net.world.run_for(500ms);
  CHECK(copied() == then);
  REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 60s));
  CHECK(app.intact());
  CHECK(app.received() == 5 * kBytes);
}

TEST_CASE("a changed allow list is for new connections") {
  TwoUplinks net(18);
  net.server->listen(80, [] { return server_script(1'000'000); });
  App& running = net.client->connect(net.server_at(80), client_script(100), net.world.now());
  net.world.run_for(100ms);
  gateway::ConcentratorConfig fresh = concentrator_config("");
  fresh.allow.clear();
  net.concentrator().reconfigure(fresh);
  App& later = net.client->connect(net.server_at(80), client_script(100), net.world.now());
  net.world.run_for(5s);
  CHECK(running.received() == 1'000'000);
  CHECK(running.intact());
  CHECK_FALSE(later.established());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
