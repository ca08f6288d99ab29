// Routers that swallow large packets and say nothing: found by probing (RFC 8899, RFC 4821), on the
// uplinks and on the legs to servers, and not where there is only loss.
#include <doctest/doctest.h>

#include "tests/sim/roles/transfers.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {
namespace {

// Swallows packets of more than `most` bytes, both ways.
struct Narrow {
  Narrow(TwoUplinks& net, LinkId link, std::size_t most) {
    net.world.add_filter<FunctionFilter>(link,
                                         [this, most](Packet& packet, Toward toward, Instant) {
                                           if (packet.size() <= most)
                                             return FunctionFilter::Verdict::kPass;
                                           ++(toward == Toward::kA ? swallowed_down : swallowed_up);
                                           return FunctionFilter::Verdict::kDrop;
                                         });
  }
  std::uint64_t swallowed_down = 0;
  std::uint64_t swallowed_up = 0;
};

std::vector<mptcp::Connection::SubflowInfo> gateway_subflows(TwoUplinks& net) {
  const auto& flows = net.gateway().flows();
  return flows.empty() ? std::vector<mptcp::Connection::SubflowInfo>()
                       : flows.begin()->second->bundle()->subflows();
}

void take_down_lte(TwoUplinks& net) {
  net.world.set_state(net.lte, LinkState::kNoCarrier);
  net.set_uplink_link(1, gateway::UplinkState::Link::kDown);
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("an uplink that swallows packets of more than 1400 bytes carries downloads") {
  TwoUplinksSettings settings;
  SUBCASE("IPv4") {}
  SUBCASE("IPv6") { settings.outside = wire::Family::kIpv6; }
  TwoUplinks net(81, settings);
  Narrow box(net, net.dsl, 1400);
  SUBCASE("alone") {
    take_down_lte(net);
    App& app = start_download(net, 5'000'000);
    // Nothing full-sized has ever arrived: the first timeout suffices to try small packets.
    CHECK(net.world.run_until([&] { return app.received() > 50'000; }, 2500ms));
    CHECK(is_whole(net, app, 5'000'000, 10s));
    CHECK(box.swallowed_down < 60);
  }
  SUBCASE("beside another one") {
    App& app = start_download(net, 10'000'000);
    CHECK(is_whole(net, app, 10'000'000, 20s));
    CHECK(carried_down(net, net.dsl) > 2'000'000);
    CHECK(box.swallowed_down < 60);
  }
}

TEST_CASE("an uplink that swallows packets of more than 1400 bytes carries uploads, and says so") {
  TwoUplinksSettings settings;
  SUBCASE("IPv4") {}
  SUBCASE("IPv6") { settings.outside = wire::Family::kIpv6; }
  TwoUplinks net(82, settings);
  Narrow box(net, net.dsl, 1400);
  take_down_lte(net);
  App& app = start_upload(net, 8'000'000);
  REQUIRE(net.world.run_until(
      [&] { return !net.server->apps().empty() && net.server->apps()[0]->received() > 4'000'000; },
      20s));
  const auto subflows = gateway_subflows(net);
  REQUIRE(subflows.size() == 1);
  CHECK(subflows[0].path.path_mtu == 1400);
  CHECK(subflows[0].path.path_mtu_source == tcp::PathMtu::Source::kProbing);
  CHECK(is_whole(net, app, 10, 20s));
  CHECK(net.server->apps()[0]->received() == 8'000'000);
  CHECK(net.server->apps()[0]->intact());
  CHECK(box.swallowed_up < 60);
}

TEST_CASE("the second connection does not run into the black hole the first one found") {
  TwoUplinks net(85);
  take_down_lte(net);
  Narrow box(net, net.dsl, 1400);
  App& first = start_download(net, 2'000'000);
  REQUIRE(is_whole(net, first, 2'000'000, 20s));
  const std::uint64_t swallowed = box.swallowed_down;
  REQUIRE(swallowed > 0);
  App& second = start_download(net, 2'000'000);
  CHECK(is_whole(net, second, 2'000'000, 2s));
  CHECK(box.swallowed_down == swallowed);
}

TEST_CASE("a path that becomes narrow in mid-flow goes on narrow") {
  TwoUplinks net(83);
  take_down_lte(net);
  App& app = start_upload(net, 12'000'000);
  net.world.run_for(1s);
  REQUIRE(!net.server->apps().empty());
  const std::uint64_t before = net.server->apps()[0]->received();
  REQUIRE(before > 500'000);
  REQUIRE(gateway_subflows(net).at(0).path.path_mtu == 1500);
  Narrow box(net, net.dsl, 1300);
  CHECK(net.world.run_until([&] { return net.server->apps()[0]->received() > before + 1'000'000; },
                            4s));
  CHECK(is_whole(net, app, 10, 20s));
  CHECK(net.server->apps()[0]->intact());
}

TEST_CASE("a server behind a router that swallows large packets is reached, both ways") {
  TwoUplinks net(84);
  Narrow box(net, net.server_link, 1400);
  SUBCASE("with an upload, which our leg cuts") {
    App& app = start_upload(net, 3'000'000);
    CHECK(is_whole(net, app, 10, 20s));
    CHECK(net.server->apps()[0]->received() == 3'000'000);
    CHECK(net.server->apps()[0]->intact());
    CHECK(box.swallowed_up > 0);
    CHECK(box.swallowed_up < 60);
  }
  SUBCASE("with a download") {
    App& app = start_download(net, 3'000'000);
    CHECK(is_whole(net, app, 3'000'000, 20s));
  }
}

TEST_CASE("neither loss nor outages are taken for a narrow path") {
  TwoUplinksSettings settings;
  settings.dsl.loss = 0.05;
  TwoUplinks net(85, settings);
  take_down_lte(net);
  App& app = start_upload(net, 6'000'000);
  bool dark = false;
  for (int i = 0; i < 60 && !app.peer_ended() && !app.closed(); ++i) {
    net.world.run_for(500ms);
    dark = i % 6 == 3;  // half a second in three
    net.world.set_state(net.dsl, dark ? LinkState::kBlackHole : LinkState::kUp);
    for (const auto& subflow : gateway_subflows(net)) CHECK(subflow.path.path_mtu == 1500);
  }
  net.world.set_state(net.dsl, LinkState::kUp);
  CHECK(is_whole(net, app, 10, 60s));
  CHECK(net.server->apps()[0]->intact());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
