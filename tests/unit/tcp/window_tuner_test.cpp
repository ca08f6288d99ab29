#include "stack/tcp/window_tuner.h"

#include <doctest/doctest.h>

using namespace braid;
using namespace braid::tcp;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a reader that takes more than half the buffer in a round trip doubles it") {
  WindowTuner tuner(1 << 20);
  CHECK(tuner.capacity_for(0, 65536, 10ms, Instant(0s)) == 65536);
  CHECK(tuner.capacity_for(32768, 65536, 10ms, Instant(5ms)) == 65536);
  CHECK(tuner.capacity_for(32769, 65536, 10ms, Instant(6ms)) == 131072);
}

TEST_CASE("a reader that is slower than that leaves the buffer as it is, however long it lasts") {
  WindowTuner tuner;
  std::uint64_t capacity = 65536;
  for (int ms = 0; ms < 10'000; ms += 2) {
    capacity = tuner.capacity_for(static_cast<std::uint64_t>(ms) * 3000, capacity, 10ms,
                                  Instant(ms * 1ms));
  }
  CHECK(capacity == 65536);
}

TEST_CASE("much taken over many round trips is not much in one") {
  WindowTuner tuner;
  tuner.capacity_for(0, 65536, 10ms, Instant(0s));
  CHECK(tuner.capacity_for(65536, 65536, 10ms, Instant(1s)) == 65536);
}

TEST_CASE("the buffer stops growing at its maximum") {
  WindowTuner tuner(100'000);
  tuner.capacity_for(0, 65536, 10ms, Instant(0s));
  CHECK(tuner.capacity_for(60'000, 65536, 10ms, Instant(1ms)) == 100'000);
  CHECK(tuner.capacity_for(160'000, 100'000, 10ms, Instant(2ms)) == 100'000);
}

TEST_SUITE_END();
