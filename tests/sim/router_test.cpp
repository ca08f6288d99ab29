#include "tests/support/sim/router.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/sim/packets.h"
#include "tests/support/sim/tcp_boxes.h"
#include "tests/support/sim/world.h"

namespace braid::sim {
namespace {

// Sends what it is told at the start and keeps what it gets.
struct Endpoint : Host {
  explicit Endpoint(SimDoor& to) : door(to) {}
  void receive(int, const PacketIn& packet, Instant) override {
    got.emplace_back(packet.bytes.begin(), packet.bytes.end());
  }
  void flush(Instant) override {
    for (const Packet& packet : to_send) door.send_raw(packet);
    to_send.clear();
  }
  Instant next_deadline() override { return to_send.empty() ? kNever : Instant::min(); }
  SimDoor& door;
  std::vector<Packet> to_send, got;
};

wire::IpAddress address(const char* text) { return *wire::IpAddress::parse(text); }

// a --- router --- b; 203.0.113.0/24 and 2001:db8::/32 are b's.
struct Net {
  World world{1};
  HostId a = world.add_host(), r = world.add_host(), b = world.add_host();
  LinkId left = world.connect({a, 0}, {r, 0}, {.delay = 1ms});
  LinkId right = world.connect({r, 1}, {b, 0}, {.delay = 1ms});
  Endpoint alice{world.door({a, 0})}, bob{world.door({b, 0})};
  Router router;
  Net() {
    router.add_interface(0, world.door({r, 0}), address("10.1.0.1"), address("fd00::1"));
    router.add_interface(1, world.door({r, 1}), address("203.0.113.1"), address("2001:db8::1"));
    router.add_route(*wire::Prefix::parse("203.0.113.0/24"), 1);
    router.add_route(*wire::Prefix::parse("2001:db8::/32"), 1);
    router.add_route(*wire::Prefix::parse("10.1.0.0/24"), 0);
    router.add_route(*wire::Prefix::parse("fd00::/8"), 0);
    world.attach(a, alice);
    world.attach(b, bob);
    world.attach(r, router);
  }
};

}  // namespace

TEST_SUITE_BEGIN("sim");

TEST_CASE("a router forwards whole packets and counts the hop") {
  for (const bool v4 : {true, false}) {
    Net net;
    net.alice.to_send = {tcp_packet({.v4 = v4}, Packet(100, 1))};
    CHECK(net.world.run_until([&] { return net.bob.got.size() == 1; }, 1s));
    CHECK(net.world.now() == Instant{} + 2ms);
    auto view = PacketView::of(net.bob.got.at(0));
    REQUIRE(view);
    CHECK(view->hop_limit() == 63);
    CHECK(view->is_intact_tcp());
  }
}

TEST_CASE("what a router cannot forward is answered truthfully") {
  Net net;
  Packet packet = tcp_packet({}, Packet(1000, 1));
  std::uint8_t type = 3;
  std::uint8_t code = 0;
  SUBCASE("no route") { net.router.clear_routes(); }
  SUBCASE("host unreachable") {
    net.router.refuse(*wire::Prefix::parse("203.0.113.5"), Router::Verdict::kHostUnreachable);
    code = 1;
  }
  SUBCASE("prohibited") {
    net.router.refuse(*wire::Prefix::parse("203.0.113.5/32"), Router::Verdict::kProhibited);
    code = 13;
  }
  SUBCASE("hop limit used up") {
    PacketView::of(packet)->bytes()[8] = 1;
    PacketView::of(packet)->finish();
    type = 11;
  }
  SUBCASE("too big") {
    net.world.door({net.r, 1}).set({.mtu = 800, .gro = Gro::kOff});
    code = 4;
  }
  net.alice.to_send = {packet};
  net.world.run_for(1s);
  CHECK(net.bob.got.empty());
  REQUIRE(net.alice.got.size() == 1);
  auto view = PacketView::of(net.alice.got[0]);
  REQUIRE(view);
  CHECK(view->source() == address("10.1.0.1"));
  CHECK(view->transport()[0] == type);
  CHECK(view->transport()[1] == code);
}

TEST_CASE("a silent route says nothing and a damaged header goes nowhere") {
  Net net;
  Packet packet = tcp_packet({}, Packet(1000, 1));
  SUBCASE("silent") {
    net.router.refuse(*wire::Prefix::parse("203.0.113.5"), Router::Verdict::kSilent);
  }
  SUBCASE("damaged") { packet[15] ^= 4; }
  net.alice.to_send = {packet};
  net.world.run_for(1s);
  CHECK(net.bob.got.empty());
  CHECK(net.alice.got.empty());
}

TEST_CASE("a packet without DF is cut for a narrow interface") {
  Net net;
  net.world.door({net.r, 1}).set({.mtu = 600, .gro = Gro::kOff});
  Packet packet = tcp_packet({}, Packet(1000, 1));
  packet[6] = 0;
  PacketView::of(packet)->finish();
  net.alice.to_send = {packet};
  net.world.run_for(1s);
  CHECK(net.bob.got.size() == 2);
}

TEST_CASE("filters of a link see packets in their order, from both sides") {
  Net net;
  std::vector<std::string> seen;
  auto note = [&](std::string name) {
    return [&seen, name](Packet&, Toward toward, Instant) {
      seen.push_back(name + (toward == Toward::kB ? ">" : "<"));
      return FunctionFilter::Verdict::kPass;
    };
  };
  net.world.add_filter<FunctionFilter>(net.left, note("first"));
  net.world.add_filter<FunctionFilter>(net.left, note("second"));
  Packet back = tcp_packet({}, {});
  PacketView::of(back)->set_destination(address("10.1.0.2"));
  net.alice.to_send = {tcp_packet({}, {})};
  net.bob.to_send = {back};
  net.world.run_for(1s);
  CHECK(seen == std::vector<std::string>{"first>", "second>", "second<", "first<"});
  CHECK(net.alice.got.size() == 1);
  CHECK(net.bob.got.size() == 1);
}

TEST_CASE("what a filter answers passes the filters before it") {
  Net net;
  int seen_by_first = 0;
  net.world.add_filter<FunctionFilter>(net.left, [&](Packet&, Toward toward, Instant) {
    if (toward == Toward::kA) ++seen_by_first;
    return FunctionFilter::Verdict::kPass;
  });
  net.world.add_filter<RstInjector>(net.left, 1, RstInjector::Aim::kExact);
  net.alice.to_send = {tcp_packet({}, Packet(10))};
  net.world.run_for(1s);
  CHECK(seen_by_first == 1);
  CHECK(net.alice.got.size() == 1);
  CHECK(net.bob.got.size() == 2);
}

TEST_SUITE_END();

}  // namespace braid::sim
