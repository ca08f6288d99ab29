// Coupled: what LIA, OLIA and BALIA share: each tells the group the truth about itself, and grows
// past ssthresh by what the group makes of it. Slow start is Reno's, and so is the halving unless
// an algorithm says otherwise.
#pragma once

#include <memory>

#include "stack/cc/coupled_group.h"
#include "stack/cc/loss_based.h"

namespace braid::cc {

class Coupled : public LossBased {
 public:
  ~Coupled() override;
  Coupled(const Coupled&) = delete;
  Coupled& operator=(const Coupled&) = delete;

  void on_congestion(const Congestion& event) override;
  void on_timeout(const Congestion& event) override;

 protected:
  Coupled(std::uint32_t mss, std::shared_ptr<CoupledGroup> group);

  const CoupledGroup& group() const { return *group_; }
  const CoupledGroup::Member& self() const { return self_; }
  // Growth in bytes for `bytes` delivered while every path has its RTT; may be negative (OLIA).
  virtual double coupled_growth(double bytes) const = 0;

 private:
  void observe(const Ack& ack) final;
  void avoid(const Ack& ack, std::uint64_t bytes) final;
  std::uint64_t reduced(const Congestion& event) override;
  void undone() final;
  void tell_window();

  std::shared_ptr<CoupledGroup> group_;
  CoupledGroup::Member self_;
  std::uint64_t last_run_ = 0;  // bytes delivered between the last two losses
  std::uint64_t run_ = 0;       // bytes delivered since the last one
  double fraction_ = 0;         // bytes of growth not yet given
};

}  // namespace braid::cc
