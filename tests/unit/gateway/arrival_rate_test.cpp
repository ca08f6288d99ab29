#include "gateway/arrival_rate.h"

#include <doctest/doctest.h>

namespace braid::gateway {
namespace {

constexpr std::uint64_t kSegment = 1420;

// So many full segments, `apart` from each other. Returns when the last one came.
Instant train(ArrivalRate& uplink, int count, Duration apart, Instant begin) {
  for (int i = 0; i < count; ++i) uplink.arrived(kSegment, 0, begin + i * apart);
  return begin + (count - 1) * apart;
}

TEST_SUITE_BEGIN("gateway");
TEST_CASE("seven segments of a small fetch show what the uplink brings") {
  ArrivalRate uplink;
  CHECK(uplink.rate(Instant(100s)).is_zero());
  const Instant end = train(uplink, 7, 10ms, Instant(100s));  // 142 kB/s
  CHECK(uplink.rate(end) == Rate::of(kSegment, 10ms));
}

TEST_CASE("small segments, few segments and segments far apart show nothing") {
  ArrivalRate uplink;
  for (int i = 0; i < 1000; ++i) uplink.arrived(72, 0, Instant(100s) + i * 2ms);
  train(uplink, 4, 10ms, Instant(110s));
  train(uplink, 20, ArrivalRate::kPause + 1ms, Instant(120s));
  CHECK(uplink.rate(Instant(130s)).is_zero());
}

TEST_CASE("answers that are asked for one by one do not make an uplink slow") {
  ArrivalRate uplink;
  for (int i = 0; i < 100; ++i) uplink.arrived(1000, 0, Instant(100s) + i * 46ms);
  CHECK(uplink.rate(Instant(105s)).is_zero());
  // Three segments each, the last one not full; alone or in one piece.
  for (int i = 0; i < 100; ++i) {
    const Instant now = Instant(110s) + i * 46ms;
    train(uplink, 2, 0ms, now);
    uplink.arrived(300, 0, now);
    uplink.arrived(2 * kSegment + 300, kSegment, now + 23ms);
  }
  CHECK(uplink.rate(Instant(115s)).is_zero());
}

TEST_CASE("what one wake-up brings at once is no train") {
  ArrivalRate uplink;
  uplink.arrived(kSegment, 0, Instant(100s));
  uplink.arrived(42 * kSegment, kSegment, Instant(100s) + 100us);
  CHECK(uplink.rate(Instant(101s)).is_zero());
  // Nor does a hiccup of 10 ms on the way to us make 1 Mbit/s look like much more.
  ArrivalRate late;
  Instant now = train(late, 3, 12ms, Instant(200s));
  late.arrived(kSegment, 0, now + 22ms);
  now = train(late, 9, 12ms, now + 22ms + 2ms);
  CHECK(late.rate(now) < Rate::bits_per_second(2'000'000));
}

TEST_CASE(
    "a busy moment, or a slow source, does not make an uplink slow; what is faster counts at "
    "once") {
  ArrivalRate uplink;
  Instant now = train(uplink, 20, 2ms, Instant(100s));
  now = train(uplink, 100, 20ms, now + 1s);
  CHECK(uplink.rate(now) == Rate::of(kSegment, 2ms));
  now = train(uplink, 20, 1ms, now + 1s);
  CHECK(uplink.rate(now) > Rate::of(kSegment, 2ms));
}

TEST_CASE("an uplink that has become slower is known as such within the memory") {
  ArrivalRate uplink;
  train(uplink, 20, 2ms, Instant(100s));
  Instant now = train(uplink, 20, 20ms, Instant(100s) + ArrivalRate::kMemory / 2 + 1s);
  CHECK(uplink.rate(now) > Rate::of(kSegment, 10ms));  // the former half still counts
  now = train(uplink, 20, 20ms, now + ArrivalRate::kMemory / 2 + 1s);
  CHECK(uplink.rate(now) <= Rate::of(kSegment, 20ms));
  CHECK_FALSE(uplink.rate(now).is_zero());
}

TEST_CASE("what an uplink brought is forgotten when it brings nothing more") {
  ArrivalRate uplink;
  const Instant end = train(uplink, 20, 2ms, Instant(100s));
  CHECK_FALSE(uplink.rate(end + ArrivalRate::kMemory / 2).is_zero());
  CHECK(uplink.rate(end + ArrivalRate::kMemory + 1s).is_zero());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
