// Random worlds: uplinks that lose, reorder and flap, ends that offer and read in fits and starts,
// with and without checksums, message, stripping middleboxes. What must hold in each: both streams
// arrive intact and whole, and both ends finish.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

using Fate = MptcpPair::Fate;

struct World {
  explicit World(std::uint64_t seed)
      : random(seed * 77 + 5),
        pair(seed, 1 + random.below(3)),
        total_a(random.below(300'000)),
        total_b(random.below(600'000)) {
    for (auto& [path, wire] : pair.wires) {
      wire.delay = Duration(1ms) * (1 + random.below(40));
      if (random.chance(0.5)) wire.loss = 0.05 * random.unit();
      if (random.chance(0.4)) wire.jitter = Duration(1ms) * random.below(30);
      if (random.chance(0.3)) wire.duplication = 0.02;
      if (random.chance(0.7)) wire.rate = 100'000 + random.below(3'000'000);
    }
    if (random.chance(0.25)) pair.a.config.checksums = mptcp::Checksums::kRequired;
    if (random.chance(0.25)) pair.b.config.checksums = mptcp::Checksums::kRequired;
    if (random.chance(0.3)) pair.message_length = 4 + 4 * random.below(60);
    flaps = random.chance(0.5);
    slow_reader = random.chance(0.3);
    if (random.chance(0.25)) strip_from();
  }

  // A middlebox on the first path that takes the options from one direction, or both.
  void strip_from() {
    const std::uint32_t directions = 1 + random.below(3);
    const bool syns = random.chance(0.5);
    pair.script = [=](Side from, std::uint32_t path, wire::Segment& piece) {
      const bool mine = (directions & (from == Side::kA ? 1u : 2u)) != 0;
      if (mine && path == 1 && (syns || !piece.flags.syn)) piece.options.mptcp.clear();
      return Fate::kPass;
    };
  }

  bool run() {
    pair.connect(std::vector<std::uint8_t>(pair.message_length, 0xcc));
    bool done = false;
    const Instant end = pair.now() + 900s;
    const Instant calm = pair.now() + 60s;
    while (!done && intact && pair.now() < end) {
      if (flaps && pair.a.connection->status().established) flap(pair.now() < calm);
      done = pair.run([this] { return step(); }, Duration(1ms) * (100 + random.below(3000)));
    }
    for (auto& [path, wire] : pair.wires) wire.up = true;
    return intact && done &&
           pair.run([this] { return pair.a.status().closed && pair.b.status().closed; }, 120s);
  }

  void flap(bool wild) {
    const std::uint32_t victim = 1 + random.below(static_cast<std::uint32_t>(pair.wires.size()));
    for (auto& [path, wire] : pair.wires) wire.up = !wild || path != victim || random.chance(0.5);
    if (!random.chance(0.5)) return;
    for (auto& path : pair.a.local_paths) path.usable = pair.wires[path.interface].up;
    pair.a.connection->paths_changed(pair.now());
  }

  bool step() {
    if (!pair.b.connection) return false;
    pair.a.offer(total_a, true);
    pair.b.offer(total_b, true);
    const std::uint64_t most = slow_reader ? 3000 : UINT64_MAX;
    intact = intact && pair.a.drain(most) && pair.b.drain(most);
    return !intact || (pair.a.incoming.complete() && pair.b.incoming.complete() &&
                       pair.a.drained == total_b && pair.b.drained == total_a);
  }

  Random random;
  MptcpPair pair;
  std::uint64_t total_a, total_b;
  bool flaps = false;
  bool slow_reader = false;
  bool intact = true;
};

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("both streams arrive whole in whatever world") {
  const char* from = std::getenv("BRAID_FIRST_SEED");
  const char* count = std::getenv("BRAID_SEEDS");
  const std::uint64_t first = from ? std::strtoull(from, nullptr, 10) : 1;
  const std::uint64_t seeds = count ? std::strtoull(count, nullptr, 10) : 25;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    World world(seed);
    CHECK(world.run());
    if (!world.intact) break;
  }
}

TEST_SUITE_END();
