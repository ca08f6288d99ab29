#include <algorithm>
#include <array>

#include "stack/base/ensure.h"
#include "stack/sched/blest.h"
#include "stack/sched/ecf.h"
#include "stack/sched/min_rtt.h"
#include "stack/sched/overflow.h"
#include "stack/sched/redundant.h"
#include "stack/sched/round_robin.h"
#include "stack/sched/scheduler.h"

namespace braid::sched {
namespace {

// At the index of its Policy.
constexpr std::array<std::string_view, 6> kNames = {"min_rtt",     "blest",     "ecf",
                                                    "round_robin", "redundant", "overflow"};

}  // namespace

std::optional<Policy> policy_by_name(std::string_view name) {
  const auto it = std::find(kNames.begin(), kNames.end(), name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<Policy>(it - kNames.begin());
}

std::span<const std::string_view> policy_names() { return kNames; }

std::unique_ptr<Scheduler> make_scheduler(Policy policy) {
  switch (policy) {
    case Policy::kMinRtt: return std::make_unique<MinRtt>();
    case Policy::kBlest: return std::make_unique<Blest>();
    case Policy::kEcf: return std::make_unique<Ecf>();
    case Policy::kRoundRobin: return std::make_unique<RoundRobin>();
    case Policy::kRedundant: return std::make_unique<Redundant>();
    case Policy::kOverflow: return std::make_unique<Overflow>();
  }
  ENSURE(policy == Policy::kMinRtt);
  return nullptr;
}

}  // namespace braid::sched
