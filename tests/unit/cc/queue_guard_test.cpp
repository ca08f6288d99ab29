#include "stack/cc/queue_guard.h"

#include <doctest/doctest.h>

#include <vector>

namespace braid::cc {
namespace {

using Finding = QueueGuard::Finding;
constexpr Duration kBase = 20ms;
constexpr std::uint32_t kMss = 1000;

struct Rounds {
  QueueGuard guard;
  Instant now = Instant() + 1s;
  bool window_used = true;
  std::uint64_t window = 200 * kMss;

  // One round trip of ten ACKs; what the guard said in it, which is at its start, of the one before.
  Finding round(Duration queue, Duration wavering = 0ms) {
    Finding finding = Finding::kNothing;
    for (int i = 0; i < 10; ++i) {
      now += 2ms;
      const Finding said = guard.on_ack({.now = now,
                                         .srtt = kBase + queue,
                                         .min_rtt = kBase,
                                         .latest_rtt = kBase + queue + (i % 2 == 0 ? 0ms : wavering),
                                         .round_ended = i == 0,
                                         .cwnd_limited = window_used},
                                        window, kMss);
      if (said != Finding::kNothing) finding = said;
    }
    return finding;
  }
  // The queue is found, and stays as long as this after the cut: the word on that.
  Finding cut(Duration left) {
    Finding last = Finding::kNothing;
    for (int i = 0; i < 4 && last == Finding::kNothing; ++i) last = round(40ms);
    CHECK(last == Finding::kQueue);
    last = Finding::kNothing;
    for (int i = 0; i < 4 && last == Finding::kNothing; ++i) last = round(left);
    return last;
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE("a whole round above the target is a queue, and says what share of the window is enough") {
  Rounds rounds;
  CHECK(rounds.round(0ms) == Finding::kNothing);
  CHECK(rounds.round(30ms) == Finding::kNothing);
  CHECK(rounds.round(30ms) == Finding::kQueue);
  const double left = 20 + to_seconds(QueueGuard::kTarget) * 1e3 / QueueGuard::kLeftPart;
  CHECK(rounds.guard.share_to_keep() == doctest::Approx(left / 50));
}

TEST_CASE("a delay that wavers, a short queue and an idle window are no queue of ours") {
  Rounds rounds;
  SUBCASE("wavering: now and then a packet waits for nothing") {
    for (int i = 0; i < 20; ++i) CHECK(rounds.round(5ms, 50ms) == Finding::kNothing);
  }
  SUBCASE("short") {
    for (int i = 0; i < 20; ++i) CHECK(rounds.round(QueueGuard::kTarget) == Finding::kNothing);
  }
  SUBCASE("idle") {
    rounds.window_used = false;
    for (int i = 0; i < 20; ++i) CHECK(rounds.round(40ms) == Finding::kNothing);
  }
}

TEST_CASE("few segments are never a queue, however slow the path is") {
  QueueGuard guard;
  Instant now = Instant() + 1s;
  for (int i = 0; i < 20; ++i) {
    now += 20ms;
    const Ack ack{.now = now,
                  .srtt = 60ms,
                  .min_rtt = kBase,
                  .latest_rtt = 60ms,
                  .round_ended = true,
                  .cwnd_limited = true};
    CHECK(guard.on_ack(ack, 10 * kMss, kMss) == Finding::kNothing);
  }
}

TEST_CASE("a queue that is gone after the cut was ours, and the next is found as fast") {
  Rounds rounds;
  for (int i = 0; i < 3; ++i) {
    CHECK(rounds.cut(2ms) == Finding::kNothing);
    CHECK_FALSE(rounds.guard.resting(rounds.now));
  }
}

TEST_CASE("a whole round without any queue is enough: what comes after it is another queue of ours") {
  Rounds rounds;
  rounds.round(40ms);
  REQUIRE(rounds.round(40ms) == Finding::kQueue);
  REQUIRE(rounds.guard.cutting());
  CHECK(rounds.round(0ms) == Finding::kNothing);
  CHECK(rounds.guard.cutting());
  CHECK(rounds.round(40ms) == Finding::kNothing);
  CHECK_FALSE(rounds.guard.cutting());
  CHECK(rounds.round(40ms) == Finding::kQueue);
}

TEST_CASE("a window that has grown since the queue was made leaves more of it, and it was ours nevertheless") {
  for (const bool grown : {false, true}) {
    CAPTURE(grown);
    Rounds rounds;
    rounds.round(0ms);
    rounds.round(0ms);
    if (grown) rounds.window = 250 * kMss;
    rounds.round(40ms);
    REQUIRE(rounds.round(40ms) == Finding::kQueue);
    for (int i = 0; i < 2; ++i) CHECK(rounds.round(10ms) == Finding::kNothing);
    CHECK(rounds.round(10ms) == (grown ? Finding::kNothing : Finding::kNotOurs));
  }
}

TEST_CASE("a queue that still stands after the cut is not ours: the guard rests, longer each time") {
  Rounds rounds;
  Duration rest = QueueGuard::kLeastRest;
  for (int i = 0; i < 6; ++i) {
    CHECK(rounds.cut(35ms) == Finding::kNotOurs);
    CHECK(rounds.guard.resting(rounds.now + rest - 100ms));
    CHECK_FALSE(rounds.guard.resting(rounds.now + rest));
    rounds.now += rest;
    rest = std::min(2 * rest, QueueGuard::kLongestRest);
  }
  CHECK(rounds.cut(0ms) == Finding::kNothing);
  CHECK(rounds.cut(35ms) == Finding::kNotOurs);
  CHECK_FALSE(rounds.guard.resting(rounds.now + QueueGuard::kLeastRest));
}

TEST_CASE("after a loss the guard does not judge its own cut") {
  Rounds rounds;
  rounds.round(40ms);
  REQUIRE(rounds.round(40ms) == Finding::kQueue);
  rounds.guard.disturbed();
  for (int i = 0; i < 3; ++i) CHECK(rounds.round(35ms) != Finding::kNotOurs);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
