// Distributor: hands the stream out to subflows, one byte range at a time, while they can send.
//
// Asked at each flush. The scheduler says which path, the DataSender which bytes, and the range is as
// long as one super-segment of that path may be: bytes are never cut before a path took them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stack/mptcp/data_sender.h"
#include "stack/mptcp/subflow.h"
#include "stack/sched/scheduler.h"

namespace braid::mptcp {

class Distributor {
 public:
  explicit Distributor(sched::Policy policy) : scheduler_(sched::make_scheduler(policy)) {}

  struct Outcome {
    std::uint64_t reinjected = 0;  // bytes
  };
  // Some path that carries data would take a whole segment more.
  static bool has_budget(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now);
  Outcome run(DataSender& sender, const std::vector<std::unique_ptr<Subflow>>& subflows,
              Instant now);

 private:
  static constexpr std::uint32_t kMaxRange = 64000;  // bytes; a mapping's length is 16 bits

  void probe(DataSender& sender, Instant now);
  void look(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now);
  static std::uint32_t range_limit(const sched::PathView& path);

  std::unique_ptr<sched::Scheduler> scheduler_;
  std::vector<sched::PathView> paths_;  // kept to spare allocations
  std::vector<Subflow*> by_path_;       // beside paths_
};

}  // namespace braid::mptcp
