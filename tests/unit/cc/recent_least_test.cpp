#include "stack/cc/recent_least.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

constexpr Instant kNow = Instant() + 100s;
constexpr Duration kPath = 20ms;  // steps of 5 ms

TEST_SUITE_BEGIN("cc");

TEST_CASE("the least since a moment, a step earlier included") {
  RecentLeast recent;
  CHECK(recent.since(kNow) == Duration::max());
  recent.note(30ms, kPath, kNow);
  recent.note(25ms, kPath, kNow + 4ms);
  recent.note(40ms, kPath, kNow + 10ms);
  recent.note(50ms, kPath, kNow + 31ms);
  CHECK(recent.since(kNow) == 25ms);
  CHECK(recent.since(kNow + 4ms) == 25ms);
  CHECK(recent.since(kNow + 5ms) == 40ms);
  CHECK(recent.since(kNow + 14ms) == 40ms);
  CHECK(recent.since(kNow + 15ms) == 50ms);
  CHECK(recent.since(kNow + 35ms) == Duration::max());
}

TEST_CASE("what is older than its steps is forgotten, in one leap or many") {
  for (const Duration leap : {5ms, 40ms, 1000ms}) {
    CAPTURE(leap.count());
    RecentLeast recent;
    recent.note(21ms, kPath, kNow);
    for (Duration later = leap; later <= 1000ms; later += leap) {
      recent.note(60ms, kPath, kNow + later);
      const bool old = later >= RecentLeast::kSteps * 5ms;
      CHECK(recent.since(kNow) == (old ? 60ms : 21ms));
    }
  }
}

TEST_CASE("another path begins anew") {
  RecentLeast recent;
  recent.note(30ms, kPath, kNow);
  recent.note(35ms, kPath / 2, kNow);
  CHECK(recent.since(kNow) == 35ms);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
