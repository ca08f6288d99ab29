// Far ends that answer oddly: servers whose bytes come early, routers that refuse at once.
#include <doctest/doctest.h>

#include "tests/support/roles/two_uplinks.h"
#include "tests/support/sim/icmp_boxes.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {
namespace {

TEST_SUITE_BEGIN("sim");
// Its ACK and its first bytes reach the concentrator in one wake-up: before the reply was written.
TEST_CASE("a server that opens from its side too and speaks at once is relayed whole") {
  TwoUplinks net(51);
  net.server->listen_crossing(
      80, [] { return AppScript{.send_bytes = 5000, .send_stream = 2, .expect_stream = 1}; });
  App& app = net.client->connect(net.server_at(80),
                                 {.send_bytes = 700, .send_stream = 1, .expect_stream = 2},
                                 net.world.now());
  CHECK(net.world.run_until([&] { return app.closed() && net.server->apps().back()->closed(); },
                            30s));
  CHECK(app.closed() == tcp::CloseReason::kFinished);
  CHECK(app.intact());
  CHECK(app.received() == 5000);
  REQUIRE(net.server->apps().size() == 1);
  CHECK(net.server->apps()[0]->received() == 700);
}

TEST_CASE("routers that refuse on every way are not asked in a storm") {
  TwoUplinks net(52);
  net.server->listen(80, [] { return AppScript{}; });
  std::uint64_t syns = 0;
  for (const LinkId link : {net.dsl, net.lte}) {
    net.world.add_filter<FunctionFilter>(link, [&](Packet& packet, Toward toward, Instant) {
      const auto view = PacketView::of(packet);
      if (toward == Toward::kB && view && view->is_tcp() && view->tcp_flags() & kSyn) ++syns;
      return FunctionFilter::Verdict::kPass;
    });
    net.world.add_filter<SynWall>(
        link, Toward::kB, std::nullopt, IcmpAbout::kProhibited,
        Reporters{*wire::IpAddress::parse("10.9.9.9"), *wire::IpAddress::parse("fd00:9::9")});
  }
  App& app = net.client->connect(net.server_at(80), {}, net.world.now());
  net.world.run_for(10s);
  CHECK(syns >= 10);  // it goes on trying
  CHECK(syns <= 40);  // probes included
  CHECK(!app.established());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
