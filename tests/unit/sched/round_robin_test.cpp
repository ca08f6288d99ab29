#include "stack/sched/round_robin.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/sched/views.h"

namespace braid::sched {

using namespace test;

TEST_SUITE_BEGIN("sched");
TEST_CASE("round_robin: paths with room take turns, whatever their round trip times") {
  RoundRobin scheduler;
  std::vector<PathView> paths{path(2, 90ms), path(5, 1ms), path(7, 10ms)};
  std::vector<std::uint32_t> turns;
  for (int i = 0; i < 7; ++i) turns.push_back(scheduler.pick(paths, much())->path);
  CHECK(turns == std::vector<std::uint32_t>{2, 5, 7, 2, 5, 7, 2});
  SUBCASE("a full one misses its turn") {
    paths[1] = full(paths[1]);
    CHECK(id_of(scheduler.pick(paths, much())) == 7);
    CHECK(id_of(scheduler.pick(paths, much())) == 2);
  }
  SUBCASE("one that is gone is not missed") {
    paths.erase(paths.begin() + 1);
    CHECK(id_of(scheduler.pick(paths, much())) == 7);
  }
  SUBCASE("a backup path has no turn") {
    paths[1] = backup(paths[1]);
    CHECK(id_of(scheduler.pick(paths, much())) == 7);
  }
}
TEST_SUITE_END();

}  // namespace braid::sched
