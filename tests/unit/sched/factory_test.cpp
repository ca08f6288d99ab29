#include <doctest/doctest.h>

#include "stack/sched/scheduler.h"

namespace braid::sched {

TEST_SUITE_BEGIN("sched");
TEST_CASE("every policy name makes a scheduler that answers to it") {
  REQUIRE(!policy_names().empty());
  for (const std::string_view name : policy_names()) {
    const std::optional<Policy> policy = policy_by_name(name);
    REQUIRE(policy.has_value());
    CHECK(make_scheduler(*policy)->name() == name);
  }
}

TEST_CASE("an unknown name is no policy") {
  CHECK(policy_by_name("") == std::nullopt);
  CHECK(policy_by_name("MIN_RTT") == std::nullopt);
  CHECK(policy_by_name("min_rtt ") == std::nullopt);
}
TEST_SUITE_END();

}  // namespace braid::sched
