#include "gateway/uplinks.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "stack/base/pipe.h"
#include "stack/tcp/pipe_stream.h"

namespace braid::gateway {
namespace {

constexpr const char* kConfig = R"(
lan: { interfaces: [lan0] }
uplinks:
  - { name: dsl, interface: wan1 }
  - { name: lte, interface: wan2 }
  - { name: sat, interface: wan3, use: backup }
concentrator: { address: [203.0.113.5, "2001:db8:5::5"] }
ports: 61000-61003
)";

wire::IpAddress address(const char* text) { return *wire::IpAddress::parse(text); }

// What a connection that only occupies its port is used by.
struct Leg {
  explicit Leg(ChunkPool& pool) : up(pool, 65536), down(pool, 65536), stream(up, down, owner) {}
  Pipe up;
  Pipe down;
  Agenda::Entry owner;
  tcp::PipeStream stream;
};

struct Bench {
  GatewayConfig config = parse_gateway_config(kConfig, "g.yaml");
  Random random{std::uint64_t{1}};
  tcp::Layer tcp{random};
  Uplinks uplinks{config, tcp, random};
  Instant now{100s};

  bool up(std::size_t uplink, std::optional<wire::IpAddress> ipv4,
          std::optional<wire::IpAddress> ipv6 = std::nullopt) {
    return uplinks.update(uplink, {.link = UplinkState::Link::kUp, .ipv4 = ipv4, .ipv6 = ipv6});
  }
  void all_up() {
    up(0, address("10.1.0.2"));
    up(1, address("10.2.0.2"));
    up(2, address("10.3.0.2"));
  }
  std::optional<std::size_t> choice(std::vector<tcp::InterfaceId> tried = {}) {
    const mptcp::LocalPath* path = uplinks.choose(tried, now);
    if (path == nullptr) return std::nullopt;
    return Uplinks::uplink_of(path->interface);
  }
};

TEST_SUITE_BEGIN("gateway");
TEST_CASE("an uplink without an address is no path; one with both families is one path, IPv4") {
  Bench bench;
  CHECK(bench.uplinks.paths().empty());
  CHECK(!bench.choice());
  CHECK(bench.up(0, address("10.1.0.2"), address("2001:db8:1::2")));
  REQUIRE(bench.uplinks.paths().size() == 1);
  const mptcp::LocalPath& path = bench.uplinks.paths()[0];
  CHECK(path.address == address("10.1.0.2"));
  CHECK(path.interface == Uplinks::interface_of(0));
  CHECK(bench.uplinks.concentrator_from(path) == wire::Endpoint{address("203.0.113.5"), 8803});
  CHECK(bench.up(1, std::nullopt, address("2001:db8:2::2")));
  CHECK(bench.uplinks.concentrator_from(bench.uplinks.paths()[1]) ==
        wire::Endpoint{address("2001:db8:5::5"), 8803});
}

TEST_CASE("every address has an id of its own, also one uplink's of the other family (M87)") {
  Bench bench;
  bench.all_up();
  std::set<std::uint8_t> ids;
  for (const mptcp::LocalPath& path : bench.uplinks.paths()) ids.insert(path.address_id);
  bench.up(0, std::nullopt, address("2001:db8:1::2"));
  bench.up(1, std::nullopt, address("2001:db8:2::2"));
  for (const mptcp::LocalPath& path : bench.uplinks.paths()) ids.insert(path.address_id);
  CHECK(ids.size() == 5);
  CHECK(!ids.contains(0));  // the first subflow's, whatever its address is
}

TEST_CASE(
    "news that say nothing new change nothing; a new attachment forgets what was known (S24)") {
  Bench bench;
  CHECK(bench.up(0, address("10.1.0.2")));
  CHECK(!bench.up(0, address("10.1.0.2")));
  bench.uplinks.health(0).probe_failed(bench.now);
  CHECK(bench.uplinks.health(0).is_dead(bench.now));
  CHECK(bench.up(0, address("10.1.0.3")));
  CHECK(!bench.uplinks.health(0).is_dead(bench.now));
}

TEST_CASE("a connection starts where it can: up, living, hearing, regular, fast, first") {
  Bench bench;
  bench.all_up();
  CHECK(bench.choice() == 0u);
  CHECK(bench.choice({1}) == 1u);
  CHECK(bench.choice({1, 2}) == 2u);
  CHECK(!bench.choice({1, 2, 3}));
  bench.uplinks.health(1).measured(20ms, bench.now);
  CHECK(bench.choice() == 1u);  // a measured one goes before one that was never
  bench.uplinks.health(0).measured(10ms, bench.now);
  CHECK(bench.choice() == 0u);
  bench.uplinks.health(2).measured(1ms, bench.now);
  CHECK(bench.choice() == 0u);  // a backup's speed is no argument
  bench.uplinks.health(0).found_deaf(bench.now);
  CHECK(bench.choice() == 1u);
  bench.uplinks.health(1).probe_failed(bench.now);
  CHECK(bench.choice() == 2u);
  bench.uplinks.health(2).probe_failed(bench.now);
  CHECK(bench.choice() == 0u);
  bench.uplinks.update(0, {.link = UplinkState::Link::kDown, .ipv4 = address("10.1.0.2")});
  CHECK(bench.choice() == 1u);
}

TEST_CASE("a connection starts where a small fetch is through first, as far as rates are known") {
  Bench bench;
  bench.all_up();
  bench.uplinks.health(0).measured(20ms, bench.now);
  bench.uplinks.health(1).measured(40ms, bench.now);
  CHECK(bench.choice() == 0u);
  const std::vector<std::uint8_t> bytes(1420);
  wire::Segment full;
  full.payload = Slices(Bytes(bytes));
  const auto bring = [&](std::size_t uplink, Duration apart) {
    for (int i = 0; i < 10; ++i) {
      bench.uplinks.arrived(Uplinks::interface_of(uplink), full, bench.now += apart);
    }
  };
  SUBCASE("one that was seen to be slow is a later choice than one of the longer RTT") {
    bring(0, 10ms);  // 15 kB take 105 ms there
    CHECK(bench.choice() == 1u);
    bring(1, 20ms);  // and 210 ms here
    CHECK(bench.choice() == 0u);
  }
  SUBCASE("one that is fast enough stays the first choice") {
    bring(0, 2ms);
    CHECK(bench.choice() == 0u);
  }
  SUBCASE("what the configuration says counts before what was seen") {
    bring(0, 10ms);
    bench.config.uplinks[0].rate_down = Rate::bits_per_second(50'000'000);
    bench.uplinks.reconfigure(bench.config.uplinks);
    CHECK(bench.choice() == 0u);
    bench.config.uplinks[0].rate_down = Rate::bits_per_second(1'000'000);
    bench.uplinks.reconfigure(bench.config.uplinks);
    CHECK(bench.choice() == 1u);
  }
  SUBCASE("a new attachment may have another rate") {
    bring(0, 10ms);
    bench.up(0, address("10.1.0.3"));
    bench.uplinks.health(0).measured(20ms, bench.now);
    CHECK(bench.choice() == 0u);
  }
  SUBCASE("what was never measured is a later choice than what is slow") {
    bring(0, 10ms);
    bench.uplinks.health(1).forget();
    CHECK(bench.choice() == 0u);
  }
}

TEST_CASE("a port is not used again before the others have been, nor while in use (S23)") {
  ChunkPool pool{1 << 20};
  std::vector<std::unique_ptr<Leg>> legs;  // they outlive the connections of the bench
  Bench bench;
  bench.all_up();
  const mptcp::LocalPath path = bench.uplinks.paths()[0];
  const wire::Endpoint remote{address("203.0.113.5"), 8803};
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 4; ++i) {
    const auto port = bench.uplinks.allocate_port(path, remote);
    REQUIRE(port);
    CHECK((*port >= 61000 && *port <= 61003));
    ports.insert(*port);
  }
  CHECK(ports.size() == 4);

  for (int i = 0; i < 4; ++i) {
    const auto port = bench.uplinks.allocate_port(path, remote);
    REQUIRE(port);
    Leg& leg = *legs.emplace_back(std::make_unique<Leg>(pool));
    tcp::ConnectionConfig config;
    config.controller = cc::make_controller(cc::Algorithm::kCubic, 1500);
    leg.stream.attach(bench.tcp.connect({path.interface, {path.address, *port}, remote}, leg.stream,
                                        std::move(config), bench.now));
  }
  CHECK(!bench.uplinks.allocate_port(path, remote));
  CHECK(bench.uplinks.allocate_port(bench.uplinks.paths()[1], remote));
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
