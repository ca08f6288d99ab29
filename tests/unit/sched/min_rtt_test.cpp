#include "stack/sched/min_rtt.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/sched/views.h"

namespace braid::sched {
namespace {

using namespace test;

std::optional<std::uint32_t> pick(const std::vector<PathView>& paths) {
  return id_of(MinRtt().pick(paths, much()));
}

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE("min_rtt: the path with the lowest round trip time goes first") {
  CHECK(pick({path(1, 30ms), path(2, 10ms), path(3, 20ms)}) == 2);
}

TEST_CASE("min_rtt: a full path is passed over for the next fastest") {
  CHECK(pick({path(1, 30ms), full(path(2, 10ms)), path(3, 20ms)}) == 3);
}

TEST_CASE("min_rtt: equal round trip times go to the lowest id") {
  CHECK(pick({path(7, 10ms), path(3, 10ms), path(5, 10ms)}) == 3);
}

TEST_CASE("min_rtt: a path without a sample is tried before the measured ones") {
  CHECK(pick({path(1, 1ms), path(2, Duration::zero())}) == 2);
}

TEST_CASE("min_rtt: of several backup paths, or paths in doubt, the fastest goes first") {
  CHECK(pick({backup(path(1, 20ms)), backup(path(2, 10ms))}) == 2);
  CHECK(pick({doubtful(path(1, 9ms)), doubtful(path(2, 5ms))}) == 2);
}
TEST_SUITE_END();

}  // namespace braid::sched
