#include "stack/cc/balia.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

constexpr std::uint32_t kMss = 1000;

Ack limited(std::uint64_t bytes, Duration rtt) {
  return {.newly_delivered = bytes,
          .prior_in_flight = bytes,
          .srtt = rtt,
          .round_ended = true,
          .cwnd_limited = true};
}
void bring(Balia& balia, std::uint64_t segments, Duration rtt) {
  while (balia.cwnd() < 2 * segments * kMss) balia.on_ack(limited(kMss, rtt));
  balia.on_congestion({.in_flight = 2 * segments * kMss});
  balia.on_ack(limited(1, rtt));
}
std::uint64_t growth_of_a_window(Balia& balia, Duration rtt) {
  const std::uint64_t before = balia.cwnd();
  for (std::uint64_t done = 0; done < before; done += kMss) balia.on_ack(limited(kMss, rtt));
  return balia.cwnd() - before;
}

TEST_SUITE_BEGIN("cc");

TEST_CASE("alone, balia grows and falls as Reno does") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  Balia balia(kMss, group);
  bring(balia, 20, 50ms);
  REQUIRE(balia.cwnd() < 21 * kMss);
  const std::uint64_t growth = growth_of_a_window(balia, 50ms);
  CHECK(growth > 900);
  CHECK(growth < 1100);
  const std::uint64_t before = balia.cwnd();
  balia.on_congestion({.in_flight = before});
  CHECK(balia.cwnd() == before / 2);
}

TEST_CASE("two equal subflows of balia grow by a quarter of a segment each") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  Balia a(kMss, group);
  Balia b(kMss, group);
  bring(a, 20, 50ms);
  bring(b, 20, 50ms);
  const std::uint64_t growth = growth_of_a_window(a, 50ms);
  CHECK(growth > 200);
  CHECK(growth < 350);
}

TEST_CASE("the slower path of balia falls by up to three quarters") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member fast{.window = 400'000, .rtt = 50ms};
  Balia slow(kMss, group);
  bring(slow, 20, 50ms);
  group->join(fast);
  const std::uint64_t before = slow.cwnd();
  slow.on_congestion({.in_flight = before});
  CHECK(slow.cwnd() == before / 4);
  group->leave(fast);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
