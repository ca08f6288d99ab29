// OverflowControl: measures the uplinks and says which are in reserve, for the overflow scheduler.
//
// Each direction has meters and a gate of its own (stack/sched). What we send is kept off a link in
// reserve by our own scheduler; for what the concentrator sends, the only word there is for it is
// MP_PRIO: a link in reserve is told to be a backup, and a regular one when it is needed. What an
// uplink can carry is its `rate:`; else what it carried when connections here had more for it, or,
// of downloads, the most it was seen to bring: whether more was waiting over there we cannot know.
//
// Timer: the next look, every tenth of a second while anything moves and until the gates have
// settled.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "gateway/config.h"
#include "gateway/doors.h"
#include "gateway/host.h"
#include "gateway/uplinks.h"
#include "stack/sched/load_meter.h"
#include "stack/sched/overflow_gate.h"

namespace braid::gateway {

class OverflowControl final : public Activity {
 public:
  // `changed` is called from flush() when a link went into reserve or came back.
  OverflowControl(const GatewayConfig& config, const Doors& doors, Uplinks& uplinks,
                  std::function<void()> changed);

  // The configuration was read again.
  void reconfigure();
  // Bytes of a packet that came in.
  void received(std::size_t uplink, std::uint64_t bytes) {
    entries_[uplink].received += bytes;
    if (asleep_) start();
  }
  void flush(Instant now) override;

 private:
  struct Entry {
    sched::LoadMeter up, down;
    std::uint64_t received = 0;   // bytes since the last look
    std::uint64_t sent_mark = 0;  // the door's counter at the last look
  };
  using Load = sched::OverflowGate::Load;

  bool wanted() const { return config_.scheduler == sched::Policy::kOverflow; }
  void start();
  // True when anything moved.
  bool measure(Instant now);
  bool judge(Instant now);
  bool release_all();

  const GatewayConfig& config_;
  const Doors& doors_;
  Uplinks& uplinks_;
  std::function<void()> changed_;
  std::vector<Entry> entries_;
  std::vector<Load> up_loads_, down_loads_;  // kept to spare allocations
  sched::OverflowGate up_gate_, down_gate_;
  Instant next_look_{};
  Instant last_moved_{};
  bool asleep_ = true;
};

}  // namespace braid::gateway
