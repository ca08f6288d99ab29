#include "stack/mptcp/demand.h"

#include <doctest/doctest.h>

namespace braid::mptcp {
namespace {

constexpr Instant at(Duration d) { return Instant(d); }

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("more than the threshold, both directions together, is a demand") {
  Demand demand(15'000);
  demand.note(15'000, Demand::Backlog::kNone, at(1s));
  CHECK(!demand.is_there());
  demand.note(15'001, Demand::Backlog::kNone, at(2s));
  CHECK(demand.is_there());
}

TEST_CASE("a backlog is a demand at once") {
  Demand demand(15'000);
  demand.note(10, Demand::Backlog::kWaiting, at(1s));
  CHECK(demand.is_there());
}

TEST_CASE("after a rest demand is earned anew, by what has passed since") {
  Demand demand(15'000);
  demand.note(100'000, Demand::Backlog::kNone, at(1s));
  demand.note(100'000, Demand::Backlog::kNone, at(1s + Demand::kRest));
  CHECK(demand.is_there());
  demand.note(100'500, Demand::Backlog::kNone, at(60s));
  CHECK(!demand.is_there());
  demand.note(115'000, Demand::Backlog::kNone, at(61s));
  CHECK(!demand.is_there());
  demand.note(115'001, Demand::Backlog::kNone, at(62s));
  CHECK(demand.is_there());
}

TEST_CASE("a trickle without a rest adds up") {
  Demand demand(1'000);
  for (int i = 1; i <= 11; ++i) {
    CHECK(!demand.is_there());
    demand.note(static_cast<std::uint64_t>(i) * 100, Demand::Backlog::kNone, at(i * 9s));
  }
  CHECK(demand.is_there());
}

TEST_CASE("without a threshold there is always demand") {
  Demand demand(0);
  CHECK(demand.is_there());
  demand.note(0, Demand::Backlog::kNone, at(100s));
  CHECK(demand.is_there());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::mptcp
