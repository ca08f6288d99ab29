// CoupledBbr: BBR on every path, and on those that share a bottleneck about one BBR together. Ours.
//
// Like coupled_cubic.h: subflows are independent until bottleneck_watch.h has found two of them in the
// same queue. The experiment is BBR's own: looking for the least RTT it halves what is in flight, and
// who stands in the same queue sees that. Subflows of a connection therefore do it one at a time,
// while flows that do not know each other fall into step.
//
// A share s of a flow means s of what BBR keeps in flight beyond the path's product, s of the step up
// when it probes, and 1 / s of the time between two probes.
#pragma once

#include "stack/cc/bbr.h"
#include "stack/cc/coupled_group.h"

namespace braid::cc {

class CoupledBbr final : public Bbr {
 public:
  // The group outlives the controller.
  CoupledBbr(std::uint32_t mss, CoupledGroup& group);
  ~CoupledBbr() override;
  CoupledBbr(const CoupledBbr&) = delete;
  CoupledBbr& operator=(const CoupledBbr&) = delete;

  std::string_view name() const override { return "coupled_bbr"; }

 private:
  void observe(const Ack& ack) override;
  double share(Instant now) const override;
  bool may_probe_rtt(Instant now) const override;
  void drops_for_rtt(std::uint64_t bytes, Instant now) override;

  CoupledGroup& group_;
  BottleneckWatch::Path path_;
};

}  // namespace braid::cc
