#include "gateway/overflow_control.h"

#include <utility>

namespace braid::gateway {

namespace {

sched::OverflowGate::Load load_of(std::uint32_t cost, sched::OverflowGate::Load::Usable usable,
                                  const sched::LoadMeter& meter, Rate configured) {
  return {.cost = cost,
          .usable = usable,
          .rate = meter.rate(),
          .capacity = configured.is_zero() ? meter.capacity() : configured};
}

}  // namespace

OverflowControl::OverflowControl(const GatewayConfig& config, const Doors& doors, Uplinks& uplinks,
                                 std::function<void()> changed)
    : config_(config),
      doors_(doors),
      uplinks_(uplinks),
      changed_(std::move(changed)),
      entries_(uplinks.size()) {
  up_gate_.set(config.overflow);
  down_gate_.set(config.overflow);
}

void OverflowControl::reconfigure() {
  up_gate_.set(config_.overflow);
  down_gate_.set(config_.overflow);
  start();
}

void OverflowControl::start() {
  asleep_ = false;
  wake();
}

void OverflowControl::flush(Instant now) {
  if (!wanted()) {
    asleep_ = true;
    arm(kNever);
    if (release_all()) changed_();
    return;
  }
  if (now < next_look_) return arm(next_look_);
  next_look_ = now + sched::LoadMeter::kTick;
  if (measure(now)) last_moved_ = now;
  if (judge(now)) changed_();
  asleep_ = now > last_moved_ + config_.overflow.close_after + 1s;
  arm(asleep_ ? kNever : next_look_);
}

bool OverflowControl::measure(Instant now) {
  using Full = sched::LoadMeter::Full;
  bool moved = false;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    const std::uint64_t sent_ever = doors_.counters(Uplinks::interface_of(i)).bytes;
    const std::uint64_t sent = sent_ever - std::exchange(entry.sent_mark, sent_ever);
    const std::uint64_t received = std::exchange(entry.received, 0);
    const bool full = now - uplinks_.link(i).last_full <= sched::LoadMeter::kTick;
    entry.up.tick(sent, full ? Full::kYes : Full::kNo, now);
    entry.down.tick(received, Full::kYes, now);
    moved |= sent > 0 || received > 0;
  }
  return moved;
}

bool OverflowControl::judge(Instant now) {
  up_loads_.clear();
  down_loads_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const UplinkConfig& uplink = uplinks_.config(i);
    const Load::Usable usable = uplinks_.carries(i, now) ? Load::Usable::kYes : Load::Usable::kNo;
    up_loads_.push_back(load_of(uplink.cost, usable, entries_[i].up, uplink.rate_up));
    down_loads_.push_back(load_of(uplink.cost, usable, entries_[i].down, uplink.rate_down));
  }
  const bool up_changed = up_gate_.update(up_loads_, now);
  const bool down_changed = down_gate_.update(down_loads_, now);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    uplinks_.link(i).in_reserve = up_gate_.in_reserve(i);
    uplinks_.link(i).peer_in_reserve = down_gate_.in_reserve(i);
  }
  return up_changed || down_changed;
}

bool OverflowControl::release_all() {
  bool changed = false;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    sched::Link& link = uplinks_.link(i);
    changed |= std::exchange(link.in_reserve, false);
    changed |= std::exchange(link.peer_in_reserve, false);
  }
  return changed;
}

}  // namespace braid::gateway
