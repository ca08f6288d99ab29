// The main job: a LAN host's connection over two uplinks at once, in virtual time.
#include <doctest/doctest.h>

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

bool both_ended(const App& app, const AppHost& server) {
  return app.closed() && !server.apps().empty() && server.apps()[0]->closed();
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("a download over both uplinks is intact, closes in order, and uses both") {
  TwoUplinks net(1);
  constexpr std::uint64_t kBytes = 8'000'000;
  net.server->listen(80, [] { return server_script(kBytes); });
  App& app = net.client->connect(net.server_at(80), client_script(100), net.world.now());
  REQUIRE(net.world.run_until([&] { return both_ended(app, *net.server); }, 120s));
  CHECK(app.intact());
  CHECK(app.received() == kBytes);
  CHECK(app.closed() == tcp::CloseReason::kFinished);
  CHECK(net.server->apps()[0]->received() == 100);
  CHECK(net.server->apps()[0]->intact());
  CHECK(net.world.model(net.dsl, Toward::kA).stats().delivered_bytes > kBytes / 4);
  CHECK(net.world.model(net.lte, Toward::kA).stats().delivered_bytes > kBytes / 8);
  net.world.run_for(5s);
  CHECK(net.gateway().active_flows() == 0);
  CHECK(net.concentrator().active_sessions() == 0);
  CHECK(net.gateway().pool().used_bytes() == 0);
  CHECK(net.concentrator().pool().used_bytes() == 0);
}

TEST_CASE("an upload over both uplinks is intact") {
  TwoUplinks net(2);
  constexpr std::uint64_t kBytes = 8'000'000;
  net.server->listen(80, [] { return server_script(10); });
  App& app = net.client->connect(net.server_at(80), client_script(kBytes), net.world.now());
  REQUIRE(net.world.run_until([&] { return both_ended(app, *net.server); }, 120s));
  CHECK(net.server->apps()[0]->received() == kBytes);
  CHECK(net.server->apps()[0]->intact());
  CHECK(app.received() == 10);
}

TEST_CASE("a concentrator without memory for its reply turns clients away until there is some") {
  TwoUplinksSettings settings;
  settings.concentrator =
      "listen: { interface: eth0 }\nallow: [ 10.0.0.0/8 ]\n"
      "targets: { private: true }\nmemory: 1MiB\n";
  TwoUplinks net(4, settings);
  std::optional<Pipe> hog(std::in_place, net.concentrator().pool(), 16ULL << 20);
  const std::vector<std::uint8_t> bytes(32768);
  while (hog->append(Slices(Bytes(bytes))) > 0) {
  }
  net.server->listen(80, [] { return server_script(10); });
  App& app = net.client->connect(net.server_at(80), client_script(1), net.world.now());
  net.world.run_for(3s);
  CHECK(!app.established());
  CHECK(net.concentrator().counters().replies_lacked_memory > 0);
  CHECK(net.concentrator().active_sessions() == 0);
  hog.reset();
  REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 10s));
  CHECK(app.received() == 10);
}

TEST_CASE("a refused server is refused to the client, within a round trip of the truth") {
  TwoUplinks net(3);
  App& app = net.client->connect(net.server_at(81), client_script(1), net.world.now());
  REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 10s));
  CHECK(app.closed() == tcp::CloseReason::kRefused);
  CHECK(net.world.now() - Instant() < 60ms);
  CHECK(!app.established());
}

TEST_CASE(
    "a server that never answers leaves the client to its own clock, with one server connection") {
  TwoUplinks net(4);
  net.server->listen_silently(80);
  App& app = net.client->connect(net.server_at(80), client_script(1), net.world.now());
  net.world.run_for(20s);
  CHECK(!app.established());
  CHECK(!app.closed());
  CHECK(net.server->syns_seen(80) >= 2);  // driven by the client's SYN clock (C55)
  CHECK(net.concentrator().counters().sessions == 1);
  CHECK(net.gateway().counters().probes_dead == 0);
  CHECK(!net.gateway().ways().health(0).is_dead(net.world.now()));
}

