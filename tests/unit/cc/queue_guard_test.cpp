#include "stack/cc/queue_guard.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>

namespace braid::cc {
namespace {

using Finding = QueueGuard::Finding;
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
  Finding round(Duration queue, Duration wavering = 0ms) {
    Finding finding = Finding::kNothing;
    for (int i = 0; i < 10; ++i) {
      now += 2ms;
      const Finding said =
          guard.on_ack({.now = now,
                        .in_flight = window,
                        .srtt = kBase + queue,
                        .min_rtt = kBase,
                        .latest_rtt = kBase + queue + (i % 2 == 0 ? 0ms : wavering),
                        .round_ended = i == 0,
                        .cwnd_limited = window_used},
                       kAvoidance, window, kMss);
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

TEST_CASE(
    "a whole round above the target is a queue, and says what share of the window is enough") {
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
                  .in_flight = 10 * kMss,
                  .srtt = 60ms,
                  .min_rtt = kBase,
                  .latest_rtt = 60ms,
                  .round_ended = true,
                  .cwnd_limited = true};
    CHECK(guard.on_ack(ack, kAvoidance, 10 * kMss, kMss) == Finding::kNothing);
  }
}

TEST_CASE("few segments of each of many flows are a queue") {
  const auto trials = std::make_shared<QueueTrials>();
  QueueTrials::Flow others;
  trials->update(others, {.in_flight = 90 * kMss, .ready = QueueTrials::Flow::Ready::kYes});
  QueueGuard guard;
  guard.join_path(trials);
  Instant now = Instant() + 1s;
  Finding last = Finding::kNothing;
  for (int i = 0; i < 3 && last == Finding::kNothing; ++i) {
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
  CHECK(last == Finding::kQueue);
  trials->update(others, {});
}

TEST_CASE("a queue that is gone after the cut was ours, and the next is found as fast") {
  Rounds rounds;
  for (int i = 0; i < 3; ++i) {
    CHECK(rounds.cut(2ms) == Finding::kNothing);
    CHECK_FALSE(rounds.guard.resting(rounds.now));
  }
}

TEST_CASE(
    "a whole round without any queue is enough: what comes after it is another queue of ours") {
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
    REQUIRE(rounds.round(40ms) == Finding::kQueue);
    for (int i = 0; i < 2; ++i) CHECK(rounds.round(10ms) == Finding::kNothing);
    CHECK(rounds.round(10ms) == (grown ? Finding::kNothing : Finding::kNotOurs));
  }
}

TEST_CASE(
    "a queue that still stands after the cut is not ours: the guard rests, longer each time") {
  Rounds rounds;
  Duration rest = QueueTrials::kLeastRest;
  for (int i = 0; i < 6; ++i) {
    CHECK(rounds.cut(35ms) == Finding::kNotOurs);
    CHECK(rounds.guard.resting(rounds.now + rest - 100ms));
    CHECK_FALSE(rounds.guard.resting(rounds.now + rest));
    rounds.now += rest;
    rest = std::min(2 * rest, QueueTrials::kLongestRest);
  }
  rounds.now += rest;
  CHECK(rounds.cut(0ms) == Finding::kNothing);
  CHECK(rounds.cut(35ms) == Finding::kNotOurs);
  CHECK_FALSE(rounds.guard.resting(rounds.now + QueueTrials::kLeastRest));
}

// Two flows of one path, a round trip of ten ACKs each, by turns.
struct Siblings {
  struct Flow {
    QueueGuard guard;
    QueueGuard::Phase phase = kAvoidance;
    Finding said = Finding::kNothing;  // last in this round
    int place = 0;                     // of ten in its round
    Duration least = kBase;            // it has ever seen
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
    const Finding said = flow.guard.on_ack({.now = now,
                                            .in_flight = 200 * kMss,
                                            .srtt = kBase + queue,
                                            .min_rtt = flow.least,
                                            .latest_rtt = kBase + queue,
                                            .round_ended = flow.place == 0,
                                            .cwnd_limited = true},
                                           flow.phase, 200 * kMss, kMss);
    flow.place = (flow.place + 1) % 10;
    if (said != Finding::kNothing) flow.said = said;
  }
  // Both until one of them says something, twenty round trips at most; so many ACKs of both after
  // it.
  void run(Duration queue, int after, std::optional<Duration> second_queue = std::nullopt) {
    first.said = second.said = Finding::kNothing;
    const auto quiet = [this] {
      return first.said == Finding::kNothing && second.said == Finding::kNothing;
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
  CHECK(two.first.said == Finding::kQueue);
  CHECK(two.second.said == Finding::kQueue);
  CHECK(two.trials->begun() == 1);
  SUBCASE("gone: both were right") {
    two.run(2ms, 0);
    CHECK_FALSE(two.first.guard.cutting());
    CHECK_FALSE(two.second.guard.cutting());
    CHECK_FALSE(two.trials->resting(two.now));
  }
  SUBCASE("still there: both take it back, and rest as long") {
    two.run(35ms, 1);
    CHECK(two.trials->running(two.now) >=
          3 * (kBase + 40ms));  // the last may cut a round trip later
    CHECK(two.first.said == Finding::kNotOurs);
    CHECK(two.second.said == Finding::kNotOurs);
    CHECK(two.trials->resting(two.now + QueueTrials::kLeastRest - 100ms));
    CHECK_FALSE(two.trials->resting(two.now + QueueTrials::kLeastRest));
  }
}

TEST_CASE("who began while the queue stood cuts as much as the others") {
  Siblings two;
  two.second.least = 55ms;
  two.run(40ms, 1);
  CHECK(two.first.said == Finding::kQueue);
  CHECK(two.second.said == Finding::kQueue);
  CHECK(two.second.guard.share_to_keep() == two.first.guard.share_to_keep());
}

TEST_CASE("where one flow of a path sees no queue there is none") {
  Siblings two;
  two.run(40ms, 0, 1ms);
  CHECK(two.first.said == Finding::kNothing);
  CHECK(two.second.said == Finding::kNothing);
}

TEST_CASE("nobody cuts while another flow of the path is in slow start") {
  Siblings two;
  two.second.phase = QueueGuard::Phase::kOther;
  two.run(40ms, 0);
  CHECK(two.first.said == Finding::kNothing);
  two.second.phase = kAvoidance;
  two.run(40ms, 1);
  CHECK(two.first.said == Finding::kQueue);
}

TEST_CASE(
    "a trial that a flow was no part of tells nothing: the cut is taken back, and nobody rests") {
  Siblings two;
  QueueTrials::Flow third;
  two.trials->update(third, {.in_flight = 130 * kMss});  // in slow start
  two.run(40ms, 1);
  REQUIRE(two.first.said == Finding::kQueue);
  REQUIRE(two.second.said == Finding::kQueue);
  two.run(16ms, 0);
  const bool taken_back =
      two.first.said == Finding::kNotOurs || two.second.said == Finding::kNotOurs;
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

TEST_CASE("after a loss a flow neither joins a trial nor judges it") {
  Siblings two;
  for (int i = 0; i < 2; ++i) {
    two.first.said = Finding::kNothing;
    two.run(40ms, 0);
    if (two.first.said == Finding::kQueue) break;
  }
  two.second.guard.disturbed();
  CHECK_FALSE(two.second.guard.cutting());
  two.second.said = Finding::kNothing;
  for (int i = 0; i < 10; ++i) two.ack(two.second, 40ms);
  CHECK(two.second.said == Finding::kNothing);
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
