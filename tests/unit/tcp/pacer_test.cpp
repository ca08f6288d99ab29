#include "stack/tcp/pacer.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;
constexpr Pacer::Path kPath{.mss = kMss, .max_super_payload = 60000, .min_rtt = 20ms};

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a burst is a millisecond's worth, at least two segments, at most a super-segment") {
  const Pacer pacer;
  const Instant now(1s);
  CHECK(pacer.burst(Rate::bytes_per_second(10'000'000), kPath, now) == 10000);
  CHECK(pacer.burst(Rate::bytes_per_second(1000), kPath, now) == 2 * kMss);
  CHECK(pacer.burst(Rate::bytes_per_second(1'000'000'000), kPath, now) == 60000);
  CHECK(pacer.burst(Rate(), kPath, now) == 60000);
  CHECK(pacer.burst(Rate(), {.mss = kMss}, now) == kMss);  // plain segments only
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

TEST_CASE("on a short path a slow flow leaves in large bursts, at its rate all the same") {
  const Rate slow = Rate::bytes_per_second(100'000);
  Pacer pacer;
  Pacer::Path path = kPath;
  path.min_rtt = 100us;
  CHECK(pacer.burst(slow, path, Instant(1s)) == 60000);
  path.min_rtt = 1ms;
  CHECK(pacer.burst(slow, path, Instant(1s)) == 15100);
  path.min_rtt = 5ms;
  CHECK(pacer.burst(slow, path, Instant(1s)) == 2 * kMss);
  path.min_rtt = Duration::zero();  // unknown
  CHECK(pacer.burst(slow, path, Instant(1s)) == 2 * kMss);
  pacer.sent(60000, slow, Instant(1s));
  CHECK(pacer.ready_at() == Instant(1s) + 599ms);
}

// All that leaves at `now`, burst by burst.
std::uint64_t send_all(Pacer& pacer, Rate rate, Instant now) {
  std::uint64_t sent = 0;
  while (pacer.ready(now)) {
    const std::uint64_t burst = pacer.burst(rate, kPath, now);
    pacer.sent(burst, rate, now);
    sent += burst;
  }
  return sent;
}

TEST_CASE("who waited and is woken late has the rate all the same, in large bursts") {
  Pacer pacer;
  const Rate rate = Rate::bytes_per_second(10'000'000);
  Instant now(1s);
  send_all(pacer, rate, now);
  std::uint64_t sent = 0;
  for (int wake_up = 0; wake_up < 100; ++wake_up) {
    now += 5ms;
    REQUIRE(pacer.ready(now));
    CHECK(pacer.burst(rate, kPath, now) >= 40000);
    sent += send_all(pacer, rate, now);
  }
  CHECK(sent <= 5'010'000);
  CHECK(sent >= 4'990'000);
}

TEST_CASE("a stalled loop is caught up by kMostLate and no more") {
  Pacer pacer;
  const Rate rate = Rate::bytes_per_second(10'000'000);
  send_all(pacer, rate, Instant(1s));
  CHECK(send_all(pacer, rate, Instant(2s)) == 10000 + rate.bytes_in(Pacer::kMostLate));
}

TEST_CASE("who was silent by itself is owed one interval, however long ago it waited") {
  Pacer pacer;
  const Rate rate = Rate::bytes_per_second(10'000'000);
  send_all(pacer, rate, Instant(1s));
  REQUIRE(pacer.ready(Instant(1s) + 5ms));  // woken, it sends less than it may
  pacer.sent(1000, rate, Instant(1s) + 5ms);
  CHECK(send_all(pacer, rate, Instant(2s)) == 20000);
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
