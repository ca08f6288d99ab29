// IntervalSet against a std::set of every single position.
#include "stack/base/interval_set.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/property/seeds.h"

TEST_SUITE_BEGIN("property");

using namespace braid;

namespace {

constexpr std::uint32_t kSpace = 64;

class Model {
 public:
  std::uint64_t insert(Interval range) {
    std::uint64_t fresh = 0;
    for (std::uint64_t p = range.begin; p < range.end; ++p) fresh += positions_.insert(p).second;
    return fresh;
  }
  void erase(Interval range) {
    for (std::uint64_t p = range.begin; p < range.end; ++p) positions_.erase(p);
  }
  bool has(std::uint64_t p) const { return positions_.count(p) != 0; }
  std::uint64_t total() const { return positions_.size(); }

  std::vector<Interval> ranges() const {
    std::vector<Interval> out;
    for (std::uint64_t p : positions_) {
      if (!out.empty() && out.back().end == p) {
        ++out.back().end;
      } else {
        out.push_back({p, p + 1});
      }
    }
    return out;
  }
  Interval find(std::uint64_t position) const {
    for (const Interval& range : ranges()) {
      if (range.begin <= position && position < range.end) return range;
    }
    return {position, position};
  }
  Interval gap(std::uint64_t position, std::uint64_t limit) const {
    while (position < limit && has(position)) ++position;
    if (position >= limit) return {limit, limit};
    std::uint64_t end = position;
    while (end < limit && !has(end)) ++end;
    return {position, end};
  }
  bool covers(Interval range) const {
    for (std::uint64_t p = range.begin; p < range.end; ++p) {
      if (!has(p)) return false;
    }
    return true;
  }

 private:
  std::set<std::uint64_t> positions_;
};

Interval random_range(Random& random) {
  const std::uint64_t begin = random.below(kSpace);
  return {begin, begin + random.below(10)};
}

void compare(const IntervalSet& set, const Model& model, Random& random) {
  set.validate();
  REQUIRE(set.ranges() == model.ranges());
  REQUIRE(set.total() == model.total());
  REQUIRE(set.empty() == (model.total() == 0));
  for (std::uint64_t p = 0; p < kSpace + 10; ++p) {
    REQUIRE(set.contains(p) == model.has(p));
    REQUIRE(set.find(p) == model.find(p));
  }
  const Interval asked = random_range(random);
  REQUIRE(set.covers(asked.begin, asked.end) == model.covers(asked));
  REQUIRE(set.gap(asked.begin, asked.end) == model.gap(asked.begin, asked.end));
}

}  // namespace

TEST_CASE("an interval set holds exactly the positions put into it") {
  test::for_seeds(300, [](Random& random) {
    IntervalSet set;
    Model model;
    for (int step = 0; step < 40; ++step) {
      const Interval range = random_range(random);
      switch (random.below(5)) {
        case 0:
          set.erase(range.begin, range.end);
          model.erase(range);
          break;
        case 1:
          set.erase_below(range.begin / 4);
          model.erase({0, range.begin / 4});
          break;
        default: REQUIRE(set.insert(range.begin, range.end) == model.insert(range));
      }
      compare(set, model, random);
    }
  });
}

TEST_SUITE_END();
