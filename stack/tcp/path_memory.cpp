#include "stack/tcp/path_memory.h"

#include "stack/cc/queue_trials.h"

namespace braid::tcp {

PathRecord::PathRecord() : queue_trials_(std::make_shared<cc::QueueTrials>()) {}

void PathRecord::note_rtt(Duration rtt, Instant now) {
  if (rtt == Duration::zero()) return;
  last_ = now;
  if (const Duration known = min_rtt(now); known != Duration::zero() && known < rtt) return;
  min_rtt_ = rtt;
  min_rtt_at_ = now;
}

void PathRecord::note_mtu(std::uint32_t mtu, Instant now) {
  last_ = now;
  mtu_ = mtu;
  mtu_at_ = now;
}

Duration PathRecord::min_rtt(Instant now) const {
  return now - min_rtt_at_ <= kLifetime ? min_rtt_ : Duration::zero();
}

std::uint32_t PathRecord::mtu(Instant now) const { return now - mtu_at_ <= kLifetime ? mtu_ : 0; }

std::shared_ptr<PathRecord> PathMemory::of(InterfaceId interface, const wire::IpAddress& remote,
                                           Instant now) {
  if (records_.size() >= sweep_at_) sweep(now);
  std::shared_ptr<PathRecord>& record = records_[{interface, remote}];
  if (!record) record = std::make_shared<PathRecord>();
  return record;
}

void PathMemory::forget(InterfaceId interface) {
  std::erase_if(records_, [&](const auto& item) { return item.first.first == interface; });
}

void PathMemory::sweep(Instant now) {
  const auto unused = [](const auto& item) { return item.second.use_count() == 1; };
  std::erase_if(records_, [&](const auto& item) {
    return unused(item) && !item.second->knows_anything(now);
  });
  if (records_.size() >= sweep_at_ / 2) std::erase_if(records_, unused);
  // Those in use stay: so that each sweep has something to drop, the next waits for as many again.
  sweep_at_ = 2 * records_.size() + kSpare;
}

}  // namespace braid::tcp
