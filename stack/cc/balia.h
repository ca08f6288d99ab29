// Balia: the balanced linked adaptation (draft-walid-mptcp-congestion-control-04). Both growth and
// decrease depend on how much slower this path is than the fastest one of the connection, which
// trades friendliness for responsiveness.
#pragma once

#include <utility>

#include "stack/cc/coupled.h"

namespace braid::cc {

class Balia final : public Coupled {
 public:
  Balia(std::uint32_t mss, std::shared_ptr<CoupledGroup> group) : Coupled(mss, std::move(group)) {}
  std::string_view name() const override { return "balia"; }

 private:
  double coupled_growth(double bytes) const override;
  std::uint64_t reduced(const Congestion& event) override;
  // The fastest path's rate over this one's: 1 or more.
  double alpha() const;
};

}  // namespace braid::cc