TEST_CASE("when one uplink falls silent in mid-download, the download finishes over the other") {
  TwoUplinks net(5);
  constexpr std::uint64_t kBytes = 10'000'000;
  net.server->listen(80, [] { return server_script(kBytes); });
  App& app = net.client->connect(net.server_at(80), client_script(100), net.world.now());
  LinkState state = LinkState::kBlackHole;
  SUBCASE("a black hole") {}
  SUBCASE("with carrier loss") { state = LinkState::kNoCarrier; }
  std::size_t cut = 0;
  SUBCASE("the first") {}
  SUBCASE("the second") { cut = 1; }
  net.world.after(700ms, [&] {
    net.world.set_state(cut == 0 ? net.dsl : net.lte, state);
    if (state == LinkState::kNoCarrier) {
      net.set_uplink_link(cut, gateway::UplinkState::Link::kDown);
    }
  });
  REQUIRE(net.world.run_until([&] { return app.peer_ended(); }, 60s));
  CHECK(app.intact());
  CHECK(app.received() == kBytes);
}

TEST_CASE("IPv6 clients are carried over IPv4 uplinks, and IPv4 clients over IPv6 ones") {
  TwoUplinksSettings settings;
  wire::Family inside = wire::Family::kIpv6;
  SUBCASE("v6 over v4") {}
  SUBCASE("v4 over v6") {
    settings.outside = wire::Family::kIpv6;
    inside = wire::Family::kIpv4;
  }
  TwoUplinks net(6, settings);
  net.server->listen(80, [] { return server_script(500'000); });
  App& app = net.client->connect(net.server_at(80, inside), client_script(100), net.world.now());
  REQUIRE(net.world.run_until([&] { return app.peer_ended(); }, 60s));
  CHECK(app.intact());
  CHECK(app.received() == 500'000);
}

TEST_CASE("half-close in either direction leaves the other one open") {
  TwoUplinks net(7);
  AppScript client = client_script(1000);
  AppScript server = server_script(300'000);
  SUBCASE("the client ends first") { server.finish = AppScript::Finish::kAfterPeer; }
  SUBCASE("the server ends first") { client.finish = AppScript::Finish::kAfterPeer; }
  net.server->listen(80, [&] { return server; });
  App& app = net.client->connect(net.server_at(80), client, net.world.now());
  REQUIRE(net.world.run_until([&] { return both_ended(app, *net.server); }, 120s));
  CHECK(app.received() == 300'000);
  CHECK(net.server->apps()[0]->received() == 1000);
  CHECK(app.closed() == tcp::CloseReason::kFinished);
}

TEST_CASE("a reset of one side is a reset of the other") {
  TwoUplinks net(8);
  AppScript client = client_script(1'000'000);
  AppScript server = server_script(1'000'000);
  SUBCASE("by the client") {
    client.reset_after = 200'000;
    net.server->listen(80, [&] { return server; });
    App& app = net.client->connect(net.server_at(80), client, net.world.now());
    REQUIRE(net.world.run_until(
        [&] { return !net.server->apps().empty() && net.server->apps()[0]->closed(); }, 60s));
    CHECK(net.server->apps()[0]->closed() == tcp::CloseReason::kReset);
    CHECK(app.closed() == tcp::CloseReason::kAborted);
  }
  SUBCASE("by the server") {
    server.reset_after = 200'000;
    net.server->listen(80, [&] { return server; });
    App& app = net.client->connect(net.server_at(80), client, net.world.now());
    REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 60s));
    CHECK(app.closed() == tcp::CloseReason::kReset);
  }
}

TEST_CASE("the same seed gives the same bytes at the same times") {
  const auto run = [] {
    TwoUplinksSettings settings;
    settings.dsl.loss = 0.01;
    settings.lte.jitter = 3ms;
    TwoUplinks net(9, settings);
    net.server->listen(80, [] { return server_script(500'000); });
    net.client->connect(net.server_at(80), client_script(1000), net.world.now());
    net.world.run_for(5s);
    return net.world.trace_hash();
  };
  CHECK(run() == run());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
