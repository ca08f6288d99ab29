#include <algorithm>
#include <array>

#include "stack/base/ensure.h"
#include "stack/sched/min_rtt.h"
#include "stack/sched/scheduler.h"

namespace braid::sched {
namespace {

constexpr std::array<std::string_view, 1> kNames = {"min_rtt"};  // at the index of its Policy

}  // namespace

std::optional<Policy> policy_by_name(std::string_view name) {
  const auto it = std::find(kNames.begin(), kNames.end(), name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<Policy>(it - kNames.begin());
}

std::span<const std::string_view> policy_names() {
  return kNames;
}

std::unique_ptr<Scheduler> make_scheduler(Policy policy) {
  switch (policy) {
    case Policy::kMinRtt:
      return std::make_unique<MinRtt>();
  }
  ENSURE(policy == Policy::kMinRtt);
  return nullptr;
}

}  // namespace braid::sched
