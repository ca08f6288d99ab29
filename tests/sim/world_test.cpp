#include "tests/support/sim/world.h"

#include <doctest/doctest.h>

#include <deque>
#include <filesystem>
#include <vector>

#include "tests/sim/packets.h"

namespace braid::sim {
namespace {

// Sends `count` TCP packets of one flow, `gap` apart, and keeps what it gets.
class Talker : public Host {
 public:
  Talker(SimDoor& door, int count, Duration gap) : door_(door), left_(count), gap_(gap) {}

  void receive(int, const PacketIn& packet, Instant now) override {
    got.emplace_back(now, Packet(packet.bytes.begin(), packet.bytes.end()));
    gso_sizes.push_back(packet.gso_size);
  }
  void flush(Instant now) override {
    ++flushes;
    while (left_ > 0 && next_ <= now && door_.ready()) {
      TcpSketch sketch;
      sketch.seq = static_cast<std::uint32_t>(sent_ * 1000);
      if (door_.send_raw(tcp_packet(sketch, Packet(1000, static_cast<std::uint8_t>(sent_)))) ==
          Door::Sent::kBusy) {
        return;
      }
      ++sent_;
      --left_;
      next_ = now + gap_;
    }
  }
  Instant next_deadline() override { return left_ > 0 && door_.ready() ? next_ : kNever; }
  void carrier_changed(int, Carrier carrier, Instant now) override {
    carriers.emplace_back(now, carrier);
  }

  std::vector<std::pair<Instant, Packet>> got;
  std::vector<std::uint16_t> gso_sizes;
  std::vector<std::pair<Instant, Carrier>> carriers;
  int flushes = 0;

