#include "stack/sched/min_rtt.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace braid::sched {
namespace {

using Pick = std::optional<std::uint32_t>;

PathView path(std::uint32_t id, Duration srtt) {
  PathView view;
  view.id = id;
  view.srtt = srtt;
  view.cwnd = 14000;
  view.budget = 14000;
  view.mss = 1400;
  return view;
}
PathView full(PathView view) {
  view.budget = 0;
  return view;
}
PathView backup(PathView view) {
  view.backup = true;
  return view;
}
PathView doubtful(PathView view) {
  view.in_doubt = true;
  return view;
}

Pick pick(std::vector<PathView> paths) {
  MinRtt scheduler;
  const StreamView stream{100000, 100000};
  const Pick answer = scheduler.pick(paths, stream);
  std::reverse(paths.begin(), paths.end());
  CHECK(scheduler.pick(paths, stream) == answer);  // the order of the list never matters
  return answer;
}

}  // namespace

TEST_SUITE("sched") {
  TEST_CASE("the path with the lowest round trip time goes first") {
    CHECK(pick({path(1, 30ms), path(2, 10ms), path(3, 20ms)}) == 2);
  }

  TEST_CASE("a full path is passed over for the next fastest") {
    CHECK(pick({path(1, 30ms), full(path(2, 10ms)), path(3, 20ms)}) == 3);
  }

  TEST_CASE("nothing is picked when no path has room, or there is none") {
    CHECK(pick({full(path(1, 30ms)), full(path(2, 10ms))}) == std::nullopt);
    CHECK(pick({}) == std::nullopt);
  }

  TEST_CASE("equal round trip times go to the lowest id") {
    CHECK(pick({path(7, 10ms), path(3, 10ms), path(5, 10ms)}) == 3);
  }

  TEST_CASE("a path without a sample is tried before the measured ones") {
    CHECK(pick({path(1, 1ms), path(2, Duration::zero())}) == 2);
  }

  TEST_CASE("a backup path waits while a regular one is usable (RFC 8684 M46)") {
    CHECK(pick({backup(path(1, 1ms)), path(2, 90ms)}) == 2);
    SUBCASE("even when the regular one is full") {
      CHECK(pick({backup(path(1, 1ms)), full(path(2, 90ms))}) == std::nullopt);
    }
    SUBCASE("but not when there is only a regular one in doubt") {
      CHECK(pick({backup(path(1, 1ms)), doubtful(path(2, 90ms))}) == 1);
    }
    SUBCASE("nor when there is none") {
      CHECK(pick({backup(path(1, 20ms)), backup(path(2, 10ms))}) == 2);
    }
  }

  TEST_CASE("a path in doubt is used only when all are") {
    CHECK(pick({doubtful(path(1, 1ms)), path(2, 90ms)}) == 2);
    CHECK(pick({doubtful(path(1, 1ms)), full(path(2, 90ms))}) == std::nullopt);
    CHECK(pick({doubtful(path(1, 9ms)), doubtful(path(2, 5ms))}) == 2);
    CHECK(pick({doubtful(path(1, 9ms)), doubtful(backup(path(2, 5ms)))}) == 1);
  }
}

}  // namespace braid::sched
