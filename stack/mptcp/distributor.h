// Distributor: hands the stream out to subflows, one byte range at a time, while they can send.
//
// Asked at each flush. The scheduler says which path, the DataSender which bytes, and the range is
// as long as one super-segment of that path may be: bytes are never cut before a path took them.
//
// Overtaking (opportunistic retransmission and penalisation, Raiciu et al., NSDI 2012). When
// nothing new may leave (the window is full, or there is nothing new) and a path has room, it takes
// over what slower paths carry, as far as its copy arrives before the original can be expected. How
// long that is is judged differently where new bytes wait and where the stream ends. A path that
// held the head of a full window that way, and carries less itself, is penalised (sched/penalty.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stack/mptcp/data_sender.h"
#include "stack/mptcp/subflow.h"
#include "stack/sched/penalty.h"
#include "stack/sched/scheduler.h"

namespace braid::mptcp {

class Distributor {
 public:
  explicit Distributor(sched::Policy policy) : scheduler_(sched::make_scheduler(policy)) {}
  void set_policy(sched::Policy policy) { scheduler_ = sched::make_scheduler(policy); }

  struct Outcome {  // bytes, and penalties in number
    std::uint64_t reinjected = 0, copied = 0, overtaking = 0, penalties = 0;
  };
  // Some path that carries data would take a whole segment more.
  static bool has_budget(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now);
  Outcome run(DataSender& sender, const std::vector<std::unique_ptr<Subflow>>& subflows,
              Instant now);

 private:
  static constexpr std::uint32_t kMaxRange = 64000;  // bytes; a mapping's length is 16 bits
  struct Fined {
    SubflowId subflow = 0;
    sched::Penalty penalty;
  };

  void look(const std::vector<std::unique_ptr<Subflow>>& subflows, Instant now);
  sched::PathView view_of(const Subflow& subflow, Instant now) const;
  sched::Penalty* penalty_of(SubflowId subflow);
  sched::PathView* find(std::uint32_t id);
  Subflow& subflow_of(const sched::PathView& path);
  static std::uint32_t range_limit(const sched::PathView& path);
  bool hand_out(DataSender& sender, Instant now, Outcome& outcome);
  void map(DataSender& sender, sched::PathView& path, const DataSender::Range& range, Instant now);
  void probe(DataSender& sender, Instant now);
  void note_full_links(const DataSender& sender, Instant now) const;

  // distributor_overtaking.cpp
  static bool may_overtake(const DataSender& sender);
  void overtake(DataSender& sender, Instant now, Outcome& outcome);
  void overtake_on(DataSender& sender, sched::PathView& fast, Instant now, Outcome& outcome);
  void blame(const sched::PathView& slow, const sched::PathView& fast, Instant now,
             Outcome& outcome);

  std::unique_ptr<sched::Scheduler> scheduler_;
  std::vector<sched::PathView> paths_;  // kept to spare allocations
  std::vector<Subflow*> by_path_;       // beside paths_
  std::vector<Fined> fined_;            // who is under a penalty
};

}  // namespace braid::mptcp