 private:
  SimDoor& door_;
  int left_;
  Duration gap_;
  Instant next_{};
  int sent_ = 0;
};

struct Pair {
  explicit Pair(std::uint64_t seed, const LinkSettings& settings, int count = 10,
                Duration gap = 0ms, HostSettings receiver = {})
      : world(seed),
        a(world.add_host()),
        b(world.add_host(receiver)),
        link(world.connect({a, 0}, {b, 3}, settings)),
        alice(world.door({a, 0}), count, gap),
        bob(world.door({b, 3}), 0, 0ms) {
    world.attach(a, alice);
    world.attach(b, bob);
  }
  World world;
  HostId a, b;
  LinkId link;
  Talker alice, bob;
};

}  // namespace

TEST_SUITE_BEGIN("sim");

TEST_CASE("a thousand packets through 10 Mbit/s take their exact virtual time") {
  Pair pair(1, {.rate = Rate::bits_per_second(10'000'000), .delay = 20ms}, 1000);
  CHECK(pair.world.run_until([&] { return pair.bob.got.size() == 1000; }, 10s));
  // 1040 bytes each: 832 us.
  CHECK(pair.world.now() == Instant{} + 832ms + 20ms);
}

TEST_CASE("the limit of virtual time ends a run, and so does having nothing left to do") {
  Pair pair(1, {.delay = 1ms}, 3, 1s);
  CHECK_FALSE(pair.world.run_until([] { return false; }, 1500ms));
  CHECK(pair.world.now() == Instant{} + 1500ms);
  CHECK_FALSE(pair.world.run_until([] { return false; }, 100s));
  CHECK(pair.world.now() == Instant{} + 2001ms);
  CHECK(pair.bob.got.size() == 3);
}

TEST_CASE("the same seed gives the same trace and another seed another") {
  const LinkSettings rough{.rate = Rate::bits_per_second(10'000'000),
                           .delay = 5ms,
                           .jitter = 2ms,
                           .loss = 0.1,
                           .bit_error_rate = 1e-5,
                           .duplicate = 0.05,
                           .reorder = 0.1};
  auto hash = [&](std::uint64_t seed) {
    Pair pair(seed, rough, 200, 100us);
    pair.world.run_for(5s);
    CHECK(pair.bob.got.size() > 100);
    return pair.world.trace_hash();
  };
  CHECK(hash(4) == hash(4));
  CHECK(hash(4) != hash(5));
}

TEST_CASE("packets that wait for one wake-up of a host arrive joined, if its device joins") {
  for (const Gro gro : {Gro::kOn, Gro::kOff}) {
    Pair pair(1, {}, 10, 1us, {.wakeup_latency = 1ms});
    pair.world.door({pair.b, 3}).set({.gro = gro});
    pair.world.run_for(1s);
    std::size_t bytes = 0;
    for (const auto& [at, packet] : pair.bob.got) bytes += packet.size() - 40;
    CHECK(bytes == 10'000);
    if (gro == Gro::kOn) {
      CHECK(pair.bob.got.size() < 10);
      CHECK(pair.bob.gso_sizes.back() == 1000);
    } else {
      CHECK(pair.bob.got.size() == 10);
      CHECK(pair.bob.gso_sizes.back() == 0);
    }
    CHECK(pair.bob.flushes <= 10);
  }
}

TEST_CASE("a host sees its carrier go and come, and a black hole it does not see") {
  Pair pair(1, {}, 1);
  pair.world.at(Instant{} + 10ms, [&] { pair.world.set_state(pair.link, LinkState::kNoCarrier); });
  pair.world.at(Instant{} + 20ms, [&] { pair.world.set_state(pair.link, LinkState::kUp); });
  pair.world.at(Instant{} + 30ms, [&] { pair.world.set_state(pair.link, LinkState::kBlackHole); });
  pair.world.run_for(1s);
  const std::vector<std::pair<Instant, Carrier>> expected{{Instant{} + 10ms, Carrier::kOff},
                                                          {Instant{} + 20ms, Carrier::kOn}};
  CHECK(pair.alice.carriers == expected);
  CHECK(pair.bob.carriers == expected);
}

TEST_CASE("a scheduled loss of carrier is seen at its instant") {
  LinkSettings settings;
  settings.schedule = {{.at = 5ms, .state = LinkState::kNoCarrier},
                       {.at = 9ms, .state = LinkState::kUp}};
  Pair pair(1, settings, 0);
  pair.world.run_for(1s);
  REQUIRE(pair.bob.carriers.size() == 2);
  CHECK(pair.bob.carriers[0].first == Instant{} + 5ms);
  CHECK(pair.bob.carriers[1].first == Instant{} + 9ms);
}

TEST_CASE("a busy device takes nothing, wakes its host when it is ready, and all arrives") {
  Pair pair(2, {}, 100, 10us);
  pair.world.door({pair.a, 0}).set({.busy_chance = 0.3, .busy_time = 1ms});
  CHECK(pair.world.run_until([&] { return pair.bob.got.size() == 100; }, 10s));
  CHECK(pair.world.door({pair.a, 0}).stats().refused > 10);
}

TEST_CASE("a device drops and counts what is above its MTU") {
  Pair pair(1, {}, 5);
  pair.world.door({pair.a, 0}).set({.mtu = 1000});
  pair.world.run_for(1s);
  CHECK(pair.bob.got.empty());
  CHECK(pair.world.door({pair.a, 0}).stats().oversized == 5);
}

TEST_CASE("a detached host gets nothing and its successor gets what comes after") {
  Pair pair(1, {.delay = 1ms}, 20, 1ms);
  Talker heir(pair.world.door({pair.b, 3}), 0, 0ms);
  pair.world.at(Instant{} + 5500us, [&] { pair.world.detach(pair.b); });
  pair.world.at(Instant{} + 10500us, [&] { pair.world.attach(pair.b, heir); });
  pair.world.run_for(1s);
  CHECK(pair.bob.got.size() == 5);
  CHECK(heir.got.size() == 10);
}

TEST_CASE("a host that never lets time pass is reported") {
  class Spinner : public Host {
   public:
    void receive(int, const PacketIn&, Instant) override {}
    void flush(Instant) override {}
    Instant next_deadline() override { return Instant::min(); }
  };
  World world(1);
  Spinner spinner;
  world.attach(world.add_host(), spinner);
  CHECK_THROWS_AS(world.run_for(1s), std::runtime_error);
}

TEST_CASE("a capture holds a header and every packet of its port") {
  const auto path = std::filesystem::temp_directory_path() / "braid_world_test.pcap";
  {
    Pair pair(1, {}, 5);
    pair.world.capture({pair.b, 3}, path.string());
    pair.world.run_for(1s);
  }
  CHECK(std::filesystem::file_size(path) == 24 + 5 * (16 + 1040));
  std::filesystem::remove(path);
}

TEST_SUITE_END();

}  // namespace braid::sim
