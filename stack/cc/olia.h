// Olia: the opportunistic linked increase (draft-khalili-mptcp-congestion-control-05). LIA gives
// every path traffic in proportion to its window, also one that gains the connection nothing and
// costs others; OLIA's first term is Pareto-optimal, and its second moves window from the paths
// with the largest windows to paths that look good by their losses and have small ones.
#pragma once

#include <utility>

#include "stack/cc/coupled.h"

namespace braid::cc {

class Olia final : public Coupled {
 public:
  Olia(std::uint32_t mss, std::shared_ptr<CoupledGroup> group) : Coupled(mss, std::move(group)) {}
  std::string_view name() const override { return "olia"; }

 private:
  double coupled_growth(double bytes) const override;
  // This path's share of the second term: positive, negative or zero.
  double alpha() const;
};

}  // namespace braid::cc
