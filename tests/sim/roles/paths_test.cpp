// What connections know of paths together: joins when they are of use, one keep-alive for an idle
// connection, and a path that one of them finds lost is left by all (DESIGN 6, RFC 9040).
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/roles/two_uplinks.h"
#include "tests/support/sim/nat.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {
namespace {

App& fetch(TwoUplinks& net, std::uint64_t bytes, AppScript::Finish finish,
           std::uint16_t port = 80) {
  net.server->listen(port, [bytes, finish] {
    return AppScript{.send_bytes = bytes, .send_stream = 2, .expect_stream = 1, .finish = finish};
  });
  return net.client->connect(
      net.server_at(port),
      {.send_bytes = 100, .send_stream = 1, .expect_stream = 2, .finish = finish}, net.world.now());
}

std::uint64_t packets(TwoUplinks& net, LinkId link) {
  return net.world.model(link, Toward::kA).stats().delivered_packets +
         net.world.model(link, Toward::kB).stats().delivered_packets;
}

const mptcp::Connection& bundle(TwoUplinks& net, std::size_t flow) {
  auto it = net.gateway().flows().begin();
  std::advance(it, flow);
  return *it->second->bundle();
}

void put_nats_before_uplinks(TwoUplinks& net) {
  for (const auto& [link, outside] : {std::pair{net.dsl, "10.1.0.9"}, {net.lte, "10.2.0.9"}}) {
    net.world.add_filter<Nat>(
        link, Nat::Settings{.outside = *wire::IpAddress::parse(outside), .timeout = 120s});
  }
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("a small fetch makes no join") {
  TwoUplinks net(71);
  std::uint64_t bytes = 0;
  SUBCASE("2 kB") { bytes = 2'000; }
  SUBCASE("10 kB") { bytes = 10'000; }
  App& app = fetch(net, bytes, AppScript::Finish::kAfterSending);
  net.world.run_for(10s);
  CHECK(app.received() == bytes);
  CHECK(packets(net, net.lte) == 0);
}

TEST_CASE("a megabyte is long enough for the second uplink to carry some of it") {
  TwoUplinks net(72);
  App* app = nullptr;
  Toward toward = Toward::kA;
  SUBCASE("down") { app = &fetch(net, 1'000'000, AppScript::Finish::kAfterSending); }
  SUBCASE("up") {
    toward = Toward::kB;
    net.server->listen(80, [] {
      return AppScript{.send_bytes = 10,
                       .send_stream = 2,
                       .expect_stream = 1,
                       .finish = AppScript::Finish::kAfterPeer};
    });
    app = &net.client->connect(net.server_at(80),
                               {.send_bytes = 1'000'000, .send_stream = 1, .expect_stream = 2},
                               net.world.now());
  }
  REQUIRE(net.world.run_until([&] { return app->peer_ended(); }, 10s));
  CHECK(net.world.model(net.lte, toward).stats().delivered_bytes > 10'000);
}

TEST_CASE("a server's push after thirty idle minutes passes NATs that forget after two") {
  TwoUplinks net(73);
  put_nats_before_uplinks(net);
  App& app = fetch(net, 2'000'000, AppScript::Finish::kNever);
  REQUIRE(net.world.run_until([&] { return app.received() == 2'000'000; }, 10s));
  net.world.run_for(1s);
  REQUIRE(bundle(net, 0).subflows().size() == 2);
  // The uplink that is not kept says good-bye; then one question and one answer each 110 seconds.
  net.world.run_for(115s);
  CHECK(bundle(net, 0).subflows().size() == 1);
  const std::uint64_t before = packets(net, net.dsl);
  const std::uint64_t slow_before = packets(net, net.lte);
  const std::uint64_t asked_before = bundle(net, 0).counters().keepalives;
  net.world.run_for(30min);
  CHECK(bundle(net, 0).counters().keepalives - asked_before == 1800 / 110);
  CHECK(packets(net, net.dsl) - before == 2 * (1800 / 110));
  CHECK(packets(net, net.lte) == slow_before);

  const Instant pushed = net.world.now();
  net.server->apps()[0]->send_more(1000);
  REQUIRE(net.world.run_until([&] { return app.received() == 2'001'000; }, 5s));
  CHECK(net.world.now() - pushed < 100ms);
  // And when there is much to carry, the other uplink is joined again.
  net.server->apps()[0]->send_more(5'000'000);
  REQUIRE(net.world.run_until([&] { return app.received() == 7'001'000; }, 5s));
  CHECK(app.intact());
  CHECK(packets(net, net.lte) > slow_before + 100);
}

TEST_CASE("a lost keep-alive is repeated before the NAT forgets") {
  TwoUplinks net(74);
  put_nats_before_uplinks(net);
  App& app = fetch(net, 1000, AppScript::Finish::kNever);
  REQUIRE(net.world.run_until([&] { return app.received() == 1000; }, 10s));
  net.world.run_for(105s);
  int lost = 0;
  net.world.add_filter<FunctionFilter>(net.dsl, [&](Packet&, Toward, Instant) {
    return lost++ < 2 ? FunctionFilter::Verdict::kDrop : FunctionFilter::Verdict::kPass;
  });
  net.world.run_for(60s);
  CHECK(lost > 2);
  net.server->apps()[0]->send_more(1000);
  CHECK(net.world.run_until([&] { return app.received() == 2000; }, 1s));
}

TEST_CASE("a path that one connection finds lost is left by all of them, and all come back to it") {
  TwoUplinks net(75);
  std::vector<App*> idle;
  for (int i = 0; i < 5; ++i) idle.push_back(&fetch(net, 1000, AppScript::Finish::kNever, 81));
  net.world.run_for(1s);
  for (const App* app : idle) REQUIRE(app->received() == 1000);
  App& bulk = fetch(net, 200'000'000, AppScript::Finish::kAfterSending);
  net.world.run_for(2s);
  REQUIRE(packets(net, net.lte) > 1000);
  net.world.set_state(net.dsl, LinkState::kBlackHole);
  // Silence is noticed, the path is asked, the others join the other uplink.
  net.world.run_for(1s);
  CHECK(net.gateway().ways().health(0).is_lost());
  for (std::size_t i = 0; i < idle.size(); ++i) {
    const auto subflows = bundle(net, i).subflows();
    REQUIRE(subflows.size() == 1);
    CHECK(subflows[0].tuple.interface == 2);
  }
  for (std::size_t i = 0; i < net.server->apps().size(); ++i) {
    if (net.server->apps()[i]->received() == 100) net.server->apps()[i]->send_more(500);
  }
  REQUIRE(net.world.run_until(
      [&] {
        return std::all_of(idle.begin(), idle.end(),
                           [](const App* app) { return app->received() == 1500; });
      },
      1s));

  net.world.run_for(5s);
  net.world.set_state(net.dsl, LinkState::kUp);
  const auto carried = [&] { return net.world.model(net.dsl, Toward::kA).stats().delivered_bytes; };
  const std::uint64_t before = carried();
  CHECK(net.world.run_until([&] { return carried() > before + 20'000; }, 1s));
  CHECK(!bulk.closed());
}

TEST_CASE("a first SYN that meets a silent path leaves over another one within 300 ms") {
  TwoUplinksSettings settings;
  settings.server_side.delay = 400ms;  // the server is slow as well: that is no excuse
  TwoUplinks net(77, settings);
  net.world.set_state(net.dsl, LinkState::kBlackHole);
  Instant moved = kNever;
  net.world.add_filter<FunctionFilter>(net.lte, [&](Packet&, Toward toward, Instant now) {
    if (toward == Toward::kB) moved = std::min(moved, now);
    return FunctionFilter::Verdict::kPass;
  });
  App& app = fetch(net, 1000, AppScript::Finish::kAfterSending);
  REQUIRE(net.world.run_until([&] { return app.established(); }, 5s));
  CHECK(moved - Instant() == 300ms);
  CHECK(net.concentrator().counters().sessions == 1);
}

TEST_CASE("a server 800 ms away is waited for: one connection to it, and no path is blamed") {
  TwoUplinksSettings settings;
  settings.server_side.delay = 400ms;
  TwoUplinks net(78, settings);
  App& app = fetch(net, 1000, AppScript::Finish::kAfterSending);
  REQUIRE(net.world.run_until([&] { return app.established(); }, 5s));
  CHECK(net.world.now() - Instant() < 825ms);
  CHECK(net.server->syns_seen(80) == 1);
  CHECK(net.concentrator().counters().sessions == 1);
  CHECK(net.gateway().counters().probes == 1);
  CHECK(net.gateway().counters().probes_dead == 0);
  CHECK(packets(net, net.lte) == 0);
  for (const std::size_t i : {0, 1}) {
    CHECK(net.gateway().ways().health(i).hears(net.world.now()));
    CHECK(!net.gateway().ways().health(i).is_doubtful());
  }
}

TEST_CASE("a silent server's client that went away without a word is forgotten soon") {
  TwoUplinks net(79);
  net.server->listen_silently(80);
  net.client->connect(net.server_at(80), {.send_bytes = 1, .send_stream = 1, .expect_stream = 2},
                      net.world.now());
  net.world.run_for(2s);  // two SYNs
  net.client->vanish();
  net.world.run_for(5s);
  CHECK(net.gateway().active_flows() == 1);  // the next SYN may still come
  net.world.run_for(8s);
  CHECK(net.gateway().active_flows() == 0);
}

TEST_CASE("when one connection finds the concentrator restarted, idle ones learn it at once") {
  TwoUplinks net(80);
  std::vector<App*> idle;
  for (int i = 0; i < 20; ++i) idle.push_back(&fetch(net, 1000, AppScript::Finish::kNever, 81));
  net.world.run_for(30s);
  App& bulk = fetch(net, 200'000'000, AppScript::Finish::kAfterSending);
  net.world.run_for(1s);
  REQUIRE(net.gateway().active_flows() == 21);
  net.kill_concentrator();
  net.world.run_for(100ms);
  net.restart_concentrator();
  REQUIRE(net.world.run_until([&] { return bulk.closed().has_value(); }, 2s));
  net.world.run_for(500ms);
  for (const App* app : idle) CHECK(app->closed() == tcp::CloseReason::kReset);
  CHECK(net.gateway().active_flows() == 0);
}

TEST_CASE("each server connection leaves from another inside address than the one before") {
  TwoUplinks net(81);
  std::vector<wire::IpAddress> sources;
  net.world.add_filter<FunctionFilter>(
      net.server_link, [&](Packet& packet, Toward toward, Instant) {
        const auto view = PacketView::of(packet);
        if (toward == Toward::kB && view && view->is_tcp() && (view->tcp_flags() & kSyn) != 0) {
          sources.push_back(view->source());
        }
        return FunctionFilter::Verdict::kPass;
      });
  for (int i = 0; i < 10; ++i) fetch(net, 100, AppScript::Finish::kAfterSending);
  net.world.run_for(2s);
  REQUIRE(sources.size() == 10);
  std::sort(sources.begin(), sources.end());
  CHECK(std::adjacent_find(sources.begin(), sources.end()) == sources.end());
  const auto network = *wire::Prefix::parse("198.18.255.128/26");
  for (const wire::IpAddress& source : sources) CHECK(network.contains(source));
}

TEST_CASE(
    "a small answer that does not fit through its uplink in silence comes over the other one") {
  TwoUplinks net(82);
  int swallowed = 0;
  net.world.add_filter<FunctionFilter>(net.dsl, [&](Packet& packet, Toward toward, Instant) {
    if (toward == Toward::kB || packet.size() < 600) return FunctionFilter::Verdict::kPass;
    ++swallowed;
    return FunctionFilter::Verdict::kDrop;
  });
  App& app = fetch(net, 2'500, AppScript::Finish::kAfterSending);
  REQUIRE(net.world.run_until([&] { return app.peer_ended(); }, 5s));
  CHECK(app.intact());
  CHECK(swallowed > 0);
  CHECK(packets(net, net.lte) > 0);
}

TEST_CASE("a connection whose subflows all died goes on over whatever path comes back first") {
  TwoUplinks net(76);
  App& app = fetch(net, 20'000'000, AppScript::Finish::kAfterSending);
  net.world.run_for(1s);
  for (const LinkId link : {net.dsl, net.lte}) net.world.set_state(link, LinkState::kBlackHole);
  for (const std::size_t i : {0, 1}) {
    net.set_uplink_link(i, gateway::UplinkState::Link::kDown);
  }
  net.world.run_for(10s);
  const std::uint64_t before = app.received();
  net.world.set_state(net.lte, LinkState::kUp);
  net.set_uplink_link(1, gateway::UplinkState::Link::kUp);
  CHECK(net.world.run_until([&] { return app.received() > before; }, 1s));
  CHECK(net.world.run_until([&] { return app.peer_ended(); }, 30s));
  CHECK(app.intact());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
