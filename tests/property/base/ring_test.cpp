// Ring against a std::vector.
#include "stack/base/ring.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "tests/property/seeds.h"

TEST_SUITE_BEGIN("property");

using namespace braid;

namespace {

template <class R>
void compare(const R& ring, const std::vector<int>& model, Random& random) {
  ring.validate();
  REQUIRE(ring.size() == model.size());
  REQUIRE(ring.empty() == model.empty());
  std::size_t index = 0;
  for (const auto& element : ring) {
    REQUIRE(*element == model[index]);
    REQUIRE(*ring[index] == model[index]);
    ++index;
  }
  REQUIRE(index == model.size());
  if (model.empty()) return;
  REQUIRE(*ring.front() == model.front());
  REQUIRE(*ring.back() == model.back());
  const std::size_t first = random.below(model.size() + 1);
  std::size_t asked = 0;
  const std::size_t found = ring.partition_point([&](const auto& element) {
    ++asked;
    return first < model.size() ? *element < model[first] : true;
  });
  REQUIRE(found == first);
  REQUIRE(asked <= 8);
}

template <class R>
void run(Random& random) {
  R ring;
  std::vector<int> model;  // ascending, so that partition_point has something to find
  for (int step = 0; step < 300; ++step) {
    const std::uint64_t what = random.below(10);
    if (what < 4) {
      const int value = (model.empty() ? 0 : model.back()) + 1000;
      ring.push_back(std::make_unique<int>(value));
      model.push_back(value);
    } else if (what < 8 && !model.empty()) {
      ring.pop_front();
      model.erase(model.begin());
    } else if (what == 8 && model.size() >= 2) {
      const std::size_t index = 1 + random.below(model.size() - 1);
      const int value = (model[index - 1] + model[index]) / 2;
      if (value == model[index - 1]) continue;
      ring.insert(index, std::make_unique<int>(value));
      model.insert(model.begin() + static_cast<std::ptrdiff_t>(index), value);
    } else if (what == 9 && !model.empty() && random.below(2) == 0) {
      ring.pop_back();
      model.pop_back();
    } else if (random.below(20) == 0) {
      ring.clear();
      model.clear();
    }
    compare(ring, model, random);
  }
}

}  // namespace

TEST_CASE("a ring does what a vector does") {
  test::for_seeds(300, [](Random& random) { run<Ring<std::unique_ptr<int>>>(random); });
}

TEST_CASE("a ring that keeps slots does what a vector does") {
  test::for_seeds(300, [](Random& random) { run<Ring<std::unique_ptr<int>, 4>>(random); });
}

TEST_SUITE_END();
