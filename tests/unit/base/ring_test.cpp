#include "stack/base/ring.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

TEST_SUITE_BEGIN("base");

using namespace braid;

namespace {

template <class R>
std::vector<int> values(const R& ring) {
  std::vector<int> out;
  for (const int value : ring) out.push_back(value);
  return out;
}

}  // namespace

TEST_CASE("an empty ring holds no memory, before it was used and after") {
  Ring<int> ring;
  CHECK(ring.capacity() == 0);
  for (int i = 0; i < 100; ++i) ring.push_back(i);
  CHECK(ring.capacity() == 128);
  for (int i = 0; i < 100; ++i) {
    CHECK(ring.front() == i);
    ring.pop_front();
  }
  CHECK(ring.capacity() == 0);
}

TEST_CASE("a ring told to keep slots keeps these and no more") {
  Ring<int, 2> ring;
  for (int i = 0; i < 2; ++i) ring.push_back(i);
  ring.clear();
  CHECK(ring.capacity() == 2);
  for (int i = 0; i < 3; ++i) ring.push_back(i);
  ring.clear();
  CHECK(ring.capacity() == 0);
}

TEST_CASE("a busy ring asks for no more memory than its longest queue") {
  Ring<int> ring;
  for (int i = 0; i < 3; ++i) ring.push_back(i);
  for (int i = 3; i < 1000; ++i) {
    ring.push_back(i);
    ring.pop_front();
  }
  CHECK(ring.capacity() == 4);
  CHECK(values(ring) == std::vector{997, 998, 999});
}

TEST_CASE("elements put into the middle keep the order of the others") {
  Ring<int> ring;
  for (int i = 0; i < 6; ++i) ring.push_back(10 * i);
  SUBCASE("near the front") {
    ring.insert(1, 5);
    CHECK(values(ring) == std::vector{0, 5, 10, 20, 30, 40, 50});
  }
  SUBCASE("near the back") {
    ring.insert(5, 45);
    CHECK(values(ring) == std::vector{0, 10, 20, 30, 40, 45, 50});
  }
  SUBCASE("before the first") {
    ring.insert(0, -5);
    CHECK(values(ring) == std::vector{-5, 0, 10, 20, 30, 40, 50});
  }
  SUBCASE("behind the last") {
    ring.insert(6, 55);
    CHECK(values(ring) == std::vector{0, 10, 20, 30, 40, 50, 55});
  }
}

TEST_CASE("partition_point counts the elements in front that satisfy a condition") {
  Ring<int> ring;
  CHECK(ring.partition_point([](int) { return true; }) == 0);
  for (int i = 0; i < 7; ++i) ring.push_back(i);
  for (int limit = -1; limit < 8; ++limit) {
    const auto expected = static_cast<std::size_t>(std::clamp(limit, 0, 7));
    CHECK(ring.partition_point([limit](int value) { return value < limit; }) == expected);
  }
}

TEST_CASE("elements that own something are destroyed when they leave, and with the ring") {
  const auto owned = std::make_shared<int>(1);
  {
    Ring<std::shared_ptr<int>> ring;
    for (int i = 0; i < 5; ++i) ring.push_back(owned);
    ring.pop_front();
    CHECK(owned.use_count() == 5);
  }
  CHECK(owned.use_count() == 1);
}

TEST_SUITE_END();
