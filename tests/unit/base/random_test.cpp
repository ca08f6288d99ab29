#include "stack/base/random.h"

#include <doctest/doctest.h>

#include <vector>

TEST_SUITE_BEGIN("base");

using namespace braid;

TEST_CASE("the stream of an all-zero key is the one of RFC 8439 A.1") {
  Random random(Random::Key{});
  std::vector<std::uint32_t> words;
  for (int i = 0; i < 20; ++i) words.push_back(random.u32());
  // Vector 1: block 0.
  CHECK(words[0] == 0xade0b876);
  CHECK(words[1] == 0x903df1a0);
  CHECK(words[15] == 0x8665eeb2);
  // Vector 2: block 1.
  CHECK(words[16] == 0xbee7079f);
  CHECK(words[17] == 0x7a385155);
}

TEST_CASE("the key enters the state in the order of RFC 8439 A.1 vector 3") {
  Random::Key key{};
  key[31] = 1;
  Random random(key);
  for (int i = 0; i < 16; ++i) random.u32();
  // Block 1 of that key: 3a eb 52 24 ec f8 49 92 ...
  CHECK(random.u32() == 0x2452eb3a);
  CHECK(random.u32() == 0x9249f8ec);
}

TEST_CASE("equal seeds give equal streams, different seeds different ones") {
  Random a(7);
  Random b(7);
  Random c(8);
  const std::uint64_t from_a = a.u64();
  CHECK(from_a == b.u64());
  CHECK(from_a != c.u64());
}

TEST_CASE("below stays below its bound and reaches every value") {
  Random random(1);
  std::vector<int> seen(6);
  for (int i = 0; i < 6000; ++i) {
    const std::uint32_t value = random.below(6);
    REQUIRE(value < 6);
    ++seen[value];
  }
  for (int count : seen) CHECK(count > 800);
  CHECK(random.below(1) == 0);
  CHECK(random.below(0xffffffff) < 0xffffffff);
}

TEST_CASE("unit is spread over [0, 1)") {
  Random random(2);
  double sum = 0;
  for (int i = 0; i < 4000; ++i) {
    const double value = random.unit();
    REQUIRE(value >= 0);
    REQUIRE(value < 1);
    sum += value;
  }
  CHECK(sum / 4000 == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("a chance of one always comes true and of zero never") {
  Random random(3);
  for (int i = 0; i < 100; ++i) {
    CHECK(random.chance(1.0));
    CHECK_FALSE(random.chance(0.0));
  }
}

TEST_SUITE_END();
