#include "stack/tcp/pacer.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a burst is a millisecond's worth, at least two segments, at most a super-segment") {
  CHECK(Pacer::burst(Rate::bytes_per_second(10'000'000), kMss, 60000) == 10000);
  CHECK(Pacer::burst(Rate::bytes_per_second(1000), kMss, 60000) == 2 * kMss);
  CHECK(Pacer::burst(Rate::bytes_per_second(1'000'000'000), kMss, 60000) == 60000);
  CHECK(Pacer::burst(Rate(), kMss, 60000) == 60000);
  CHECK(Pacer::burst(Rate(), kMss, 0) == kMss);  // plain segments only
}

TEST_CASE("after a silence two intervals' worth leave at once, then the rate holds") {
  Pacer pacer;
  const Rate rate = Rate::bytes_per_second(10'000'000);  // 10000 bytes per millisecond
  const Instant start(1s);
  REQUIRE(pacer.ready(start));
  pacer.sent(10000, rate, start);
  CHECK(pacer.ready(start));
  pacer.sent(10000, rate, start);
  CHECK_FALSE(pacer.ready(start));
  CHECK(pacer.ready_at() == start + 1ms);
  pacer.sent(10000, rate, start + 1ms);
  CHECK(pacer.ready_at() == start + 2ms);
}

TEST_CASE("a late timer is caught up by one interval and no more") {
  Pacer pacer;
  const Rate rate = Rate::bytes_per_second(10'000'000);
  pacer.sent(20000, rate, Instant(1s));
  const Instant late = Instant(1s) + 50ms;
  std::uint64_t sent = 0;
  while (pacer.ready(late)) {
    pacer.sent(10000, rate, late);
    sent += 10000;
  }
  CHECK(sent == 20000);
}

TEST_CASE("granted bytes leave without a wait and cost nothing") {
  Pacer pacer;
  const Rate rate = Rate::bytes_per_second(1'000'000);
  pacer.grant(10000);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(pacer.ready(Instant(1s)));
    pacer.sent(2000, rate, Instant(1s));
  }
  pacer.sent(2000, rate, Instant(1s));
  CHECK(pacer.ready_at() == Instant(1s) + 1ms);
}

TEST_CASE("a zero rate never makes anybody wait") {
  Pacer pacer;
  for (int i = 0; i < 100; ++i) pacer.sent(60000, Rate(), Instant(1s));
  CHECK(pacer.ready(Instant(1s)));
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
