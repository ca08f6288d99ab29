#include "stack/tcp/rate_sampler.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

constexpr std::uint64_t kSegment = 1000;
constexpr Instant kStart{1s};

// A flight of `count` segments that leave `apart` from each other, from order `first` on.
void send(RateSampler& sampler, std::uint64_t first, std::uint64_t count, Duration apart,
          Instant begin = kStart) {
  for (std::uint64_t i = 0; i < count; ++i) {
    sampler.on_sent(first + i, kSegment, (i + 1) * kSegment,
                    begin + static_cast<std::int64_t>(i) * apart);
  }
}

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a steady flow is measured at the rate its ACKs come in") {
  RateSampler sampler;
  send(sampler, 1, 10, 1ms);
  cc::RateSample sample;
  // One segment per 2 ms comes out of the bottleneck.
  for (std::uint64_t i = 0; i < 10; ++i) {
    sample = sampler.on_delivered(kSegment, i + 1, 20ms,
                                  kStart + 20ms + static_cast<std::int64_t>(i) * 2ms);
  }
  CHECK(sample.delivered == 10 * kSegment);
  CHECK(sample.interval == 38ms);  // since nothing had been delivered when the flight began
  CHECK(sample.rate == Rate::of(10 * kSegment, 38ms));
  CHECK(sampler.delivered() == 10 * kSegment);
}

TEST_CASE("answers that come squeezed together do not look like bandwidth") {
  RateSampler sampler;
  send(sampler, 1, 20, 2ms);  // sent at 500 kB/s
  for (std::uint64_t i = 1; i <= 10; ++i) {
    sampler.on_delivered(kSegment, i, 10ms, kStart + 20ms + static_cast<std::int64_t>(i - 1) * 2ms);
  }
  sampler.forget_before(11);
  // The other ten are answered at once, early: by the ACKs alone 20 segments in 20 ms.
  const cc::RateSample sample = sampler.on_delivered(10 * kSegment, 20, 10ms, kStart + 40ms);
  CHECK(sample.rate <= Rate::of(20 * kSegment, 38ms));
}

TEST_CASE("the sending side is the limit where it is slower than the ACKs say") {
  RateSampler sampler;
  sampler.on_sent(1, kSegment, kSegment, kStart);
  sampler.on_sent(2, kSegment, 2 * kSegment, kStart + 100ms);
  const cc::RateSample sample = sampler.on_delivered(2 * kSegment, 2, 5ms, kStart + 105ms);
  CHECK(sample.interval == 105ms);
}

TEST_CASE("an interval shorter than the least round trip gives counts and no rate") {
  RateSampler sampler;
  sampler.on_sent(1, kSegment, kSegment, kStart);
  const cc::RateSample sample = sampler.on_delivered(kSegment, 1, 20ms, kStart + 5ms);
  CHECK(sample.rate.is_zero());
  CHECK(sample.delivered == kSegment);
  CHECK(sample.flight_at_send == kSegment);
}

TEST_CASE("what left while the application was the limit is marked until it is all delivered") {
  RateSampler sampler;
  sampler.on_sent(1, kSegment, kSegment, kStart);
  sampler.on_app_limited(kSegment);
  sampler.on_sent(2, kSegment, 2 * kSegment, kStart + 1ms);
  CHECK_FALSE(sampler.on_delivered(kSegment, 1, 10ms, kStart + 20ms).app_limited);
  CHECK(sampler.app_limited());
  CHECK(sampler.on_delivered(kSegment, 2, 10ms, kStart + 21ms).app_limited);
  CHECK_FALSE(sampler.app_limited());
  sampler.on_sent(3, kSegment, kSegment, kStart + 22ms);
  CHECK_FALSE(sampler.on_delivered(kSegment, 3, 10ms, kStart + 42ms).app_limited);
}

