#include "stack/base/interval_set.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace braid;

namespace {

using Ranges = std::vector<Interval>;

IntervalSet two_ranges() {
  IntervalSet set;
  set.insert(10, 20);
  set.insert(30, 40);
  return set;
}

}  // namespace

TEST_CASE("inserting merges what overlaps or touches and returns what was new") {
  IntervalSet set = two_ranges();
  SUBCASE("apart") {
    CHECK(set.insert(22, 25) == 3);
    CHECK(set.ranges() == Ranges{{10, 20}, {22, 25}, {30, 40}});
  }
  SUBCASE("touching on both sides") {
    CHECK(set.insert(20, 30) == 10);
    CHECK(set.ranges() == Ranges{{10, 40}});
  }
  SUBCASE("inside") {
    CHECK(set.insert(12, 18) == 0);
    CHECK(set.ranges() == Ranges{{10, 20}, {30, 40}});
  }
  SUBCASE("over everything") {
    CHECK(set.insert(5, 50) == 25);
    CHECK(set.ranges() == Ranges{{5, 50}});
  }
  SUBCASE("an empty range is nothing") {
    CHECK(set.insert(25, 25) == 0);
    CHECK(set.ranges().size() == 2);
  }
  set.validate();
}

TEST_CASE("erasing cuts, splits and removes ranges") {
  IntervalSet set = two_ranges();
  SUBCASE("a hole in the middle") {
    set.erase(12, 15);
    CHECK(set.ranges() == Ranges{{10, 12}, {15, 20}, {30, 40}});
  }
  SUBCASE("across two ranges") {
    set.erase(15, 35);
    CHECK(set.ranges() == Ranges{{10, 15}, {35, 40}});
  }
  SUBCASE("everything below a position") {
    set.erase_below(30);
    CHECK(set.ranges() == Ranges{{30, 40}});
  }
  SUBCASE("between the ranges nothing changes") {
    set.erase(20, 30);
    CHECK(set.ranges() == Ranges{{10, 20}, {30, 40}});
  }
  SUBCASE("all") {
    set.erase(0, 100);
    CHECK(set.empty());
  }
  set.validate();
}

TEST_CASE("questions are answered at the edges of ranges") {
  const IntervalSet set = two_ranges();
  CHECK(set.total() == 20);
  CHECK(set.contains(10));
  CHECK(set.contains(19));
  CHECK_FALSE(set.contains(20));
  CHECK_FALSE(set.contains(9));
  CHECK(set.covers(10, 20));
  CHECK_FALSE(set.covers(10, 21));
  CHECK_FALSE(set.covers(15, 35));
  CHECK(set.covers(25, 25));
  CHECK(set.find(30) == Interval{30, 40});
  CHECK(set.find(25) == Interval{25, 25});
}

TEST_CASE("a gap starts at the first position that is not covered") {
  const IntervalSet set = two_ranges();
  CHECK(set.gap(0, 100) == Interval{0, 10});
  CHECK(set.gap(10, 100) == Interval{20, 30});
  CHECK(set.gap(25, 100) == Interval{25, 30});
  CHECK(set.gap(35, 100) == Interval{40, 100});
  CHECK(set.gap(35, 40) == Interval{40, 40});
  CHECK(set.gap(12, 18) == Interval{18, 18});
  CHECK(set.gap(22, 26) == Interval{22, 26});
}

TEST_SUITE_END();
