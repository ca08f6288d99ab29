#include "stack/cc/queue_guard.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>

namespace braid::cc {
namespace {

using Advice = QueueGuard::Advice;
constexpr Duration kBase = 20ms;
constexpr std::uint32_t kMss = 1000;
constexpr auto kAvoidance = QueueGuard::Phase::kAvoidance;

struct Rounds {
  QueueGuard guard;
  Instant now = Instant() + 1s;
  bool window_used = true;
  std::uint64_t window = 200 * kMss;

  // One round trip of ten ACKs; what the guard said in it, which is at its start, of the one
  // before.
  Advice round(Duration queue, Duration wavering = 0ms) {
    Advice advice = Advice::kNothing;
    for (int i = 0; i < 10; ++i) {
      now += 2ms;
      const Advice said = guard.on_ack({.now = now,
                                        .in_flight = window,
                                        .srtt = kBase + queue,
                                        .min_rtt = kBase,
                                        .latest_rtt = kBase + queue + (i % 2 == 0 ? 0ms : wavering),
                                        .round_ended = i == 0,
                                        .cwnd_limited = window_used},
                                       kAvoidance, window, kMss);
      if (said != Advice::kNothing) advice = said;
    }
    return advice;
  }
  // The queue is found, and stays as long as this after the cut: the word on that.
  Advice cut(Duration left) {
    Advice last = Advice::kNothing;
    for (int i = 0; i < 4 && last == Advice::kNothing; ++i) last = round(40ms);
    CHECK(last == Advice::kCut);
    last = Advice::kNothing;
    for (int i = 0; i < 4 && last == Advice::kNothing; ++i) last = round(left);
    return last;
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE(
    "a whole round above the target is a queue, and says what share of the window is enough") {
  Rounds rounds;
  CHECK(rounds.round(0ms) == Advice::kNothing);
  CHECK(rounds.round(30ms) == Advice::kNothing);
  CHECK(rounds.round(30ms) == Advice::kCut);
  const double left = 20 + to_seconds(QueueGuard::kTarget) * 1e3 / QueueGuard::kLeftPart;
  CHECK(rounds.guard.share_to_keep() == doctest::Approx(left / 50));
}

TEST_CASE("a delay that wavers, a short queue and an idle window are no queue of ours") {
  Rounds rounds;
  SUBCASE("wavering: now and then a packet waits for nothing") {
    for (int i = 0; i < 20; ++i) CHECK(rounds.round(5ms, 50ms) == Advice::kNothing);
  }
  SUBCASE("short") {
    for (int i = 0; i < 20; ++i) CHECK(rounds.round(QueueGuard::kTarget) == Advice::kNothing);
  }
  SUBCASE("idle") {
    rounds.window_used = false;
    for (int i = 0; i < 20; ++i) CHECK(rounds.round(40ms) == Advice::kNothing);
  }
}

TEST_CASE("few segments are never a queue, however slow the path is") {
  QueueGuard guard;
  Instant now = Instant() + 1s;
  for (int i = 0; i < 20; ++i) {
    now += 20ms;
    const Ack ack{.now = now,
                  .in_flight = 10 * kMss,
                  .srtt = 60ms,
                  .min_rtt = kBase,
                  .latest_rtt = 60ms,
                  .round_ended = true,
                  .cwnd_limited = true};
    CHECK(guard.on_ack(ack, kAvoidance, 10 * kMss, kMss) == Advice::kNothing);
  }
}

TEST_CASE("few segments of each of many flows are a queue") {
  const auto trials = std::make_shared<QueueTrials>();
  QueueTrials::Flow others;
  trials->update(others, {.in_flight = 90 * kMss, .ready = QueueTrials::Flow::Ready::kYes});
  QueueGuard guard;
  guard.join_path(trials);
  Instant now = Instant() + 1s;
  Advice last = Advice::kNothing;
  for (int i = 0; i < 3 && last == Advice::kNothing; ++i) {
    now += 20ms;
    last = guard.on_ack({.now = now,
                         .in_flight = 10 * kMss,
                         .srtt = 60ms,
                         .min_rtt = kBase,
                         .latest_rtt = 60ms,
                         .round_ended = true,
                         .cwnd_limited = true},
                        kAvoidance, 10 * kMss, kMss);
  }
  CHECK(last == Advice::kCut);
  trials->update(others, {});
}

TEST_CASE("a queue that is gone after the cut was ours, and the next is found as fast") {
  Rounds rounds;
  for (int i = 0; i < 3; ++i) {
    CHECK(rounds.cut(2ms) == Advice::kNothing);
    CHECK_FALSE(rounds.guard.resting(rounds.now));
  }
}

TEST_CASE(
    "a whole round without any queue is enough: what comes after it is another queue of ours") {
  Rounds rounds;
  rounds.round(40ms);
  REQUIRE(rounds.round(40ms) == Advice::kCut);
  REQUIRE(rounds.guard.cutting());
  CHECK(rounds.round(0ms) == Advice::kNothing);
  CHECK(rounds.guard.cutting());
  CHECK(rounds.round(40ms) == Advice::kNothing);
  CHECK_FALSE(rounds.guard.cutting());
  CHECK(rounds.round(40ms) == Advice::kCut);
}

TEST_CASE(
    "a window that has grown since the queue was made leaves more of it, and it was ours "
    "nevertheless") {
  for (const bool grown : {false, true}) {
    CAPTURE(grown);
    Rounds rounds;
    rounds.round(0ms);
    rounds.round(0ms);
    if (grown) rounds.window = 250 * kMss;
    rounds.round(40ms);
    REQUIRE(rounds.round(40ms) == Advice::kCut);
    for (int i = 0; i < 2; ++i) CHECK(rounds.round(10ms) == Advice::kNothing);
    CHECK(rounds.round(10ms) == (grown ? Advice::kNothing : Advice::kTakeBack));
  }
}

TEST_CASE(
    "a queue that still stands after the cut is not ours: the guard rests, longer each time") {
  Rounds rounds;
  Duration rest = QueueTrials::kLeastRest;
  for (int i = 0; i < 6; ++i) {
    CHECK(rounds.cut(35ms) == Advice::kTakeBack);
    CHECK(rounds.guard.resting(rounds.now + rest - 100ms));
    CHECK_FALSE(rounds.guard.resting(rounds.now + rest));
    rounds.now += rest;
    rest = std::min(2 * rest, QueueTrials::kLongestRest);
  }
  rounds.now += rest;
  CHECK(rounds.cut(0ms) == Advice::kNothing);
  CHECK(rounds.cut(35ms) == Advice::kTakeBack);
  CHECK_FALSE(rounds.guard.resting(rounds.now + QueueTrials::kLeastRest));
}

TEST_CASE("the cut window of before a rest says nothing of a growth after it") {
  Rounds rounds;
  rounds.round(40ms);
  REQUIRE(rounds.round(40ms) == Advice::kCut);
  rounds.window /= 2;
  while (rounds.round(20ms) != Advice::kTakeBack) REQUIRE(rounds.guard.cutting());
  rounds.window *= 2;
  rounds.now += QueueTrials::kLeastRest;
  CHECK(rounds.cut(20ms) == Advice::kTakeBack);
}

// Two flows of one path, a round trip of ten ACKs each, by turns.
struct Siblings {
  struct Flow {
    QueueGuard guard;
    QueueGuard::Phase phase = kAvoidance;
    Advice said = Advice::kNothing;  // last in this round
    int place = 0;                   // of ten in its round
    Duration least = kBase;          // it has ever seen
    std::uint64_t window = 200 * kMss;
  };
  std::shared_ptr<QueueTrials> trials = std::make_shared<QueueTrials>();
  Flow first, second;
  Instant now = Instant() + 1s;

  Siblings() {
    first.guard.join_path(trials);
    second.guard.join_path(trials);
    second.place = 5;
  }
  void ack(Flow& flow, Duration queue) {
    const Advice said = flow.guard.on_ack({.now = now,
                                           .in_flight = flow.window,
                                           .srtt = kBase + queue,
                                           .min_rtt = flow.least,
                                           .latest_rtt = kBase + queue,
                                           .round_ended = flow.place == 0,
                                           .cwnd_limited = true},
                                          flow.phase, flow.window, kMss);
    flow.place = (flow.place + 1) % 10;
    if (said != Advice::kNothing) flow.said = said;
  }
  // Both until one of them says something, twenty round trips at most; so many ACKs of both after
  // it.
  void run(Duration queue, int after, std::optional<Duration> second_queue = std::nullopt) {
    first.said = second.said = Advice::kNothing;
    const auto quiet = [this] {
      return first.said == Advice::kNothing && second.said == Advice::kNothing;
    };
    for (int i = 0; i < 200 && (quiet() || after-- > 0); ++i) {
      now += 2ms;
      ack(first, queue);
      ack(second, second_queue.value_or(queue));
    }
  }
};

TEST_CASE("the flows of a path cut together, and find together whose the queue was") {
  Siblings two;
  two.run(40ms, 1);
  CHECK(two.first.said == Advice::kCut);
  CHECK(two.second.said == Advice::kCut);
  CHECK(two.trials->begun() == 1);
  SUBCASE("gone: both were right") {
    two.run(2ms, 0);
    CHECK_FALSE(two.first.guard.cutting());
    CHECK_FALSE(two.second.guard.cutting());
    CHECK_FALSE(two.trials->resting(two.now));
  }
  SUBCASE("still there: both take it back, and rest as long") {
    two.run(35ms, 1);
    // The last may cut a round trip later.
    CHECK(two.trials->running(two.now) >= 3 * (kBase + 40ms));
    CHECK(two.first.said == Advice::kTakeBack);
    CHECK(two.second.said == Advice::kTakeBack);
    CHECK(two.trials->resting(two.now + QueueTrials::kLeastRest - 100ms));
    CHECK_FALSE(two.trials->resting(two.now + QueueTrials::kLeastRest));
  }
}

TEST_CASE("who began while the queue stood cuts as much as the others") {
  Siblings two;
  two.second.least = 55ms;
  two.run(40ms, 1);
  CHECK(two.first.said == Advice::kCut);
  CHECK(two.second.said == Advice::kCut);
  CHECK(two.second.guard.share_to_keep() == two.first.guard.share_to_keep());
}

TEST_CASE("where one flow of a path sees no queue there is none") {
  Siblings two;
  two.run(40ms, 0, 1ms);
  CHECK(two.first.said == Advice::kNothing);
  CHECK(two.second.said == Advice::kNothing);
}

TEST_CASE("nobody cuts while another flow of the path could not join") {
  Siblings two;
  SUBCASE("in slow start") {
    two.second.phase = QueueGuard::Phase::kOther;
    two.run(40ms, 0);
    CHECK(two.first.said == Advice::kNothing);
    two.second.phase = kAvoidance;
  }
  SUBCASE("after a loss") { two.second.guard.disturbed(); }
  two.run(40ms, 1);
  CHECK(two.first.said == Advice::kCut);
  CHECK(two.second.said == Advice::kCut);
}

TEST_CASE("half of what would begin a trial is enough to join one") {
  for (const bool half : {false, true}) {
    CAPTURE(half);
    const Duration queue = QueueGuard::kTarget / 2 + (half ? 1ms : -1ms);
    Siblings two;
    two.run(queue, 0);
    REQUIRE(two.trials->begun() == 0);
    two.trials->begin(two.now);
    two.run(queue, 1);
    CHECK(two.first.said == (half ? Advice::kCut : Advice::kNothing));
    CHECK(two.second.said == (half ? Advice::kCut : Advice::kNothing));
  }
}

TEST_CASE("nobody joins a trial that began a round trip ago") {
  Siblings two;
  QueueTrials::Flow third;
  two.trials->update(third, {.in_flight = 400 * kMss});  // in slow start: no new one may begin
  two.trials->begin(two.now);
  two.now += 100ms;
  two.run(40ms, 0);
  CHECK(two.first.said == Advice::kNothing);
  CHECK(two.second.said == Advice::kNothing);
  two.trials->update(third, {});
}

TEST_CASE("who is in a trial that a newer one has overtaken leaves it, and nobody rests") {
  Siblings two;
  two.run(40ms, 1);
  REQUIRE(two.first.said == Advice::kCut);
  REQUIRE(two.second.said == Advice::kCut);
  two.trials->begin(two.now);
  two.run(35ms, 0);
  CHECK((two.first.said == Advice::kTakeBack || two.second.said == Advice::kTakeBack));
  CHECK(two.trials->running(two.now) < 3 * (kBase + 40ms));  // a trial of its own takes as long
  CHECK_FALSE(two.trials->resting(two.now));
}

TEST_CASE("who has ended is not in flight any more") {
  const auto trials = std::make_shared<QueueTrials>();
  {
    Rounds rounds;
    rounds.guard.join_path(trials);
    rounds.round(0ms);
    CHECK(trials->in_flight() == rounds.window);
  }
  CHECK(trials->in_flight() == 0);
}

TEST_CASE(
    "a trial that a flow was no part of tells nothing: the cut is taken back, and nobody rests") {
  Siblings two;
  QueueTrials::Flow third;
  two.trials->update(third, {.in_flight = 130 * kMss});  // in slow start
  two.run(40ms, 1);
  REQUIRE(two.first.said == Advice::kCut);
  REQUIRE(two.second.said == Advice::kCut);
  two.run(16ms, 0);
  const bool taken_back =
      two.first.said == Advice::kTakeBack || two.second.said == Advice::kTakeBack;
  CHECK(taken_back);
  CHECK_FALSE(two.trials->resting(two.now));
  // Nor does the next begin before round trips are those of the window that is back.
  const Instant back = two.now;
  const std::uint32_t begun = two.trials->begun();
  for (int i = 0; i < 100 && two.trials->begun() == begun; ++i) two.run(16ms, 0);
  CHECK(two.trials->begun() == begun + 1);
  CHECK(two.now - back >= 60ms);
  two.trials->update(third, {});
}

TEST_CASE("after a loss a flow does not join a trial") {
  for (const bool lost : {false, true}) {
    CAPTURE(lost);
    Siblings two;
    two.second.window = 50 * kMss;  // few enough for the other to begin without it
    if (lost) two.second.guard.disturbed();
    two.run(40ms, 1);
    CHECK(two.first.said == Advice::kCut);
    CHECK(two.second.said == (lost ? Advice::kNothing : Advice::kCut));
  }
}

TEST_CASE("after a loss the guard does not judge its own cut") {
  Rounds rounds;
  rounds.round(40ms);
  REQUIRE(rounds.round(40ms) == Advice::kCut);
  rounds.guard.disturbed();
  for (int i = 0; i < 3; ++i) CHECK(rounds.round(35ms) != Advice::kTakeBack);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
