// Lia: the linked increase of MPTCP (RFC 6356). Only the growth past ssthresh is coupled; slow
// start and the halving after a loss are Reno's.
#pragma once

#include <utility>

#include "stack/cc/coupled.h"

namespace braid::cc {

class Lia final : public Coupled {
 public:
  Lia(std::uint32_t mss, std::shared_ptr<CoupledGroup> group) : Coupled(mss, std::move(group)) {}
  std::string_view name() const override { return "lia"; }

 private:
  double coupled_growth(double bytes) const override;
};

}  // namespace braid::cc
