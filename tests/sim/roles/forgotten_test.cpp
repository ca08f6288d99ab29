// Who goes away without a word is noticed all the same: nothing may stay behind for ever.
#include <doctest/doctest.h>

#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {
namespace {

AppScript idle(std::uint64_t sends, std::uint64_t expects) {
  return {.send_bytes = 100,
          .send_stream = sends,
          .expect_stream = expects,
          .finish = AppScript::Finish::kNever};
}

bool nothing_left(TwoUplinks& net) {
  return net.gateway().active_flows() == 0 && net.concentrator().active_sessions() == 0 &&
         net.gateway().tcp().size() == 0 && net.concentrator().tcp().size() == 0;
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("a client that waits for a silent server and gives up leaves no flow behind") {
  TwoUplinks net(41);
  net.server->listen_silently(80);
  App& app = net.client->connect(net.server_at(80), idle(1, 2), net.world.now());
  REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 300s));
  CHECK(net.world.run_until([&] { return nothing_left(net); }, 300s));
}

TEST_CASE("a client that vanishes from an idle connection is noticed by keep-alives") {
  TwoUplinks net(42);
  net.server->listen(80, [] { return idle(2, 1); });
  App& app = net.client->connect(net.server_at(80), idle(1, 2), net.world.now());
  REQUIRE(net.world.run_until([&] { return app.received() == 100; }, 10s));
  net.world.run_for(10s);
  net.client->vanish();
  net.world.run_for(30min);
  CHECK(net.gateway().active_flows() == 1);  // RFC 9293 MUST-28
  CHECK(net.world.run_until([&] { return nothing_left(net); }, 3h));
}

TEST_CASE("a session whose end was lost on both uplinks is noticed by keep-alives") {
  TwoUplinks net(43);
  net.server->listen(80, [] { return idle(2, 1); });
  App& app = net.client->connect(net.server_at(80), idle(1, 2), net.world.now());
  REQUIRE(net.world.run_until([&] { return app.received() == 100; }, 10s));
  net.world.run_for(10s);
  net.world.set_state(net.dsl, LinkState::kBlackHole);
  net.world.set_state(net.lte, LinkState::kBlackHole);
  app.reset(net.world.now());
  app.wake();
  net.world.run_for(1s);
  REQUIRE(net.gateway().active_flows() == 0);
  net.world.set_state(net.dsl, LinkState::kUp);
  net.world.set_state(net.lte, LinkState::kUp);
  REQUIRE(net.concentrator().active_sessions() == 1);
  CHECK(net.world.run_until([&] { return nothing_left(net); }, 30min));
}

TEST_CASE("an idle connection between living ends stays for hours, and no NAT forgets it") {
  TwoUplinks net(44);
  net.server->listen(80, [] { return idle(2, 1); });
  App& app = net.client->connect(net.server_at(80), idle(1, 2), net.world.now());
  REQUIRE(net.world.run_until([&] { return app.received() == 100; }, 10s));
  const auto before = net.world.model(net.dsl, Toward::kB).stats().delivered_packets;
  net.world.run_for(6h);
  CHECK(!app.closed());
  CHECK(net.gateway().active_flows() == 1);
  CHECK(net.concentrator().active_sessions() == 1);
  CHECK(net.world.model(net.dsl, Toward::kB).stats().delivered_packets - before >= 6 * 3600 / 120);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
