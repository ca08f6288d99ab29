#include "stack/sched/ecf.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/sched/views.h"

namespace braid::sched {
namespace {

using namespace test;
using Id = std::optional<std::uint32_t>;

// A full fast path of 10 ms and 14,000 bytes of window, a slow one with room.
struct Choice {
  PathView fast = full(path(1, 10ms));
  PathView slow = path(2, 100ms);
  Ecf scheduler;

  Choice() { fast.rttvar = slow.rttvar = Duration::zero(); }
  Id pick(std::uint64_t unsent) {
    const std::vector<PathView> paths{fast, slow};
    return id_of(scheduler.pick(
        paths, {.unsent = unsent, .window = 1 << 30, .send_window = 1 << 30, .now = Instant(1s)}));
  }
};

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE("ecf: the fastest path with room is used without further thought") {
  Choice c;
  c.fast = path(1, 10ms);
  CHECK(c.pick(1) == 1);
}

TEST_CASE("ecf: what the fast path completes sooner waits for it") {
  Choice c;
  // (1 + 8) * 10 ms < 100 ms, and eight windows on the slow path take 800 ms.
  CHECK(c.pick(8 * kWindow) == std::nullopt);
  // (1 + 9.5) * 10 ms > 100 ms * 1.25 is false: having waited, it goes on waiting.
  CHECK(c.pick(9 * kWindow + kWindow / 2) == std::nullopt);
  // (1 + 12) * 10 ms: no longer.
  CHECK(c.pick(12 * kWindow) == 2);
  // And having given up, it does not wait at what it waited at before.
  CHECK(c.pick(9 * kWindow + kWindow / 2) == 2);
}

TEST_CASE(
    "ecf: a few bytes that the slow path would deliver sooner than two round trips go there") {
  Choice c;
  c.slow = path(2, 12ms);
  c.slow.rttvar = Duration::zero();
  CHECK(c.pick(100) == 2);
  SUBCASE("but not when the slow path needs longer for them") {
    c.slow = path(2, 100ms);
    CHECK(c.pick(kWindow) == std::nullopt);
  }
}

TEST_CASE("ecf: RTTs that vary widen what counts as equal") {
  Choice c;
  CHECK(c.pick(11 * kWindow) == 2);
  c.slow.rttvar = 50ms;  // its round trip may as well be 150 ms
  CHECK(c.pick(11 * kWindow) == std::nullopt);
}

TEST_CASE("ecf: nobody waits for a path with nothing in flight, or without a sample") {
  Choice c;
  c.fast.in_flight = 0;
  CHECK(c.pick(kWindow) == 2);
  c.fast = full(path(1, Duration::zero()));
  CHECK(c.pick(kWindow) == 2);
}
TEST_SUITE_END();

}  // namespace braid::sched
