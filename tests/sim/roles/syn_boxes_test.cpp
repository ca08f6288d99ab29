// Boxes that dislike SYNs: with MP_CAPABLE (RFC 8684 M35), or with more payload than some bytes.
#include <doctest/doctest.h>

#include "tests/sim/roles/transfers.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {
namespace {

// Swallows SYNs that carry MP_CAPABLE and nothing else; counts all SYNs.
struct CapableBox {
  CapableBox(TwoUplinks& net, LinkId link) {
    net.world.add_filter<FunctionFilter>(link, [this](Packet& packet, Toward toward, Instant) {
      auto view = PacketView::of(packet);
      const bool syn =
          toward == Toward::kB && view && view->is_tcp() && (view->tcp_flags() & kSyn) != 0;
      if (!syn) return FunctionFilter::Verdict::kPass;
      ++syns;
      bool capable = false;
      for_each_option(*view, [&](std::uint8_t kind, MutableBytes option) {
        capable |= kind == 30 && option.size() > 2 && option[2] >> 4 == 0;
      });
      if (!capable) return FunctionFilter::Verdict::kPass;
      ++swallowed;
      return FunctionFilter::Verdict::kDrop;
    });
  }
  int syns = 0;
  int swallowed = 0;
};

TEST_SUITE_BEGIN("sim");
TEST_CASE("where SYNs with MP_CAPABLE are swallowed a plain one gets through (M35)") {
  TwoUplinks net(71);
  CapableBox dsl(net, net.dsl);
  CapableBox lte(net, net.lte);
  App& app = start_download(net, 1'000'000);
  REQUIRE(net.world.run_until([&] { return app.established(); }, 10s));
  CHECK(net.world.now() - Instant() < 3200ms);  // the third SYN leaves after three seconds
  CHECK(dsl.swallowed == 2);
  CHECK(is_whole(net, app, 1'000'000, 30s));
  CHECK(net.server->apps().size() == 1);

  SUBCASE("and the next connection over that uplink begins plain") {
    net.world.set_state(net.lte, LinkState::kNoCarrier);
    net.set_uplink_link(1, gateway::UplinkState::Link::kDown);
    const int before = dsl.swallowed;
    const Instant began = net.world.now();
    App& next = start_download(net, 1'000'000);
    REQUIRE(net.world.run_until([&] { return next.established(); }, 10s));
    CHECK(net.world.now() - began < 100ms);
    CHECK(is_whole(net, next, 1'000'000, 30s));
    CHECK(dsl.swallowed == before);
  }
  SUBCASE("and one that begins after a while tries MPTCP again") {
    net.world.run_for(61s);
    const int before = dsl.swallowed + lte.swallowed;
    App& next = start_download(net, 1'000'000);
    CHECK(is_whole(net, next, 1'000'000, 30s));
    CHECK(dsl.swallowed + lte.swallowed > before);
  }
}

TEST_CASE("an uplink that swallows MP_CAPABLE is a later choice than one that does not") {
  TwoUplinks net(72);
  CapableBox dsl(net, net.dsl);
  App& first = start_download(net, 100'000);
  REQUIRE(is_whole(net, first, 100'000, 30s));
  App& second = start_download(net, 4'000'000);
  REQUIRE(net.world.run_until([&] { return second.established(); }, 1s));
  REQUIRE(!net.gateway().flows().empty());
  const auto* bundle = net.gateway().flows().rbegin()->second->bundle();
  CHECK(bundle->status().mode == mptcp::Mode::kMptcp);
  CHECK(is_whole(net, second, 4'000'000, 30s));
  CHECK(dsl.swallowed == 2);
  // Its joins carry no MP_CAPABLE, so it helps.
  CHECK(carried_down(net, net.dsl) > 1'000'000);
}

TEST_CASE("a server that is slow gets MPTCP all the same, and one connection (C55)") {
  TwoUplinksSettings settings;
  settings.server_side.delay = 2s;
  TwoUplinks net(73, settings);
  int server_syns = 0;
  net.world.add_filter<FunctionFilter>(net.server_link, [&](Packet& packet, Toward to, Instant) {
    const auto view = PacketView::of(packet);
    const bool syn = view && view->is_tcp() && (view->tcp_flags() & kSyn) != 0;
    server_syns += to == Toward::kB && syn ? 1 : 0;
    return FunctionFilter::Verdict::kPass;
  });
  App& app = start_download(net, 100'000);
  REQUIRE(net.world.run_until([&] { return app.established(); }, 20s));
  CHECK(net.world.now() - Instant() < 4200ms);
  REQUIRE(!net.gateway().flows().empty());
  const auto* bundle = net.gateway().flows().begin()->second->bundle();
  CHECK(bundle->status().mode == mptcp::Mode::kMptcp);
  CHECK_FALSE(bundle->status().capable_unanswered);
  CHECK(net.server->apps().size() == 1);
  CHECK(net.concentrator().counters().sessions == 1);
  CHECK(server_syns == 3);  // the client's leave at 0, 1 and 3 s, the plain one is the last
}

TEST_CASE("where SYN payload is cut so that Info would pass and Connect does not, others serve") {
  for (const std::size_t keep : {8, 12, 20, 23}) {
    CAPTURE(keep);
    TwoUplinks net(74);
    net.world.add_filter<SynPayloadBox>(net.dsl, SynPayloadBox::Manner::kTruncate, keep);
    App& app = start_download(net, 500'000);
    REQUIRE(net.world.run_until([&] { return app.established(); }, 10s));
    CHECK(net.world.now() - Instant() < 500ms);
    CHECK(is_whole(net, app, 500'000, 30s));
    CHECK(net.server->apps().size() == 1);
    CHECK(net.server->apps()[0]->received() == 100);
    App& next = start_download(net, 500'000);
    CHECK(net.world.run_until([&] { return next.established(); }, 200ms));
    CHECK(is_whole(net, next, 500'000, 30s));
  }
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
