// One suite for every policy: what must hold whatever it prefers.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "stack/base/random.h"
#include "stack/sched/blest.h"
#include "stack/sched/ecf.h"
#include "stack/sched/min_rtt.h"
#include "stack/sched/overflow.h"
#include "stack/sched/redundant.h"
#include "stack/sched/round_robin.h"
#include "tests/unit/sched/views.h"

namespace braid::sched {
namespace {

using namespace test;
using Id = std::optional<std::uint32_t>;

// What a fresh scheduler answers; the order of the list must not matter.
template <typename Policy>
Id first_pick(std::vector<PathView> paths, const StreamView& stream = much()) {
  Policy scheduler;
  const Id answer = id_of(scheduler.pick(paths, stream));
  std::reverse(paths.begin(), paths.end());
  Policy other;
  CHECK(id_of(other.pick(paths, stream)) == answer);
  return answer;
}

int class_of(const PathView& p) { return (p.in_doubt ? 2 : 0) + (p.backup ? 1 : 0); }

std::vector<PathView> random_paths(Random& random) {
  std::vector<PathView> paths;
  const std::uint32_t count = random.below(5);
  for (std::uint32_t i = 0; i < count; ++i) {
    PathView p = path(i * 3 + 1, Duration(1ms) * random.below(300));
    p.rttvar = Duration(1ms) * random.below(50);
    p.cwnd = kMss * (1 + random.below(200));
    p.in_flight = random.chance(0.3) ? 0 : random.below(static_cast<std::uint32_t>(p.cwnd) + 1);
    p.budget = random.chance(0.4) ? 0 : p.cwnd - p.in_flight;
    p.backup = random.chance(0.2);
    p.in_doubt = random.chance(0.2);
    p.cost = random.below(3);
    p.in_reserve = random.chance(0.3);
    paths.push_back(p);
  }
  return paths;
}

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE_TEMPLATE("a policy answers to the name it is made by", P, MinRtt, Blest, Ecf, RoundRobin,
                   Redundant, Overflow) {
  const P scheduler;
  const auto policy = policy_by_name(scheduler.name());
  REQUIRE(policy.has_value());
  CHECK(make_scheduler(*policy)->name() == scheduler.name());
}

TEST_CASE_TEMPLATE("the only path with room is used when nothing else can be waited for", P, MinRtt,
                   Blest, Ecf, RoundRobin, Redundant, Overflow) {
  CHECK(first_pick<P>({path(4, 30ms)}) == 4);
  PathView stuck = path(1, 1ms);  // no room, and nothing in flight whose ACK would make some
  stuck.budget = 0;
  CHECK(first_pick<P>({stuck, path(2, 500ms)}, {.unsent = 1, .window = 1, .send_window = 1}) == 2);
}

TEST_CASE_TEMPLATE("nothing is picked when no path has room, or there is none", P, MinRtt, Blest,
                   Ecf, RoundRobin, Redundant, Overflow) {
  CHECK(first_pick<P>({full(path(1, 30ms)), full(path(2, 10ms))}) == std::nullopt);
  CHECK(first_pick<P>({}) == std::nullopt);
}

TEST_CASE_TEMPLATE("with much to send and a wide window, every path with room is used", P, MinRtt,
                   Blest, Ecf, RoundRobin, Redundant, Overflow) {
  CHECK(first_pick<P>({full(path(1, 10ms)), path(2, 30ms)}) == 2);
  CHECK(first_pick<P>({path(1, 10ms), full(path(2, 30ms))}) == 1);
}

TEST_CASE_TEMPLATE("a backup path waits while a regular one is usable (RFC 8684 M46)", P, MinRtt,
                   Blest, Ecf, RoundRobin, Redundant, Overflow) {
  CHECK(first_pick<P>({backup(path(1, 1ms)), path(2, 90ms)}) == 2);
  SUBCASE("even when the regular one is full") {
    CHECK(first_pick<P>({backup(path(1, 1ms)), full(path(2, 90ms))}) == std::nullopt);
  }
  SUBCASE("but not when there is only a regular one in doubt") {
    CHECK(first_pick<P>({backup(path(1, 1ms)), doubtful(path(2, 90ms))}) == 1);
  }
  SUBCASE("nor when there is none") {
    CHECK(first_pick<P>({backup(path(1, 20ms)), full(backup(path(2, 10ms)))}) == 1);
  }
}

TEST_CASE_TEMPLATE("a path in doubt is used only when all are", P, MinRtt, Blest, Ecf, RoundRobin,
                   Redundant, Overflow) {
  CHECK(first_pick<P>({doubtful(path(1, 1ms)), path(2, 90ms)}) == 2);
  CHECK(first_pick<P>({doubtful(path(1, 1ms)), full(path(2, 90ms))}) == std::nullopt);
  CHECK(first_pick<P>({doubtful(path(1, 9ms)), doubtful(backup(path(2, 5ms)))}) == 1);
}

TEST_CASE_TEMPLATE(
    "whatever the paths, the answer is a path of the best class with room, or a wait "
    "that an ACK will end",
    P, MinRtt, Blest, Ecf, RoundRobin, Redundant, Overflow) {
  Random random(20);
  P scheduler;
  Instant now{1s};
  for (int round = 0; round < 5000; ++round) {
    CAPTURE(round);
    now += Duration(1ms) * random.below(40);
    const std::vector<PathView> paths = random_paths(random);
    const StreamView stream{.unsent = 1 + random.below(1 << random.below(24)),
                            .window = random.below(1 << random.below(24)),
                            .send_window = random.below(1 << random.below(24)),
                            .now = now};
    if (random.chance(0.1)) scheduler.window_blocked(now);
    const auto picked = scheduler.pick(paths, stream);
    int best = 9;
    for (const PathView& p : paths) best = std::min(best, class_of(p));
    bool ack_expected = false;
    bool room = false;
    for (const PathView& p : paths) {
      if (class_of(p) != best) continue;
      ack_expected |= p.in_flight > 0;
      room |= p.budget > 0;
    }
    if (!picked) {
      CHECK((!room || ack_expected));
      continue;
    }
    const auto chosen = std::find_if(paths.begin(), paths.end(),
                                     [&](const PathView& p) { return p.id == picked->path; });
    REQUIRE(chosen != paths.end());
    CHECK(chosen->budget > 0);
    CHECK(class_of(*chosen) == best);
    CHECK((picked->bytes == Pick::Bytes::kCopies) == (scheduler.name() == "redundant"));
  }
}
TEST_SUITE_END();

}  // namespace braid::sched
