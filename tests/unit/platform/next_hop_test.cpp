#include "platform/next_hop.h"

#include <doctest/doctest.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace braid::platform {

namespace {

using State = NextHops::Answer::State;

const IpAddress kDestination = *IpAddress::parse("203.0.113.5");
const IpAddress kGateway = *IpAddress::parse("198.51.100.1");
const IpAddress kOther = *IpAddress::parse("198.51.100.2");
constexpr MacAddress kMac{2, 0, 0, 0, 0, 1};
constexpr Instant kStart = Instant(1000s);

// What the fake kernel knows, and what it was asked.
struct Kernel {
  std::optional<RouteHop> route;
  std::optional<RouteHop> default_route;
  std::optional<Neighbour> neighbour;
  std::vector<IpAddress> solicited;
  std::vector<IpAddress> removed;
  int routes_asked = 0;
};

class FakeKernel final : public NextHopKernel {
 public:
  explicit FakeKernel(Kernel& kernel) : kernel_(kernel) {}
  std::optional<RouteHop> route_to(const IpAddress&) override {
    ++kernel_.routes_asked;
    return kernel_.route;
  }
  std::optional<RouteHop> default_route(int) override { return kernel_.default_route; }
  std::optional<Neighbour> neighbour(const IpAddress& address) override {
    if (kernel_.neighbour && kernel_.neighbour->address == address) return kernel_.neighbour;
    return std::nullopt;
  }
  void solicit(const IpAddress& address) override { kernel_.solicited.push_back(address); }
  void remove(const IpAddress& address) override { kernel_.removed.push_back(address); }

 private:
  Kernel& kernel_;
};

Link ethernet() { return {.index = 3, .name = "wan1", .mtu = 1500, .up = true}; }

NextHops next_hops_of(Kernel& kernel, Link link = ethernet(),
                      std::vector<IpAddress> configured = {}) {
  return NextHops(std::make_unique<FakeKernel>(kernel), std::move(link), std::move(configured));
}

// An event as the kernel sends it; keeps the bytes the message points at.
struct NeighbourEvent {
  NeighbourEvent(std::uint16_t type, std::uint32_t link_index, const IpAddress& address,
                 std::uint16_t state, std::optional<MacAddress> mac) {
    ndmsg body{};
    body.ndm_family = AF_INET;
    body.ndm_ifindex = static_cast<int>(link_index);
    body.ndm_state = state;
    NetlinkRequest request(type, 0, body);
    request.add(NDA_DST, address);
    if (mac) request.add(NDA_LLADDR, Bytes(*mac));
    const Bytes raw = request.finish(0);
    bytes.assign(raw.begin(), raw.end());
    message = parse_netlink(bytes).at(0);
  }
  std::vector<std::uint8_t> bytes;
  NetlinkMessage message;
};

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("the next hop is looked for in the order route, default route, configuration, on-link") {
  Kernel kernel;
  const auto ask = [&](std::vector<IpAddress> configured) {
    return next_hops_of(kernel, ethernet(), std::move(configured)).next_hop(kDestination);
  };
  const IpAddress configured = *IpAddress::parse("198.51.100.9");
  CHECK(ask({}) == kDestination);
  CHECK(ask({configured}) == configured);
  CHECK(ask({*IpAddress::parse("fe80::1")}) == kDestination);  // of the other family
  kernel.default_route = RouteHop{kOther};
  CHECK(ask({configured}) == kOther);
  kernel.route = RouteHop{kGateway};
  CHECK(ask({configured}) == kGateway);
  kernel.route = RouteHop{};
  CHECK(ask({configured}) == kDestination);  // the kernel says on-link, and it knows
}

TEST_CASE("a destination's route is asked once, and again after the routes changed") {
  Kernel kernel;
  auto hops = next_hops_of(kernel);
  hops.next_hop(kDestination);
  hops.next_hop(kDestination);
  CHECK(kernel.routes_asked == 1);
  kernel.route = RouteHop{kGateway};
  hops.on_event({.type = RTM_NEWROUTE}, kStart);
  CHECK(hops.next_hop(kDestination) == kGateway);
  CHECK(kernel.routes_asked == 2);
}

TEST_CASE("a neighbour the kernel knows is ready at once") {
  Kernel kernel;
  kernel.route = RouteHop{kGateway};
  kernel.neighbour = Neighbour{3, kGateway, Neighbour::State::kResolved, kMac};
  auto hops = next_hops_of(kernel);
  const auto answer = hops.lookup(kDestination, kStart);
  CHECK(answer.state == State::kReady);
  CHECK(answer.mac == kMac);
}

TEST_CASE("an unknown neighbour is pending until the kernel tells, and the waiting are told") {
  Kernel kernel;
  kernel.route = RouteHop{kGateway};
  auto hops = next_hops_of(kernel);
  int settled = 0;
  hops.on_settled([&] { ++settled; });
  CHECK(hops.lookup(kDestination, kStart).state == State::kPending);
  REQUIRE(kernel.solicited.size() == 1);
  CHECK(kernel.solicited[0] == kGateway);

  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 4, kGateway, NUD_REACHABLE, kMac).message, kStart);
  CHECK(hops.lookup(kDestination, kStart).state == State::kPending);  // another link's
  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 3, kOther, NUD_REACHABLE, kMac).message, kStart);
  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 3, kGateway, NUD_INCOMPLETE, {}).message, kStart);
  CHECK(settled == 0);

  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 3, kGateway, NUD_REACHABLE, kMac).message, kStart);
  CHECK(settled == 1);
  CHECK(hops.lookup(kDestination, kStart + 1ms).state == State::kReady);
  CHECK(kernel.solicited.size() == 1);
}

