#include "stack/mptcp/shared_group.h"

#include <utility>

namespace braid::mptcp {
namespace {

class GroupController final : public cc::Controller {
 public:
  GroupController(std::unique_ptr<cc::Controller> inner, std::shared_ptr<cc::CoupledGroup> group)
      : group_(std::move(group)), inner_(std::move(inner)) {}

  void set_mss(std::uint32_t mss) override { inner_->set_mss(mss); }
  void on_ack(const cc::Ack& ack) override { inner_->on_ack(ack); }
  void on_loss(const cc::Loss& loss) override { inner_->on_loss(loss); }
  void on_congestion(const cc::Congestion& event) override { inner_->on_congestion(event); }
  void on_timeout(const cc::Congestion& event) override { inner_->on_timeout(event); }
  void undo() override { inner_->undo(); }
  void on_idle(Duration idle, Duration rto) override { inner_->on_idle(idle, rto); }
  std::uint64_t cwnd() const override { return inner_->cwnd(); }
  std::uint64_t ssthresh() const override { return inner_->ssthresh(); }
  double slow_start_step() const override { return inner_->slow_start_step(); }
  Rate pacing_rate(Duration srtt) const override { return inner_->pacing_rate(srtt); }
  cc::RecoveryPace recovery_pace() const override { return inner_->recovery_pace(); }
  std::string_view name() const override { return inner_->name(); }

 private:
  std::shared_ptr<cc::CoupledGroup> group_;  // before inner_: it goes last
  std::unique_ptr<cc::Controller> inner_;
};

}  // namespace

std::unique_ptr<cc::Controller> make_group_controller(cc::Algorithm algorithm, std::uint32_t mss,
                                                      std::shared_ptr<cc::CoupledGroup> group) {
  auto inner = cc::make_controller(algorithm, mss, group.get());
  return std::make_unique<GroupController>(std::move(inner), std::move(group));
}

}  // namespace braid::mptcp
