// The ladder: what a gateway makes of uplinks that swallow, strip or forget, and of a concentrator
// that refuses, is told that nobody is there, or dies (DESIGN 6).
#include <doctest/doctest.h>

#include "tests/sim/roles/transfers.h"
#include "tests/support/roles/two_uplinks.h"
#include "tests/support/sim/icmp.h"
#include "tests/support/sim/nat.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {
namespace {

wire::Endpoint target(const char* address, std::uint16_t port) {
  return {*wire::IpAddress::parse(address), port};
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("where one uplink swallows SYNs with payload, the connection starts over the other one") {
  TwoUplinks net(41);
  net.world.add_filter<SynPayloadBox>(net.dsl, SynPayloadBox::Manner::kDropSyn);
  App& app = start_download(net, 3'000'000);
  REQUIRE(net.world.run_until([&] { return app.established(); }, 10s));
  // 100 ms of patience, 200 ms for the Info request, one round trip of 62 ms, a round of the
  // server.
  CHECK(net.world.now() - Instant() < 400ms);
  CHECK(net.gateway().counters().probes == 1);
  CHECK(net.gateway().counters().probes_dead == 1);
  CHECK(is_whole(net, app, 3'000'000, 60s));
  // A join has no payload in its SYN: the uplink is good enough for that.
  CHECK(carried_down(net, net.dsl) > 500'000);
}

TEST_CASE(
    "a connection does not wait at an uplink that takes joins but swallows SYNs with payload") {
  TwoUplinks net(53);
  net.world.add_filter<SynPayloadBox>(net.dsl, SynPayloadBox::Manner::kDropSyn);
  App& first = start_download(net, 60'000'000);
  net.world.run_for(1s);
  REQUIRE(carried_down(net, net.dsl) > 500'000);
  for (int i = 0; i < 3; ++i) {
    App& next = start_download(net, 100'000);
    CHECK(net.world.run_until([&] { return next.established(); }, 700ms));
    CHECK(is_whole(net, next, 100'000, 10s));
  }
  CHECK(!first.peer_ended());
  // One question, not one for each connection: the first answer is remembered.
  CHECK(net.gateway().counters().probes <= 3);
  CHECK(is_whole(net, first, 60'000'000, 60s));
}

TEST_CASE("payload that is cut out of a SYN is never taken for the stream") {
  TwoUplinks net(42);
  net.world.add_filter<SynPayloadBox>(net.dsl, SynPayloadBox::Manner::kStrip);
  App& app = start_download(net, 500'000);
  CHECK(is_whole(net, app, 500'000, 60s));
  CHECK(net.server->apps()[0]->received() == 100);
  CHECK(net.server->apps()[0]->intact());
}

TEST_CASE("where one uplink strips MPTCP, its bytes travel as plain TCP and arrive as they left") {
  TwoUplinks net(43);
  OptionStripper::Settings strip;
  SUBCASE("from SYNs") { strip.from = OptionStripper::From::kSyns; }
  SUBCASE("from SYN-ACKs") { strip.from = OptionStripper::From::kSynAcks; }
  SUBCASE("from everything") {}
  SUBCASE("from everything after the SYNs") { strip.from = OptionStripper::From::kLater; }
  auto& box = net.world.add_filter<OptionStripper>(net.dsl, strip);
  App& app = start_download(net, 2'000'000);
  CHECK(is_whole(net, app, 2'000'000, 60s));
  CHECK(box.stripped() > 0);
  REQUIRE(net.server->apps().size() == 1);
  CHECK(net.server->apps()[0]->received() == 100);
  CHECK(net.server->apps()[0]->intact());
  CHECK(carried_down(net, net.dsl) > 2'000'000);
  CHECK(carried_down(net, net.lte) == 0);
}

TEST_CASE("where one uplink strips MPTCP from joins, the download goes on over the other one") {
  TwoUplinks net(44);
  net.world.add_filter<OptionStripper>(net.lte, OptionStripper::Settings{});
  App& app = start_download(net, 3'000'000);
  CHECK(is_whole(net, app, 3'000'000, 60s));
  CHECK(carried_down(net, net.dsl) > 3'000'000);
}

TEST_CASE("a concentrator that dies and comes back ends what it carried, and carries what is new") {
  TwoUplinksSettings settings;
  settings.dsl.rate = settings.lte.rate = Rate::bits_per_second(10'000'000);
  TwoUplinks net(45, settings);
  App* app = nullptr;
  Duration away = 0s;
  SUBCASE("while acknowledgments of a download are under way to it") {
    app = &start_download(net, 50'000'000);
    away = 5ms;
  }
  SUBCASE("for so long that nothing is under way any more, in a download") {
    app = &start_download(net, 50'000'000);
    away = 2s;
  }
  SUBCASE("for a while, in an upload") {
    app = &start_upload(net, 50'000'000);
    away = 300ms;
  }
  net.world.run_for(1s);
  REQUIRE(net.server->apps()[0]->received() + app->received() > 1'000'000);
  net.kill_concentrator();
  net.world.run_for(away);
  net.restart_concentrator();
  CHECK(net.world.run_until([&] { return app->closed().has_value(); }, 2s));
  CHECK(app->closed() == tcp::CloseReason::kReset);
  CHECK(app->intact());

  App& fresh = start_download(net, 1'000'000);
  CHECK(is_whole(net, fresh, 1'000'000, 30s));
  net.world.run_for(5s);
  CHECK(net.gateway().active_flows() == 0);
}

TEST_CASE("a target the concentrator's rules forbid is unreachable, and no server hears of it") {
  TwoUplinksSettings settings;
  settings.concentrator = R"(
listen: { interface: eth0 }
allow: [ 10.1.0.0/24, 10.2.0.0/24 ]
)";
  TwoUplinks net(46, settings);
  wire::Endpoint to;
  SUBCASE("a private network") { to = target("192.168.5.5", 80); }
  SUBCASE("the concentrator itself") { to = target("203.0.113.5", 22); }
  SUBCASE("link-local") { to = target("169.254.169.254", 80); }
  SUBCASE("an IPv4 loopback in NAT64 clothes") { to = target("64:ff9b::7f00:1", 80); }
  App& app = connect_to(net, to);
  REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 5s));
  CHECK(!app.established());
  CHECK(app.closed() == tcp::CloseReason::kUnreachable);
  CHECK(net.world.now() - Instant() < 60ms);
  CHECK(net.concentrator().counters().targets_refused == 1);
  CHECK(net.world.model(net.server_link, Toward::kB).stats().delivered_packets == 0);
}

TEST_CASE("a refusal is told in the stream, without a RST; the RST is the client's (C20, C33)") {
  TwoUplinks net(54);
  int from_gateway = 0, from_concentrator = 0;
  net.world.add_filter<FunctionFilter>(net.dsl, [&](Packet& packet, Toward toward, Instant) {
    const auto view = PacketView::of(packet);
    if (view && view->is_tcp() && (view->tcp_flags() & kRst) != 0) {
      ++(toward == Toward::kB ? from_gateway : from_concentrator);
    }
    return FunctionFilter::Verdict::kPass;
  });
  App& app = connect_to(net, net.server_at(81));
  net.world.run_for(15s);
  CHECK(app.closed() == tcp::CloseReason::kRefused);
  CHECK(from_concentrator == 0);
  CHECK(from_gateway == 1);
  CHECK(net.concentrator().active_sessions() == 0);
}

TEST_CASE("one client address may wait for so many servers, and no more (C53)") {
  TwoUplinksSettings settings;
  settings.concentrator = R"(
listen: { interface: eth0 }
allow: [ 10.1.0.0/24, 10.2.0.0/24 ]
targets: { private: true }
max_pending_per_client: 3
)";
  TwoUplinks net(55, settings);
  net.server->listen_silently(82);
  std::vector<App*> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(&connect_to(net, net.server_at(82)));
  net.world.run_for(90ms);
  App& late = connect_to(net, net.server_at(82));
  REQUIRE(net.world.run_until([&] { return late.icmp_error() || late.closed(); }, 2s));
  CHECK(!late.established());
  CHECK(late.closed() != tcp::CloseReason::kRefused);
  CHECK(net.concentrator().counters().over_limit == 1);
  for (const App* app : waiting) CHECK(!app->closed());
}

TEST_CASE("whoever is not allowed hears nothing, not even a RST") {
  TwoUplinksSettings settings;
  settings.concentrator = "listen: { interface: eth0 }\nallow: [ 192.0.2.0/24 ]\n";
  TwoUplinks net(47, settings);
  App& app = connect_to(net, net.server_at(80));
  net.world.run_for(5s);
  CHECK(!app.established());
  CHECK(net.concentrator().counters().not_allowed > 0);
  CHECK(net.concentrator().counters().sessions == 0);
  CHECK(net.world.model(net.far, Toward::kA).stats().delivered_packets == 0);
}

TEST_CASE("a client outside `allow` cannot start a connection over its uplink, but may join one") {
  TwoUplinksSettings settings;
  settings.concentrator = "listen: { interface: eth0 }\nallow: [ 10.2.0.0/24 ]\n";
  TwoUplinks net(48, settings);
  App& app = start_download(net, 3'000'000);
  CHECK(is_whole(net, app, 3'000'000, 60s));
  CHECK(net.concentrator().counters().not_allowed > 0);
  CHECK(carried_down(net, net.dsl) > 500'000);
}

TEST_CASE("a server that a router calls unreachable is unreachable to the client, not refused") {
  TwoUplinks net(49);
  class Router final : public Filter {
   public:
    void pass(Packet packet, Toward toward, Instant, Output& out) override {
      if (toward == Toward::kA) return;
      const auto error =
          icmp_error(packet, IcmpAbout::kHostUnreachable, *wire::IpAddress::parse("198.51.100.1"));
      if (error) out.emit(Toward::kA, *error);
    }
  };
  net.world.add_filter<Router>(net.server_link);
  App& app = connect_to(net, net.server_at(80));
  REQUIRE(net.world.run_until([&] { return app.icmp_error().has_value(); }, 5s));
  CHECK(net.world.now() - Instant() < 60ms);
  CHECK(app.icmp_error()->kind == wire::IcmpError::Kind::kHostUnreachable);
  CHECK(app.closed() != tcp::CloseReason::kRefused);
  CHECK(!app.established());
  net.world.run_for(5s);
  CHECK(net.concentrator().active_sessions() == 0);
}

TEST_CASE("bytes of an attempt whose path is lost are not mixed with those of another") {
  TwoUplinks net(51);
  net.server->listen(80, [] {
    return AppScript{.send_bytes = 20'000, .send_stream = kDownload, .expect_stream = kUpload};
  });
  // The reply itself is lost, what the server says at once behind it is not.
  int lost = 0;
  net.world.add_filter<FunctionFilter>(net.dsl, [&](Packet& packet, Toward toward, Instant) {
    const auto view = PacketView::of(packet);
    const bool reply = toward == Toward::kA && view && view->is_tcp() &&
                       !view->tcp_payload().empty() && view->tcp_payload().size() < 10;
    if (!reply) return FunctionFilter::Verdict::kPass;
    ++lost;
    return FunctionFilter::Verdict::kDrop;
  });
  App& app = connect_to(net, net.server_at(80));
  const auto held = [&] {
    const auto& flows = net.gateway().flows();
    return !flows.empty() && flows.begin()->second->down().written() > StreamOffset();
  };
  REQUIRE(net.world.run_until(held, 1s));
  CHECK(lost > 0);
  net.set_uplink_link(0, gateway::UplinkState::Link::kDown);
  // Nothing of the client's has reached the first server connection, and nothing of it the client.
  CHECK(is_whole(net, app, 20'000, 5s));
  CHECK(!app.icmp_error());
  CHECK(net.server->apps().size() == 2);
  CHECK(net.server->apps()[1]->received() == 100);
}

TEST_CASE("with the reply lost the client is not told yes before the reply has come") {
  TwoUplinks net(50);
  // The SYN-ACK comes through; packets with a Convert reply behind it do not, twice.
  int lost = 0;
  Instant passed = kNever;
  const auto lose = [&](Packet& packet, Toward toward, Instant now) {
    const auto view = PacketView::of(packet);
    if (toward == Toward::kB || !view || !view->is_tcp() || view->tcp_payload().empty()) {
      return FunctionFilter::Verdict::kPass;
    }
    if (lost < 2) {
      ++lost;
      return FunctionFilter::Verdict::kDrop;
    }
    passed = std::min(passed, now);
    return FunctionFilter::Verdict::kPass;
  };
  net.world.add_filter<FunctionFilter>(net.dsl, lose);
  net.world.add_filter<FunctionFilter>(net.lte, lose);
  App& app = connect_to(net, net.server_at(80));
  const auto answered = [&] { return app.established() || app.closed() || app.icmp_error(); };
  SUBCASE("and the server accepts") {
    net.server->listen(80, [] {
      return AppScript{.send_bytes = 1000, .send_stream = kDownload, .expect_stream = kUpload};
    });
    REQUIRE(net.world.run_until(answered, 20s));
    CHECK(app.established());
    CHECK(is_whole(net, app, 1000, 20s));
  }
  SUBCASE("and the server refuses") {
    REQUIRE(net.world.run_until(answered, 20s));
    CHECK(app.closed() == tcp::CloseReason::kRefused);
  }
  CHECK(lost == 2);
  CHECK(net.world.now() >= passed);
}

TEST_CASE("a connection whose reply was lost with the concentrator is opened anew") {
  TwoUplinks net(52);
  net.server->listen(80, [] {
    return AppScript{.send_bytes = 1000, .send_stream = kDownload, .expect_stream = kUpload};
  });
  // SYN-ACKs come through, nothing else does until the concentrator is a new one.
  bool lossy = true;
  const auto lose = [&](Packet& packet, Toward toward, Instant) {
    const auto view = PacketView::of(packet);
    const bool lost =
        lossy && toward == Toward::kA && view && view->is_tcp() && !view->tcp_payload().empty();
    return lost ? FunctionFilter::Verdict::kDrop : FunctionFilter::Verdict::kPass;
  };
  net.world.add_filter<FunctionFilter>(net.dsl, lose);
  net.world.add_filter<FunctionFilter>(net.lte, lose);
  App& app = connect_to(net, net.server_at(80));
  net.world.run_for(500ms);
  REQUIRE(!app.established());
  net.kill_concentrator();
  lossy = false;
  net.restart_concentrator();
  CHECK(is_whole(net, app, 1000, 8s));
  CHECK(!app.icmp_error());
}

TEST_CASE(
    "a path that swallows everything is found dead by the Info request, and its successor used") {
  TwoUplinks net(51);
  net.world.set_state(net.dsl, LinkState::kBlackHole);
  App& first = start_download(net, 300'000);
  REQUIRE(net.world.run_until([&] { return first.established(); }, 10s));
  CHECK(net.world.now() - Instant() < 400ms);
  CHECK(net.gateway().ways().health(0).is_dead(net.world.now()));
  CHECK(!net.gateway().ways().health(1).is_dead(net.world.now()));
  // The next connection does not try the dead one again.
  const Instant began = net.world.now();
  App& second = connect_to(net, net.server_at(80));
  REQUIRE(net.world.run_until([&] { return second.established(); }, 10s));
  CHECK(net.world.now() - began < 100ms);
  CHECK(is_whole(net, first, 300'000, 30s));
  CHECK(is_whole(net, second, 300'000, 30s));
}

TEST_CASE("a NAT that forgets its mappings in mid-flow costs neither bytes nor the uplink") {
  TwoUplinks net(52);
  auto& nat = net.world.add_filter<Nat>(
      net.dsl, Nat::Settings{.outside = *wire::IpAddress::parse("10.1.0.9")});
  std::uint64_t before = 0;
  SUBCASE("in a download") {
    App& app = start_download(net, 20'000'000);
    net.world.after(700ms, [&] {
      REQUIRE(app.received() > 0);
      nat.rebind();
    });
    net.world.after(1s, [&] { before = carried_down(net, net.dsl); });
    CHECK(is_whole(net, app, 20'000'000, 60s));
    CHECK(carried_down(net, net.dsl) > before + 2'000'000);
  }
  SUBCASE("in an upload") {
    App& app = start_upload(net, 20'000'000);
    net.world.after(700ms, [&] { nat.rebind(); });
    net.world.after(1s,
                    [&] { before = net.world.model(net.dsl, Toward::kB).stats().delivered_bytes; });
    CHECK(is_whole(net, app, 10, 60s));
    CHECK(net.server->apps()[0]->received() == 20'000'000);
    CHECK(net.server->apps()[0]->intact());
    CHECK(net.world.model(net.dsl, Toward::kB).stats().delivered_bytes > before + 2'000'000);
  }
}

TEST_CASE(
    "a host at the concentrator's address that is none gets no more of our bytes (C47, C48)") {
  enum class Habit { kLeavesPayload, kAnswersInText } habit = Habit::kLeavesPayload;
  SUBCASE("it does not take the SYN's payload") {}
  SUBCASE("it takes it for its own and answers in text") { habit = Habit::kAnswersInText; }
  // It stands before the concentrator and answers every SYN of MPTCP's or TCP's itself.
  class Stranger final : public Filter {
   public:
    explicit Stranger(Habit habit) : habit_(habit) {}
    void pass(Packet packet, Toward toward, Instant, Output& out) override {
      const auto view = PacketView::of(packet);
      if (toward == Toward::kA || !view || !view->is_tcp()) return;
      const auto payload = static_cast<std::uint32_t>(view->tcp_payload().size());
      if ((view->tcp_flags() & kRst) != 0) ++resets;
      if ((view->tcp_flags() & kSyn) == 0) {
        bytes_after_syn += payload;
        return;
      }
      const bool takes = habit_ == Habit::kAnswersInText;
      wire::Segment answer{.source = {view->destination(), view->destination_port()},
                           .destination = {view->source(), view->source_port()},
                           .seq = SeqNum(1000),
                           .ack = SeqNum(view->seq() + 1 + (takes ? payload : 0)),
                           .flags = {.syn = true, .ack = true},
                           .window = 60000};
      out.emit(Toward::kA, wire::flatten(wire::make_packet(answer, 1)));
      if (!takes) return;
      const std::vector<std::uint8_t> text = {'2', '2', '0', ' ', 'h', 'i', '\r', '\n'};
      answer.flags = {.psh = true, .ack = true};
      answer.seq = SeqNum(1001);
      answer.payload = Slices(Bytes(text));
      out.emit(Toward::kA, wire::flatten(wire::make_packet(answer, 2)));
    }
    std::uint64_t bytes_after_syn = 0;
    int resets = 0;

   private:
    Habit habit_;
  };
  TwoUplinks net(56);
  auto& stranger = net.world.add_filter<Stranger>(net.far, habit);
  App& app = connect_to(net, net.server_at(80));
  REQUIRE(net.world.run_until([&] { return app.closed().has_value(); }, 5s));
  CHECK(!app.established());
  CHECK((app.closed() == tcp::CloseReason::kUnreachable) == (habit == Habit::kLeavesPayload));
  net.world.run_for(1s);
  CHECK(stranger.bytes_after_syn == 0);
  CHECK(stranger.resets > 0);
  CHECK(net.gateway().active_flows() == 0);
}

TEST_CASE("the server's SYN is no longer than the client's, and carries no data (C54)") {
  TwoUplinks net(57);
  std::size_t asked = 0, made = 0, payload = 0;
  const auto measure = [&](std::size_t& longest) {
    return [&](Packet& packet, Toward toward, Instant) {
      const auto view = PacketView::of(packet);
      if (toward == Toward::kB && view && view->is_tcp() && (view->tcp_flags() & kSyn) != 0) {
        longest = std::max(longest, packet.size());
        if (&longest == &made) payload += view->tcp_payload().size();
      }
      return FunctionFilter::Verdict::kPass;
    };
  };
  net.world.add_filter<FunctionFilter>(net.dsl, measure(asked));
  net.world.add_filter<FunctionFilter>(net.server_link, measure(made));
  App& app = start_download(net, 1000);
  CHECK(is_whole(net, app, 1000, 5s));
  CHECK(made > 0);
  CHECK(made <= asked);
  CHECK(payload == 0);
}

TEST_CASE("a client whose RST was lost is found out by the next bytes it gets") {
  TwoUplinks net(58);
  int lost = 0;
  net.world.add_filter<FunctionFilter>(net.lan, [&](Packet& packet, Toward toward, Instant) {
    const auto view = PacketView::of(packet);
    const bool reset = view && view->is_tcp() && (view->tcp_flags() & kRst) != 0;
    return toward == Toward::kB && reset && lost++ == 0 ? FunctionFilter::Verdict::kDrop
                                                        : FunctionFilter::Verdict::kPass;
  });
  App& app = start_download(net, 20'000'000);
  REQUIRE(net.world.run_until([&] { return app.received() > 500'000; }, 10s));
  app.reset(net.world.now());
  CHECK(net.world.run_until([&] { return net.server->apps()[0]->closed().has_value(); }, 5s));
  CHECK(net.server->apps()[0]->closed() == tcp::CloseReason::kReset);
  CHECK(lost >= 1);
}

TEST_CASE("whoever vanishes is not waited for endlessly") {
  TwoUplinks net(59);
  Duration limit = 0s;
  App* app = nullptr;
  SUBCASE("a client in mid-download") {
    app = &start_download(net, 200'000'000);
    net.world.run_for(1s);
    limit = 30min;  // the retransmissions of a connection (RFC 9293 MUST-20)
  }
  SUBCASE("a client with nothing to say") {
    app = &start_upload(net, 1000);
    app->set_reading(AppScript::Reading::kNo);
    net.server->listen(80, [] {
      return AppScript{.expect_stream = kUpload, .finish = AppScript::Finish::kNever};
    });
    net.world.run_for(5s);
    limit = 3h;  // keep-alives begin after two hours (MUST-28)
  }
  REQUIRE(net.gateway().active_flows() == 1);
  net.client->vanish();
  CHECK(net.world.run_until([&] { return net.gateway().active_flows() == 0; }, limit));
  CHECK(net.world.run_until([&] { return net.server->apps()[0]->closed().has_value(); }, 60s));
  net.world.run_for(60s);
  CHECK(net.concentrator().active_sessions() == 0);
  CHECK(net.gateway().pool().used_bytes() == 0);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
