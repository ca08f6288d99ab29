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

  // ACKs of two segments, so far apart.
  void round(int acks, Duration apart, std::uint64_t window) {
    now += kRtt;
    for (int i = 0; i < acks; ++i) {
      train.on_ack({.now = now + i * apart,
                    .newly_delivered = 2 * kMss,
                    .min_rtt = kRtt,
                    .round_ended = i == 0},
                   window);
    }
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE("a first flight spread by the bottleneck tells its capacity, and steps stay below half of it") {
  Flight flight;
  flight.round(5, 2ms, kInitial);  // 8000 bytes in 8 ms: 1 MB/s, 200 kB in a round trip
  CHECK(flight.train.step() == 2);
  CHECK(flight.train.on_its_way(kInitial));
  flight.round(10, 2ms, 20 * kMss);
  CHECK(flight.train.product() == 200 * kMss);
  CHECK(flight.train.step() == 4);  // 80 kB
  flight.round(40, 1ms, 40 * kMss);
  CHECK(flight.train.step() == 2.5);  // 100 kB, the half
  flight.round(40, 1ms, 80 * kMss);
  CHECK(flight.train.step() == 2);
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

TEST_CASE("what others have seen the path to hold counts until the own train says something else") {
  Flight flight;
  flight.train.expect(60 * kMss, kInitial);
  CHECK(flight.train.step() == 3);  // 30 kB, the half
  SUBCASE("less") {
    flight.round(5, 10ms, kInitial);  // 40 kB
    CHECK(flight.train.step() == 3);
    flight.round(10, 10ms, 20 * kMss);
    CHECK(flight.train.product() == 40 * kMss);
  }
  SUBCASE("nothing") {
    flight.round(2, 10ms, kInitial);
    flight.round(10, 10ms, 12 * kMss);
    CHECK(flight.train.product() == 60 * kMss);
    CHECK(flight.train.step() == 2.5);
  }
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
