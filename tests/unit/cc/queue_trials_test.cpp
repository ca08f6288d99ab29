#include "stack/cc/queue_trials.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace braid::cc {
namespace {

using Ready = QueueTrials::Flow::Ready;
constexpr Instant kNow = Instant() + 1s;

TEST_SUITE_BEGIN("cc");

TEST_CASE("a trial begins where at most a quarter of what is in flight could not join") {
  QueueTrials trials;
  QueueTrials::Flow one, other;
  trials.update(one, {.in_flight = 3000, .ready = Ready::kYes});
  CHECK(trials.may_begin());
  trials.update(other, {.in_flight = 1000, .ready = Ready::kNo});
  CHECK(trials.may_begin());
  trials.update(other, {.in_flight = 1001, .ready = Ready::kNo});
  CHECK_FALSE(trials.may_begin());
  trials.update(other, {.in_flight = 1001, .ready = Ready::kYes});
  CHECK(trials.may_begin());
  trials.update(one, {.in_flight = 3000, .ready = Ready::kNo});
  CHECK_FALSE(trials.may_begin());
  trials.update(one, {});  // it has left
  CHECK(trials.may_begin());
}

TEST_CASE("a trial tells something when nearly all that was in flight is in it") {
  QueueTrials trials;
  QueueTrials::Flow one, other;
  trials.update(one, {.in_flight = 900});
  trials.update(other, {.in_flight = 100});
  trials.begin(kNow);
  CHECK_FALSE(trials.tells());
  trials.update(one, {.in_flight = 200, .cut = 900});
  CHECK(trials.tells());
  trials.update(other, {.in_flight = 20, .cut = 100});
  CHECK(trials.tells());
  trials.update(one, {.in_flight = 600});  // a loss: it is not in it any more
  CHECK_FALSE(trials.tells());
}

TEST_CASE("the least round trip is everybody's, until a rest is over or nobody is there") {
  QueueTrials trials;
  QueueTrials::Flow flow;
  trials.update(flow, {.in_flight = 1000});
  trials.measured(0ms, 0ms, kNow);
  CHECK(trials.path_rtt() == Duration::max());
  trials.measured(20ms, 30ms, kNow);
  trials.measured(50ms, 60ms, kNow);
  CHECK(trials.path_rtt() == 20ms);
  CHECK(trials.least_since(kNow) == 30ms);
  Instant later = kNow + 1s;
  SUBCASE("a rest") {
    trials.not_ours(kNow);
    trials.measured(30ms, 60ms, later);
    later = kNow + QueueTrials::kLeastRest;
  }
  SUBCASE("nobody") {
    trials.joined();
    CHECK(trials.path_rtt() == 20ms);
    trials.update(flow, {});
    trials.joined();
  }
  trials.measured(50ms, 60ms, later);
  CHECK(trials.path_rtt() == 50ms);
}

TEST_CASE("trials are counted, and timed") {
  QueueTrials trials;
  const std::uint32_t before = trials.begun();
  trials.begin(kNow);
  CHECK(trials.begun() == before + 1);
  CHECK(trials.running(kNow + 20ms) == 20ms);
}

TEST_CASE("a queue that is not ours rests all, longer each time until it was ours long after") {
  QueueTrials trials;
  Instant now = kNow;
  Duration rest = QueueTrials::kLeastRest;
  for (int i = 0; i < 5; ++i) {
    trials.not_ours(now);
    CHECK(trials.resting(now + rest - 1ms));
    CHECK_FALSE(trials.resting(now + rest));
    now += rest;
    rest = std::min(2 * rest, QueueTrials::kLongestRest);
  }
  trials.was_ours(now + QueueTrials::kLongestRest - 1ms);
  SUBCASE("just after a rest: as long again") {
    trials.not_ours(now);
    CHECK(trials.resting(now + QueueTrials::kLongestRest - 1ms));
  }
  SUBCASE("as long after it as it was: from the beginning") {
    trials.was_ours(now + QueueTrials::kLongestRest);
    trials.not_ours(now);
    CHECK_FALSE(trials.resting(now + QueueTrials::kLeastRest));
  }
}

TEST_CASE("who joins others that rest rests with them; who comes to an empty path begins anew") {
  QueueTrials trials;
  QueueTrials::Flow flow;
  trials.update(flow, {.in_flight = 1000, .ready = Ready::kYes});
  trials.not_ours(kNow - QueueTrials::kLeastRest);
  trials.not_ours(kNow);
  trials.joined();
  CHECK(trials.resting(kNow + QueueTrials::kLeastRest));
  trials.update(flow, {});
  trials.joined();
  CHECK_FALSE(trials.resting(kNow));
  trials.not_ours(kNow);
  CHECK_FALSE(trials.resting(kNow + QueueTrials::kLeastRest));
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
