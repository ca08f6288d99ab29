#include "stack/sched/redundant.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/sched/views.h"

namespace braid::sched {

using namespace test;

TEST_SUITE_BEGIN("sched");
TEST_CASE("redundant: each path that has room is asked to carry what the others do") {
  Redundant scheduler;
  std::vector<PathView> paths{path(1, 30ms), path(2, 10ms)};
  CHECK(scheduler.pick(paths, much()) == Pick{2, Pick::Bytes::kCopies});
  paths[1] = full(paths[1]);
  CHECK(scheduler.pick(paths, much()) == Pick{1, Pick::Bytes::kCopies});
}
TEST_SUITE_END();

}  // namespace braid::sched