TEST_CASE(
    "the path's rate is the last sample; one that tells of the application counts when it shows "
    "more") {
  RateSampler sampler;
  CHECK(sampler.rate().is_zero());
  sampler.on_sent(1, kSegment, kSegment, kStart);
  sampler.on_delivered(kSegment, 1, 10ms, kStart + 10ms);
  CHECK(sampler.rate() == Rate::of(kSegment, 10ms));
  sampler.on_sent(2, kSegment, kSegment, kStart + 10ms);
  sampler.on_delivered(kSegment, 2, 10ms, kStart + 30ms);
  CHECK(sampler.rate() == Rate::of(kSegment, 20ms));
  sampler.on_app_limited(0);
  sampler.on_sent(3, kSegment, kSegment, kStart + 30ms);
  sampler.on_delivered(kSegment, 3, 10ms, kStart + 70ms);
  CHECK(sampler.rate() == Rate::of(kSegment, 20ms));
  sampler.on_app_limited(0);
  sampler.on_sent(4, kSegment, kSegment, kStart + 70ms);
  sampler.on_delivered(kSegment, 4, 10ms, kStart + 80ms);
  CHECK(sampler.rate() == Rate::of(kSegment, 10ms));
}

TEST_CASE("a loss is told with the flight it left in and what else was lost since") {
  RateSampler sampler;
  send(sampler, 1, 4, 1ms);
  const cc::Loss first = sampler.on_lost(2, kSegment, kStart + 30ms);
  CHECK(first.flight_at_send == 2 * kSegment);
  CHECK(first.lost_since_send == kSegment);
  const cc::Loss second = sampler.on_lost(3, kSegment, kStart + 30ms);
  CHECK(second.flight_at_send == 3 * kSegment);
  CHECK(second.lost_since_send == 2 * kSegment);
  CHECK(sampler.lost() == 2 * kSegment);
  const cc::RateSample sample = sampler.on_delivered(kSegment, 4, 10ms, kStart + 31ms);
  CHECK(sample.lost == 2 * kSegment);
}

TEST_CASE("what was forgotten gives neither sample nor flight, but is counted") {
  RateSampler sampler;
  send(sampler, 1, 4, 1ms);
  sampler.forget_before(4);
  CHECK(sampler.note_count() == 1);
  CHECK(sampler.on_delivered(kSegment, 2, 10ms, kStart + 20ms).delivered == 0);
  CHECK(sampler.on_lost(1, kSegment, kStart + 20ms).flight_at_send == 0);
  CHECK(sampler.delivered() == kSegment);
  CHECK(sampler.lost() == kSegment);
  sampler.forget_before(9);
  CHECK(sampler.note_count() == 0);
  sampler.on_sent(5, kSegment, kSegment, kStart + 50ms);  // and it goes on
  CHECK(sampler.on_delivered(kSegment, 5, 10ms, kStart + 70ms).delivered == kSegment);
}

TEST_CASE("a round trip ends when something is delivered that left after it began") {
  RateSampler sampler;
  send(sampler, 1, 3, 1ms);
  CHECK(sampler.round() == 0);
  sampler.on_delivered(kSegment, 1, 10ms, kStart + 20ms);
  CHECK(sampler.round() == 1);
  sampler.on_delivered(kSegment, 2, 10ms, kStart + 21ms);
  sampler.on_sent(4, kSegment, 2 * kSegment, kStart + 21ms);  // two were delivered by then
  sampler.on_delivered(kSegment, 3, 10ms, kStart + 22ms);
  CHECK(sampler.round() == 1);
  sampler.on_delivered(kSegment, 4, 10ms, kStart + 41ms);
  CHECK(sampler.round() == 2);
}

TEST_CASE("thousands of transmissions leave nothing behind") {
  RateSampler sampler;
  for (std::uint64_t order = 1; order <= 5000; ++order) {
    sampler.on_sent(order, kSegment, 100 * kSegment, kStart + order * 1us);
    if (order > 100) {
      sampler.on_delivered(kSegment, order - 100, 0us, kStart + order * 1us);
      sampler.forget_before(order - 99);
    }
    CHECK(sampler.note_count() <= 100);
  }
  sampler.forget_before(5001);
  CHECK(sampler.note_count() == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
