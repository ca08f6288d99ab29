#include "stack/cc/first_train.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

constexpr std::uint64_t kMss = 1000;
constexpr std::uint64_t kInitial = 10 * kMss;
constexpr Duration kRtt = 200ms;

struct Flight {
  FirstTrain train{kInitial};
  Instant now = Instant() + 1s;

  // ACKs of two segments, so far apart, of segments that have waited in a queue for so long.
  void round(int acks, Duration apart, std::uint64_t window, Duration queue = 0ms) {
    now += kRtt;
    for (int i = 0; i < acks; ++i) ack(now + i * apart, window, queue, i == 0);
  }
  void ack(Instant when, std::uint64_t window, Duration queue, bool round_ended) {
    train.on_ack({.now = when,
                  .newly_delivered = 2 * kMss,
                  .min_rtt = kRtt,
                  .latest_rtt = kRtt + queue,
                  .round_ended = round_ended},
                 window);
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE(
    "a first flight spread by the bottleneck tells its capacity, and steps stay below half of it") {
  Flight flight;
  CHECK(flight.train.on_its_way(kInitial));
  flight.round(5, 2ms, kInitial);  // 8000 bytes in 8 ms: 1 MB/s, 200 kB in a round trip
  CHECK(flight.train.step() == 2);
  CHECK_FALSE(flight.train.on_its_way(kInitial));
  flight.round(10, 2ms, 20 * kMss);
  CHECK(flight.train.product() == 200 * kMss);
  CHECK(flight.train.step() == 4);  // 80 kB
  flight.round(40, 1ms, 40 * kMss);
  CHECK(flight.train.step() == 2.5);  // 100 kB, the half
  flight.round(40, 1ms, 80 * kMss);
  CHECK(flight.train.step() == 2);
}

TEST_CASE("a wide path seen when the first flight is in, its own growth is made up for once") {
  Flight flight;
  flight.round(5, 2ms, kInitial);
  CHECK(flight.train.product() == 200 * kMss);
  CHECK(flight.train.growth(2 * kMss) == 22 * kMss);  // to 40 kB instead of 20
  CHECK(flight.train.growth(2 * kMss) == 2 * kMss);
  flight.round(20, 1ms, 40 * kMss);
  CHECK(flight.train.growth(2 * kMss) == 3 * kMss);
}

TEST_CASE("ACKs before any round began are no train") {
  FirstTrain train{kInitial};
  for (int i = 0; i < 20; ++i) {
    train.on_ack({.now = Instant(), .newly_delivered = 2 * kMss}, kInitial);
    CHECK(train.growth(2 * kMss) == 2 * kMss);
  }
}

TEST_CASE("on a path that two more doublings would fill, slow start doubles") {
  Flight flight;
  flight.round(5, 10ms, kInitial);  // 40 kB in a round trip
  flight.round(10, 10ms, 20 * kMss);
  CHECK(flight.train.product() == 40 * kMss);
  CHECK(flight.train.step() == 2);
}

TEST_CASE("ACKs that came all at once, or in too few pieces, tell nothing") {
  Flight flight;
  SUBCASE("at once") { flight.round(5, 0ms, kInitial); }
  SUBCASE("too few") { flight.round(3, 2ms, kInitial); }
  flight.round(10, 2ms, 20 * kMss);
  flight.round(20, 2ms, 40 * kMss);
  CHECK(flight.train.product() == 0);
  CHECK(flight.train.step() == 2);
  CHECK_FALSE(flight.train.on_its_way(40 * kMss));
}

TEST_CASE("past the product, and with a queue, slow start hardly grows; a round of it ends it") {
  Flight flight;
  flight.round(5, 20ms, kInitial);  // 20 kB in a round trip
  const std::uint64_t product = 20 * kMss;
  REQUIRE(flight.train.product() == product);
  flight.round(10, 20ms, product, 60ms);  // a queue, but not for want of room: others', or a burst
  CHECK(flight.train.growth(2 * kMss) == 2 * kMss);
  flight.round(20, 20ms, 2 * product);  // past it, and nobody waits: the train told too little
  CHECK(flight.train.growth(2 * kMss) == 2 * kMss);
  CHECK_FALSE(flight.train.path_is_full());
  flight.round(9, 20ms, product * 3 / 2, 60ms);
  CHECK(flight.train.growth(2 * kMss) == kMss / 2);
  flight.ack(flight.now + 190ms, product * 2, 40ms, false);
  CHECK(flight.train.growth(2 * kMss) == 2 * kMss);  // no queue any more
  flight.round(10, 20ms, product * 2 + kMss, 60ms);
  CHECK(flight.train.growth(2 * kMss) == 0);
  CHECK_FALSE(flight.train.path_is_full());  // not yet a whole round of it
  flight.round(1, 20ms, product * 2 + kMss, 60ms);
  CHECK(flight.train.path_is_full());
}

TEST_CASE("a queue says nothing where the first flight told nothing") {
  Flight flight;
  flight.round(5, 0ms, kInitial, 60ms);
  for (int i = 0; i < 3; ++i) {
    flight.round(10, 2ms, 1000 * kMss, 60ms);
    CHECK(flight.train.growth(2 * kMss) == 2 * kMss);
  }
  CHECK_FALSE(flight.train.path_is_full());
}

TEST_CASE("a small reply before the first full flight does not use up the only look") {
  Flight flight;
  flight.round(1, 0ms, kInitial);
  flight.round(1, 0ms, kInitial);
  CHECK(flight.train.on_its_way(kInitial));
  flight.round(5, 2ms, kInitial);
  flight.round(10, 2ms, 20 * kMss);
  CHECK(flight.train.step() == 4);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
