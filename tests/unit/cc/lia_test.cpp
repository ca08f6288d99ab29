#include "stack/cc/lia.h"

#include <doctest/doctest.h>

#include <memory>

#include "stack/cc/reno.h"

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

// A window's worth of ACKs of one segment each; returns the growth.
std::uint64_t window_of_acks(Controller& c, Duration rtt) {
  const std::uint64_t before = c.cwnd();
  for (std::uint64_t done = 0; done < before; done += kMss) c.on_ack(limited(kMss, rtt));
  return c.cwnd() - before;
}

TEST_SUITE_BEGIN("cc");

TEST_CASE("alone, lia grows as Reno does") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  Lia lia(kMss, group);
  Reno reno(kMss);
  lia.on_congestion({.in_flight = 10000});
  reno.on_congestion({.in_flight = 10000});
  REQUIRE(lia.cwnd() == reno.cwnd());
  for (int i = 0; i < 10; ++i) window_of_acks(lia, 20ms);
  for (int i = 0; i < 10; ++i) window_of_acks(reno, 20ms);
  CHECK(lia.cwnd() > reno.cwnd() - kMss * 3 / 2);
  CHECK(lia.cwnd() < reno.cwnd() + kMss * 3 / 2);
}

TEST_CASE("two equal subflows together grow as one TCP does") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  Lia a(kMss, group);
  Lia b(kMss, group);
  for (Lia* lia : {&a, &b}) {
    for (int i = 0; i < 10; ++i) lia->on_ack(limited(kMss, 20ms));  // slow start to 20 segments
    lia->on_congestion({.in_flight = 20000});
    REQUIRE(lia->cwnd() == 10 * kMss);
    lia->on_ack(limited(1, 20ms));
  }
  // alpha = 20 * (10/rtt^2) / (20/rtt)^2 = 1/2: each may add a quarter of a segment per window.
  CHECK(group->alpha() == doctest::Approx(0.5).epsilon(0.01));
  const std::uint64_t growth = window_of_acks(a, 20ms) + window_of_acks(b, 20ms);
  CHECK(growth > kMss * 4 / 10);
  CHECK(growth < kMss * 6 / 10);
}

TEST_CASE("alpha follows RFC 6356 section 4 for unequal paths") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member fast{.window = 40000, .rtt = 10ms};
  CoupledGroup::Member slow{.window = 20000, .rtt = 100ms};
  group->join(fast);
  group->join(slow);
  // 60000 * (40000 / 0.01^2) / (40000/0.01 + 20000/0.1)^2
  CHECK(group->alpha() == doctest::Approx(60000.0 * 4e8 / (4.2e6 * 4.2e6)));
  CHECK(group->total_window() == 60000);
  fast.window = 1;
  CHECK(group->alpha() == doctest::Approx(60000.0 * 4e8 / (4.2e6 * 4.2e6)));  // nothing was told
  group->changed();
  CHECK(group->alpha() != doctest::Approx(60000.0 * 4e8 / (4.2e6 * 4.2e6)));
  group->leave(slow);
  CHECK(group->alpha() == doctest::Approx(1.0));
  group->leave(fast);
}

TEST_CASE("a subflow without an RTT does not count yet") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member known{.window = 10000, .rtt = 10ms};
  CoupledGroup::Member fresh{.window = 10000};
  group->join(known);
  group->join(fresh);
  CHECK(group->alpha() == doctest::Approx(1.0));
  CHECK(group->total_window() == 10000);
  group->leave(fresh);
  group->leave(known);
}

TEST_CASE("no subflow grows faster than Reno would on its path, however large alpha is") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member other{.window = 1000, .rtt = 1s};
  group->join(other);
  Lia lia(kMss, group);
  lia.on_congestion({.in_flight = 10000});
  CHECK(window_of_acks(lia, 10ms) <= kMss);
  group->leave(other);
}

TEST_CASE("growth of less than a byte is kept until it makes one") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledGroup::Member other{.window = 1'000'000, .rtt = 10ms};
  group->join(other);
  Lia lia(kMss, group);
  lia.on_congestion({.in_flight = 10000});
  const std::uint64_t before = lia.cwnd();
  lia.on_ack(limited(10, 10ms));  // a hundredth of a byte
  CHECK(lia.cwnd() == before);
  for (int i = 0; i < 500; ++i) lia.on_ack(limited(10, 10ms));
  CHECK(lia.cwnd() > before + 2);
  CHECK(lia.cwnd() < before + 8);
  group->leave(other);
}

TEST_CASE("a subflow that is gone has left its group") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  auto lia = std::make_unique<Lia>(kMss, group);
  CHECK(group->size() == 1);
  lia.reset();
  CHECK(group->size() == 0);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
