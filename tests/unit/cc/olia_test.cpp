#include "stack/cc/olia.h"

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

// A window of `segments`, past slow start, with `loss_run` bytes delivered since the last loss.
void bring(Olia& olia, std::uint64_t segments, Duration rtt) {
  while (olia.cwnd() < 2 * segments * kMss) olia.on_ack(limited(kMss, rtt));
  olia.on_congestion({.in_flight = 2 * segments * kMss});
  olia.on_ack(limited(1, rtt));
}
std::int64_t growth_of_a_window(Olia& olia, Duration rtt) {
  const auto before = static_cast<std::int64_t>(olia.cwnd());
  for (std::int64_t done = 0; done < before; done += kMss) olia.on_ack(limited(kMss, rtt));
  return static_cast<std::int64_t>(olia.cwnd()) - before;
}

TEST_SUITE_BEGIN("cc");

TEST_CASE("alone, olia grows by one segment in a round trip, as Reno does") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  Olia olia(kMss, group);
  bring(olia, 20, 50ms);
  const std::int64_t growth = growth_of_a_window(olia, 50ms);
  CHECK(growth > 900);
  CHECK(growth < 1100);
}

TEST_CASE("two equal subflows of olia grow by a quarter of a segment each") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  Olia a(kMss, group);
  Olia b(kMss, group);
  while (a.cwnd() < 40 * kMss) {
    for (Olia* olia : {&a, &b}) olia->on_ack(limited(kMss, 50ms));
  }
  for (Olia* olia : {&a, &b}) olia->on_congestion({.in_flight = 40 * kMss});
  // (w / rtt^2) / (2 w / rtt)^2 = 1 / (4 w) per byte; what is moved from one to the other, since
  // their windows are never quite the same, is not gained by both.
  const std::uint64_t before = a.cwnd() + b.cwnd();
  for (std::uint64_t done = 0; done < before / 2; done += kMss) {
    for (Olia* olia : {&a, &b}) olia->on_ack(limited(kMss, 50ms));
  }
  CHECK(a.cwnd() + b.cwnd() > before + 350);
  CHECK(a.cwnd() + b.cwnd() < before + 650);
}

TEST_CASE(
    "a path that loses less and has the smaller window is given what the larger one gives up") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member good{.window = 10'000, .rtt = 50ms, .loss_run = 10'000'000};
  Olia large(kMss, group);
  bring(large, 40, 50ms);
  const std::int64_t even = growth_of_a_window(large, 50ms);
  group->join(good);
  // alpha = -1 / (2 paths * 1): half a segment less per round trip than the first term gives.
  const std::int64_t giving = growth_of_a_window(large, 50ms);
  CHECK(giving < even - 400);
  group->leave(good);
}

TEST_CASE("the good path with the small window grows by half a segment more") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member large{.window = 400'000, .rtt = 50ms, .loss_run = 1'000};
  Olia good(kMss, group);
  bring(good, 10, 50ms);
  group->join(large);
  const std::int64_t growth = growth_of_a_window(good, 50ms);
  CHECK(growth > 400);
  CHECK(growth < 700);
  group->leave(large);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
