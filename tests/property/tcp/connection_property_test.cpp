// Two of our own ends over hostile wires: whatever happens, streams are intact and nothing hangs.
#include <doctest/doctest.h>

#include "tests/property/seeds.h"
#include "tests/support/pipe_end.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;

namespace {

// A random opening: who offers what, and how.
ConnectionConfig random_config(Random& random) {
  ConnectionConfig config =
      default_config(random.chance(0.5) ? cc::Algorithm::kCubic : cc::Algorithm::kReno);
  config.mtu = 576 + random.below(1400);
  config.max_super_payload = random.chance(0.3) ? 0 : random.below(65'000);
  config.window_scale = static_cast<std::uint8_t>(random.below(15));
  config.timestamps = random.chance(0.7);
  config.sack = random.chance(0.8);
  config.ecn = random.chance(0.5);
  config.syn_payload = random.chance(0.3) ? random.below(1000) : 0;
  config.early_data =
      random.chance(0.5) ? ConnectionConfig::EarlyData::kYes : ConnectionConfig::EarlyData::kNo;
  config.syn_timeout = 1000s;
  config.max_syn_retransmissions = 30;
  config.max_retransmissions = 100;
  return config;
}

class Scene {
 public:
  explicit Scene(Random& random) : random_(random), pair_(random.u32()) {
    pair_.wire.delay = std::chrono::microseconds(100 + random.below(50'000));
    pair_.wire.jitter = random.chance(0.5) ? 0ms : std::chrono::milliseconds(random.below(30));
    pair_.wire.loss = random.chance(0.3) ? 0 : random.unit() * 0.1;
    pair_.wire.duplication = random.chance(0.5) ? 0 : random.unit() * 0.05;
    pair_.script = [this](Side, wire::Segment& segment) {
      if (segment.ecn == wire::Ecn::kEct0 && random_.chance(0.01)) segment.ecn = wire::Ecn::kCe;
      return TcpPair::Fate::kPass;
    };
    from_a_ = random.chance(0.1) ? 0 : random.below(100'000);
    from_b_ = random.chance(0.1) ? 0 : random.below(100'000);
    pair_.config_a = random_config(random);
    pair_.config_b = random_config(random);
    pair_.config_b.syn_payload = 0;
  }

  // Both streams to their ends, with readers that take what they like and doors that close.
  void run_to_the_end() {
    pair_.a.offer(std::min<std::uint64_t>(from_a_, 2'000), false);
    pair_.connect();
    bool intact = true;
    const bool done = run([&] {
      intact = intact && work();
      return !intact || (pair_.a.closed() && pair_.b.closed());
    });
    CHECK(intact);
    CHECK(done);
    CHECK((pair_.a.drain() && pair_.b.drain()));  // what slow readers had left
    CHECK(pair_.a.stream.close_reason() == CloseReason::kFinished);
    CHECK(pair_.b.stream.close_reason() == CloseReason::kFinished);
    CHECK(pair_.b.drained == from_a_);
    CHECK(pair_.a.drained == from_b_);
  }

  // One end aborts in the middle: the other must learn of it, and neither may hang.
  void run_with_abort() {
    pair_.config_a.keepalive_interval = pair_.config_b.keepalive_interval = 100s;
    pair_.connect();
    const Instant when = pair_.now() + std::chrono::milliseconds(random_.below(500));
    bool intact = true, aborted = false;
    const bool done = run([&] {
      intact = intact && work();
      if (!aborted && pair_.now() >= when) {
        aborted = true;
        if (auto* connection = pair_.a.stream.connection()) connection->abort(pair_.now());
      }
      return pair_.a.closed() && (pair_.b.closed() || pair_.layer(Side::kB).size() == 0);
    });
    CHECK(intact);
    CHECK(done);
  }

 private:
  // For ten hours of virtual time; doors and readers come back every second at the latest.
  bool run(const std::function<bool()>& done) {
    for (int seconds = 0; seconds < 36'000; ++seconds) {
      if (pair_.run(done, 1s)) return true;
      pair_.set_door(Side::kA, true);
      pair_.set_door(Side::kB, true);
    }
    return false;
  }

  bool work() {
    pair_.a.offer(from_a_, true);
    pair_.b.offer(from_b_, true);
    pair_.layer(Side::kA).validate();
    const bool slow = random_.chance(0.05);
    bool intact = pair_.a.drain(slow ? random_.below(500) : UINT64_MAX) &&
                  pair_.b.drain(slow ? random_.below(500) : UINT64_MAX);
    if (random_.chance(0.01)) pair_.set_door(random_.chance(0.5) ? Side::kA : Side::kB, false);
    if (random_.chance(0.3)) {
      pair_.set_door(Side::kA, true);
      pair_.set_door(Side::kB, true);
    }
    return intact;
  }

  Random& random_;
  PipePair pair_;
  std::uint64_t from_a_ = 0, from_b_ = 0;
};

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("whatever is agreed and whatever the wire does, both streams arrive and both finish") {
  for_seeds(150, [](Random& random) { Scene(random).run_to_the_end(); });
}

TEST_CASE("an abort at any moment leaves neither end hanging") {
  for_seeds(150, [](Random& random) { Scene(random).run_with_abort(); });
}

TEST_SUITE_END();
