#include "stack/cc/cubic.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

constexpr std::uint32_t kMss = 1000;

struct Run {
  Cubic cubic{kMss};
  Instant now{};

  void round(Duration rtt, bool limited = true) {
    now += rtt;
    const std::uint64_t window = cubic.cwnd();
    for (std::uint64_t done = 0; done < window; done += 2 * kMss) {
      cubic.on_ack({.now = now,
                    .newly_delivered = 2 * kMss,
                    .srtt = rtt,
                    .min_rtt = rtt,
                    .cwnd_limited = limited});
    }
  }
  void grow_to(std::uint64_t bytes) {
    while (cubic.cwnd() < bytes) {
      cubic.on_ack({.now = now, .newly_delivered = kMss, .srtt = 100ms, .cwnd_limited = true});
    }
  }
  void lose() { cubic.on_congestion({.now = now, .in_flight = cubic.cwnd(), .srtt = 100ms}); }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE("cubic falls to seven tenths of its window") {
  Run run;
  run.grow_to(1000 * kMss);
  run.lose();
  CHECK(run.cubic.cwnd() == 700 * kMss);
}

TEST_CASE("cubic is back at its old window after K seconds, and flat around it") {
  Run run;
  run.grow_to(1000 * kMss);
  run.lose();
  // K = cbrt((1000 - 700) / 0.4) = 9.09 s (RFC 9438 4.2)
  for (int i = 0; i < 45; ++i) run.round(100ms);
  CHECK(run.cubic.cwnd() > 900 * kMss);
  CHECK(run.cubic.cwnd() < 980 * kMss);
  for (int i = 0; i < 45; ++i) run.round(100ms);
  CHECK(run.cubic.cwnd() > 985 * kMss);
  CHECK(run.cubic.cwnd() < 1015 * kMss);
  for (int i = 0; i < 60; ++i) run.round(100ms);  // beyond it, it probes upwards faster and faster
  CHECK(run.cubic.cwnd() > 1050 * kMss);
}

TEST_CASE("the growth follows the clock: two RTTs, one window after the same time") {
  Run slow;
  Run fast;
  slow.grow_to(1000 * kMss);
  fast.grow_to(1000 * kMss);
  slow.lose();
  fast.lose();
  for (int i = 0; i < 30; ++i) slow.round(200ms);
  for (int i = 0; i < 60; ++i) fast.round(100ms);
  const double ratio =
      static_cast<double>(slow.cubic.cwnd()) / static_cast<double>(fast.cubic.cwnd());
  CHECK(ratio > 0.97);
  CHECK(ratio < 1.03);
}

TEST_CASE("on a short path cubic is no slower than Reno") {
  Run run;
  run.grow_to(20 * kMss);
  run.lose();
  const std::uint64_t start = run.cubic.cwnd();
  for (int i = 0; i < 20; ++i) run.round(5ms);
  // 0.529 segments per round until the loss is made up, one after that: at least 20 * 0.5.
  CHECK(run.cubic.cwnd() > start + 9 * kMss);
}

TEST_CASE("a second loss below the old maximum gives up part of it (fast convergence)") {
  Run once;
  once.grow_to(1000 * kMss);
  once.lose();
  Run twice = once;
  twice.lose();
  REQUIRE(twice.cubic.cwnd() == 490 * kMss);
  // Its plateau is 700 * 0.85 = 595 and not 700.
  for (int i = 0; i < 60; ++i) twice.round(100ms);
  CHECK(twice.cubic.cwnd() > 570 * kMss);
  CHECK(twice.cubic.cwnd() < 620 * kMss);
}

TEST_CASE("time in which the application was the limit does not count") {
  Run busy;
  busy.grow_to(1000 * kMss);
  busy.lose();
  busy.round(100ms);
  Run paused = busy;
  for (int i = 0; i < 100; ++i) paused.round(100ms, false);
  CHECK(paused.cubic.cwnd() == busy.cubic.cwnd());
  busy.round(100ms);
  paused.round(100ms);
  CHECK(paused.cubic.cwnd() < busy.cubic.cwnd() + kMss);
}

TEST_CASE("after a timeout growth starts from the window slow start ended with") {
  Run run;
  run.grow_to(100 * kMss);
  run.cubic.on_timeout({.now = run.now, .in_flight = run.cubic.cwnd(), .srtt = 100ms});
  CHECK(run.cubic.ssthresh() == 70 * kMss);
  run.grow_to(70 * kMss);
  const std::uint64_t start = run.cubic.cwnd();
  for (int i = 0; i < 10; ++i) run.round(100ms);  // K = 0: one second of 0.4 * t^3, or Reno's pace
  CHECK(run.cubic.cwnd() >= start + 5 * kMss);
  CHECK(run.cubic.cwnd() <= start + 15 * kMss);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
