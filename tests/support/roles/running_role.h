// RunningRole: which role of a simulated world works at the moment, for whoever counts what each of
// them allocates.
#pragma once

#include <utility>

namespace braid::gateway {
class Host;
}

namespace braid::sim {

inline const gateway::Host* running_role = nullptr;

class RunningRole {
 public:
  explicit RunningRole(const gateway::Host& role) : before_(std::exchange(running_role, &role)) {}
  ~RunningRole() { running_role = before_; }
  RunningRole(const RunningRole&) = delete;
  RunningRole& operator=(const RunningRole&) = delete;

 private:
  const gateway::Host* before_;
};

}  // namespace braid::sim
