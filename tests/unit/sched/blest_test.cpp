#include "stack/sched/blest.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/sched/views.h"

namespace braid::sched {
namespace {

using namespace test;
using Id = std::optional<std::uint32_t>;

// A full fast path of 10 ms and 14,000 bytes of window, an idle slow one of 100 ms. In a round trip
// of the slow one the fast one sends 10 * (14,000 + 4.5 * 1,400) = 203,000 bytes.
struct Choice {
  PathView fast = full(path(1, 10ms));
  PathView slow = path(2, 100ms);
  Blest scheduler;
  Instant now{1s};

  Id pick(std::uint64_t send_window) {
    const std::vector<PathView> paths{fast, slow};
    return id_of(scheduler.pick(
        paths, {.unsent = 1 << 30, .window = send_window, .send_window = send_window, .now = now}));
  }
};

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE("blest: the fastest path with room is used whatever the window") {
  Choice c;
  c.fast = path(1, 10ms);
  CHECK(c.pick(1) == 1);
}

TEST_CASE("blest: the slow path is used when the window holds what both would send meanwhile") {
  Choice c;
  CHECK(c.pick(200'000) == std::nullopt);
  CHECK(c.pick(300'000) == 2);
}

TEST_CASE("blest: what the slow path has in flight already counts against the window") {
  Choice c;
  c.slow.in_flight = 100'000;
  CHECK(c.pick(300'000) == std::nullopt);
  CHECK(c.pick(400'000) == 2);
}

TEST_CASE("blest: a window that blocked makes it careful, round trips without make it bold") {
  Choice c;
  CHECK(c.pick(245'000) == 2);  // lambda 1.1 after the first look: 224,700 fit
  c.scheduler.window_blocked(c.now);
  c.now += 101ms;
  CHECK(c.pick(244'000) == std::nullopt);  // 1.2
  for (int i = 0; i < 10; ++i) {
    c.now += 101ms;
    c.pick(245'000);
  }
  CHECK(c.pick(206'000) == 2);             // 1.0, and no less:
  CHECK(c.pick(204'000) == std::nullopt);  // 203,000 + 1,400 do not fit
  for (int i = 0; i < 20; ++i) {
    c.scheduler.window_blocked(c.now);
    c.now += 101ms;
    c.pick(245'000);
  }
  CHECK(c.pick(340'000) == 2);  // 1.6, and no more
  CHECK(c.pick(320'000) == std::nullopt);
}

TEST_CASE("blest: nobody waits for a path with nothing in flight, or without a sample") {
  Choice c;
  c.fast.in_flight = 0;
  CHECK(c.pick(1) == 2);
  c.fast = full(path(1, Duration::zero()));
  CHECK(c.pick(1) == 2);
}
TEST_SUITE_END();

}  // namespace braid::sched
