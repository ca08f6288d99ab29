#include "stack/base/rate.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace braid;

TEST_CASE("a rate answers for time and for bytes") {
  const Rate rate = Rate::bits_per_second(8'000'000);
  CHECK(rate.bytes_per_second() == 1'000'000);
  CHECK(rate.time_for(1500) == 1500us);
  CHECK(rate.bytes_in(2ms) == 2000);
  CHECK(rate.bytes_in(-1ms) == 0);
}

TEST_CASE("a rate is measured from bytes and time, and is zero when no time passed") {
  CHECK(Rate::of(5000, 10ms).bytes_per_second() == 500'000);
  CHECK(Rate::of(5000, 0ns).is_zero());
  CHECK(Rate::of(5000, -1s).is_zero());
}

TEST_SUITE_END();
