// Lia: the linked increase of MPTCP (RFC 6356). Only the growth past ssthresh is coupled; slow start
// and the halving after a loss are Reno's.
#pragma once

#include "stack/cc/coupled_group.h"
#include "stack/cc/loss_based.h"

namespace braid::cc {

class Lia final : public LossBased {
 public:
  // The group outlives the controller.
  Lia(std::uint32_t mss, CoupledGroup& group);
  ~Lia() override;
  Lia(const Lia&) = delete;
  Lia& operator=(const Lia&) = delete;

  std::string_view name() const override { return "lia"; }
  void on_congestion(const Congestion& event) override;
  void on_timeout(const Congestion& event) override;

 private:
  void observe(const Ack& ack) override;
  void avoid(const Ack& ack, std::uint64_t bytes) override;
  std::uint64_t reduced(const Congestion& event) override;
  void undone() override;
  void tell_window();

  CoupledGroup& group_;
  CoupledGroup::Member self_;
};

}  // namespace braid::cc
