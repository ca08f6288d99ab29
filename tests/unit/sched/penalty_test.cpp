#include "stack/sched/penalty.h"

#include <doctest/doctest.h>

namespace braid::sched {

TEST_SUITE_BEGIN("sched");
TEST_CASE("penalty: a path is halved at most once per round trip, and never below two segments") {
  Penalty penalty;
  Instant now{1s};
  CHECK(penalty.limit() == Penalty::kNone);
  CHECK(penalty.penalise(100'000, 1000, 50ms, now));
  CHECK(penalty.limit() == 50'000);
  now += 49ms;
  CHECK_FALSE(penalty.penalise(50'000, 1000, 50ms, now));
  CHECK(penalty.limit() == 50'000);
  now += 1ms;
  CHECK(penalty.penalise(50'000, 1000, 50ms, now));
  CHECK(penalty.limit() == 25'000);
  now += 50ms;
  CHECK(penalty.penalise(1000, 1000, 50ms, now));
  CHECK(penalty.limit() == 2000);
}

TEST_CASE("penalty: round trips without blame give the window back") {
  Penalty penalty;
  Instant now{1s};
  penalty.penalise(80'000, 1000, 50ms, now);
  penalty.relax(100'000, 1000, 50ms, now + 49ms);
  CHECK(penalty.limit() == 40'000);
  now += 50ms;
  penalty.relax(100'000, 1000, 50ms, now);
  CHECK(penalty.limit() == 50'000);
  penalty.relax(100'000, 1000, 50ms, now + 1ms);
  CHECK(penalty.limit() == 50'000);
  for (int i = 0; i < 4; ++i) penalty.relax(100'000, 1000, 50ms, now += 50ms);
  CHECK(penalty.limit() == Penalty::kNone);
}

TEST_CASE("penalty: who was never penalised has nothing to get back") {
  Penalty penalty;
  penalty.relax(10, 1000, 50ms, Instant(5s));
  CHECK(penalty.limit() == Penalty::kNone);
}
TEST_SUITE_END();

}  // namespace braid::sched