TEST_CASE(
    "patience with a silent neighbour ends, it is asked again once a second, and may return") {
  Kernel kernel;
  auto hops = next_hops_of(kernel);
  int settled = 0;
  hops.on_settled([&] { ++settled; });
  hops.maintain(kStart);
  hops.lookup(kDestination, kStart);
  CHECK(hops.maintain(kStart) == kStart + NextHops::kPatience);
  CHECK(hops.lookup(kDestination, kStart + NextHops::kPatience - 1ns).state == State::kPending);
  CHECK(hops.lookup(kDestination, kStart + NextHops::kPatience).state == State::kUnreachable);
  hops.maintain(kStart + NextHops::kPatience);
  CHECK(settled == 1);
  const auto asked = kernel.solicited.size();
  hops.lookup(kDestination, kStart + NextHops::kPatience + 999ms);
  CHECK(kernel.solicited.size() == asked);
  hops.lookup(kDestination, kStart + NextHops::kPatience + 1s);
  CHECK(kernel.solicited.size() == asked + 1);
  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 3, kDestination, NUD_STALE, kMac).message, kStart);
  CHECK(hops.lookup(kDestination, kStart + 5s).state == State::kReady);
}

TEST_CASE("a neighbour that fails is unreachable at once; probing alone changes nothing") {
  Kernel kernel;
  kernel.neighbour = Neighbour{3, kDestination, Neighbour::State::kResolved, kMac};
  auto hops = next_hops_of(kernel);
  hops.lookup(kDestination, kStart);
  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 3, kDestination, NUD_PROBE, kMac).message, kStart);
  CHECK(hops.lookup(kDestination, kStart).state == State::kReady);
  hops.on_event(NeighbourEvent(RTM_NEWNEIGH, 3, kDestination, NUD_FAILED, {}).message, kStart);
  CHECK(hops.lookup(kDestination, kStart).state == State::kUnreachable);
}

TEST_CASE("what the kernel gives up soon after it was asked is asked for once more") {
  Kernel kernel;
  auto hops = next_hops_of(kernel);
  REQUIRE(hops.lookup(kDestination, kStart).state == State::kPending);
  const NeighbourEvent failed(RTM_NEWNEIGH, 3, kDestination, NUD_FAILED, {});
  // It had been at it before: an entry of the time when the link was down.
  hops.on_event(failed.message, kStart + 300ms);
  CHECK(kernel.solicited.size() == 2);
  CHECK(hops.lookup(kDestination, kStart + 300ms).state == State::kPending);
  hops.on_event(failed.message, kStart + 300ms + NextHops::kTooSoon);
  CHECK(kernel.solicited.size() == 2);
  CHECK(hops.lookup(kDestination, kStart + 2300ms).state == State::kUnreachable);
}

TEST_CASE("nobody is asked for while the link is down") {
  Kernel kernel;
  auto hops = next_hops_of(kernel);
  Link down = ethernet();
  down.up = false;
  hops.set_link(down);
  CHECK(hops.lookup(kDestination, kStart).state == State::kUnreachable);
  CHECK(kernel.solicited.empty());
  hops.set_link(ethernet());
  CHECK(hops.lookup(kDestination, kStart).state == State::kPending);
  CHECK(kernel.solicited.size() == 1);
}

