#include "stack/cc/bottleneck_watch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "stack/base/random.h"

namespace braid::cc {
namespace {

// Subflows in queues of 20 Mbit/s: each path's queueing delay is what its queue holds.
struct Scene {
  static constexpr double kRate = 2'500'000;  // bytes per second
  static constexpr Duration kBase = 40ms;

  BottleneckWatch watch;
  std::vector<BottleneckWatch::Path> paths;
  std::vector<std::size_t> queue_of;
  std::vector<double> windows;  // bytes
  std::vector<double> foreign;  // bytes of others in each queue's flight
  Instant now{1s};

  explicit Scene(std::vector<std::size_t> queues) : queue_of(std::move(queues)) {
    paths.resize(queue_of.size());
    windows.assign(queue_of.size(), 100'000);
    foreign.assign(queue_of.size(), 0);
    for (auto& path : paths) watch.join(path);
  }
  ~Scene() {
    for (auto& path : paths) watch.leave(path);
  }
  Duration queue(std::size_t which) const {
    double bytes = foreign[which] - kRate * to_seconds(kBase);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (queue_of[i] == which) bytes += windows[i];
    }
    return Duration(static_cast<std::int64_t>(std::max(0.0, bytes) / kRate * 1e9));
  }
  // ACKs on every path, ten milliseconds apart.
  void run(Duration time) {
    for (const Instant end = now + time; now < end; now += 10ms) {
      for (std::size_t i = 0; i < paths.size(); ++i) {
        paths[i].queue = queue(queue_of[i]);
        paths[i].rtt = kBase + paths[i].queue;
        paths[i].window = static_cast<std::uint64_t>(windows[i]);
        paths[i].last_ack = now;
        watch.observed(paths[i], now);
      }
    }
  }
  void reduce(std::size_t i) {
    const double bytes = 0.3 * windows[i];
    watch.reduced(paths[i], static_cast<std::uint64_t>(bytes), now);
    windows[i] -= bytes;
  }
  void grow_back() {
    for (double& window : windows) window = 100'000;
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE("two subflows in one queue are found out after a few reductions, and share one flow") {
  Scene scene({0, 0});
  scene.run(500ms);
  CHECK(scene.watch.share(scene.paths[0], scene.now) == 1.0);
  for (int i = 0; i < 2; ++i) {
    scene.reduce(static_cast<std::size_t>(i % 2));
    scene.run(1s);
    scene.grow_back();
    scene.run(1s);
  }
  CHECK(scene.watch.shared(scene.paths[0], scene.paths[1]));
  CHECK(scene.watch.share(scene.paths[0], scene.now) == 0.5);
  CHECK(scene.watch.share(scene.paths[1], scene.now) == 0.5);
}

TEST_CASE("links that are alike to the byte are still two links") {
  Scene scene({0, 1});
  for (double& bytes : scene.foreign) bytes = 100'000;  // a queue as long as the other case's
  scene.run(500ms);
  for (int i = 0; i < 40; ++i) {
    scene.reduce(static_cast<std::size_t>(i % 2));
    scene.run(1s);
    scene.grow_back();
    scene.run(1s);
    CHECK_FALSE(scene.watch.shared(scene.paths[0], scene.paths[1]));
  }
  CHECK(scene.watch.score(scene.paths[0], scene.paths[1]) == doctest::Approx(0).epsilon(0.01));
}

TEST_CASE("reductions that coincide prove nothing") {
  Scene scene({0, 1});
  for (double& bytes : scene.foreign) bytes = 100'000;
  scene.run(500ms);
  for (int i = 0; i < 20; ++i) {
    scene.reduce(0);
    scene.run(20ms);
    scene.reduce(1);
    scene.run(1s);
    scene.grow_back();
    scene.run(1s);
  }
  CHECK(scene.watch.score(scene.paths[0], scene.paths[1]) == 0);
}

TEST_CASE("somebody else's traffic that comes and goes does not make a pair") {
  Scene scene({0, 1});
  Random random(3);
  int wrong = 0;
  for (int i = 0; i < 400; ++i) {
    for (double& bytes : scene.foreign) bytes = 60'000 + random.below(140'000);
    scene.run(1s);
    scene.reduce(static_cast<std::size_t>(i % 2));
    for (double& bytes : scene.foreign) bytes = 60'000 + random.below(140'000);
    scene.run(1s);
    scene.grow_back();
    wrong += scene.watch.shared(scene.paths[0], scene.paths[1]);
  }
  // Swings twice as large as what is looked for: wrong for a while now and then, and not for long.
  CHECK(wrong < 60);
}

TEST_CASE("a pair that shares with others is found, and found out when it no longer does") {
  Scene scene({0, 0});
  scene.foreign[0] = 100'000;
  const auto cycle = [&](int i) {
    scene.reduce(static_cast<std::size_t>(i % 2));
    scene.run(1s);
    scene.grow_back();
    scene.run(1s);
  };
  scene.run(1s);
  for (int i = 0; i < 4; ++i) cycle(i);
  REQUIRE(scene.watch.shared(scene.paths[0], scene.paths[1]));
  scene.queue_of[1] = 1;  // a new route
  scene.foreign[1] = 100'000;
  for (int i = 0; i < 12; ++i) cycle(i);
  CHECK_FALSE(scene.watch.shared(scene.paths[0], scene.paths[1]));
}

TEST_CASE("of three subflows two in one queue share, and the third has a flow of its own") {
  Scene scene({0, 1, 0});
  scene.foreign[1] = 100'000;
  scene.run(1s);
  for (int i = 0; i < 12; ++i) {
    scene.reduce(static_cast<std::size_t>(i % 3));
    scene.run(1s);
    scene.grow_back();
    scene.run(1s);
  }
  CHECK(scene.watch.share(scene.paths[0], scene.now) == 0.5);
  CHECK(scene.watch.share(scene.paths[1], scene.now) == 1.0);
  CHECK(scene.watch.share(scene.paths[2], scene.now) == 0.5);
}

TEST_CASE("a partner that fell silent takes no share") {
  Scene scene({0, 0});
  scene.run(1s);
  for (int i = 0; i < 4; ++i) {
    scene.reduce(static_cast<std::size_t>(i % 2));
    scene.run(1s);
    scene.grow_back();
    scene.run(1s);
  }
  REQUIRE(scene.watch.share(scene.paths[0], scene.now) == 0.5);
  CHECK(scene.watch.share(scene.paths[0], scene.now + 3s) == 1.0);
}

TEST_CASE("without a queue nothing is concluded") {
  Scene scene({0, 0});
  for (double& window : scene.windows) window = 40'000;  // less than the pipe holds
  scene.run(1s);
  scene.reduce(0);
  scene.run(1s);
  CHECK(scene.watch.score(scene.paths[0], scene.paths[1]) == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
