#include "stack/sched/overflow.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/sched/views.h"

namespace braid::sched {
namespace {

using namespace test;

std::optional<std::uint32_t> pick(const std::vector<PathView>& paths) {
  return id_of(Overflow().pick(paths, much()));
}

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE("overflow: the cheapest path goes first, though it is slower") {
  CHECK(pick({costing(path(1, 10ms), 5), costing(path(2, 90ms), 1)}) == 2);
}

TEST_CASE("overflow: a dearer path takes what the cheap one has no room for") {
  CHECK(pick({costing(path(1, 10ms), 5), full(costing(path(2, 90ms), 1))}) == 1);
  SUBCASE("but not while it is in reserve") {
    CHECK(pick({in_reserve(costing(path(1, 10ms), 5)), full(costing(path(2, 90ms), 1))}) ==
          std::nullopt);
  }
}

TEST_CASE("overflow: a path in reserve is used where no cheaper one is usable") {
  CHECK(pick({in_reserve(costing(path(1, 10ms), 5))}) == 1);
  CHECK(pick({in_reserve(costing(path(1, 10ms), 5)), doubtful(costing(path(2, 90ms), 1))}) == 1);
  PathView stuck = costing(path(2, 90ms), 1);
  stuck.budget = 0;
  CHECK(pick({in_reserve(costing(path(1, 10ms), 5)), stuck}) == 1);
  CHECK(pick({in_reserve(costing(path(1, 10ms), 5)), in_reserve(costing(path(3, 1ms), 9))}) == 1);
}

TEST_CASE("overflow: at equal cost the faster path goes first") {
  CHECK(pick({costing(path(1, 30ms), 2), costing(path(2, 10ms), 2)}) == 2);
}
TEST_SUITE_END();

}  // namespace braid::sched