TEST_CASE("who was being resolved when the link changed is resolved anew") {
  Kernel kernel;
  auto hops = next_hops_of(kernel);
  hops.lookup(kDestination, kStart);
  kernel.neighbour = Neighbour{3, kOther, Neighbour::State::kResolved, kMac};
  hops.lookup(kOther, kStart);
  Link down = ethernet();
  down.up = false;
  hops.set_link(down);
  CHECK(kernel.removed == std::vector{kDestination});
}

TEST_CASE("what waits for one neighbour is told when the routes changed") {
  Kernel kernel;
  auto hops = next_hops_of(kernel);
  int settled = 0;
  hops.on_settled([&] { ++settled; });
  hops.lookup(kDestination, kStart);
  kernel.route = RouteHop{kGateway};
  hops.on_event({.type = RTM_NEWROUTE}, kStart);
  CHECK(settled == 1);
  CHECK(hops.next_hop(kDestination) == kGateway);
}

TEST_CASE("an entry the kernel tidied away is asked for anew, not taken for unreachable") {
  Kernel kernel;
  kernel.neighbour = Neighbour{3, kDestination, Neighbour::State::kResolved, kMac};
  auto hops = next_hops_of(kernel);
  hops.lookup(kDestination, kStart);
  const auto asked = kernel.solicited.size();
  hops.on_event(NeighbourEvent(RTM_DELNEIGH, 3, kDestination, NUD_STALE, {}).message, kStart);
  CHECK(hops.lookup(kDestination, kStart).state == State::kReady);
  CHECK(kernel.solicited.size() == asked + 1);
}

TEST_CASE("only neighbours in use are refreshed, every five seconds") {
  Kernel kernel;
  kernel.neighbour = Neighbour{3, kDestination, Neighbour::State::kResolved, kMac};
  auto hops = next_hops_of(kernel);
  CHECK(hops.maintain(kStart) == kStart + NextHops::kRefresh);
  hops.lookup(kDestination, kStart);
  kernel.solicited.clear();
  CHECK(hops.maintain(kStart + 1s) == kStart + NextHops::kRefresh);
  CHECK(kernel.solicited.empty());
  hops.maintain(kStart + NextHops::kRefresh);
  CHECK(kernel.solicited.size() == 1);
  hops.maintain(kStart + 2 * NextHops::kRefresh);
  CHECK(kernel.solicited.size() == 1);
}

TEST_CASE("a link without neighbour resolution is always ready") {
  Kernel kernel;
  Link link = ethernet();
  link.resolves_neighbours = false;
  link.mac = kMac;
  auto hops = next_hops_of(kernel, link);
  CHECK(hops.lookup(kDestination, kStart).state == State::kReady);
  CHECK(hops.lookup(kDestination, kStart).mac == kMac);
  CHECK(kernel.solicited.empty());
}

TEST_CASE("a link that changed makes everything asked anew, the same link again does not") {
  Kernel kernel;
  kernel.neighbour = Neighbour{3, kDestination, Neighbour::State::kResolved, kMac};
  auto hops = next_hops_of(kernel);
  hops.lookup(kDestination, kStart);
  hops.set_link(ethernet());
  hops.lookup(kDestination, kStart);
  CHECK(kernel.routes_asked == 1);
  Link changed = ethernet();
  changed.mtu = 1400;
  hops.set_link(changed);
  hops.lookup(kDestination, kStart);
  CHECK(kernel.routes_asked == 2);
  CHECK(kernel.solicited.size() == 2);
}

TEST_CASE(
    "the way for other traffic is the default route, else the configured gateway, else none") {
  Kernel kernel;
  CHECK_FALSE(next_hops_of(kernel).default_hop(AF_INET));
  auto hops = next_hops_of(kernel, ethernet(), {kGateway});
  CHECK(hops.default_hop(AF_INET) == RouteHop{kGateway});
  CHECK_FALSE(hops.default_hop(AF_INET6));
  kernel.default_route = RouteHop{kOther};
  CHECK(hops.default_hop(AF_INET) == RouteHop{kOther});
}
TEST_SUITE_END();

}  // namespace braid::platform
