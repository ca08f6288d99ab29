// Gateway: the whole LAN end of braid as one machine. A new SYN from the LAN becomes a Flow;
// packets of the uplinks belong to subflows and probes; the road of a packet is DESIGN 3.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config.h"
#include "gateway/flow.h"
#include "gateway/host.h"
#include "gateway/info_probe.h"
#include "gateway/overflow_control.h"
#include "gateway/settled_uplink.h"
#include "gateway/uplinks.h"

namespace braid::gateway {

class Gateway final : public Host, public FlowOwner {
 public:
  Gateway(const GatewayConfig& config, ip::Layer& ip, Random& random);
  ~Gateway() override;

  // The uplink's interface as it is now; its door has been set, or cleared, before.
  void set_uplink(std::size_t uplink, const UplinkState& state, Instant now);

  // Takes on what a running gateway can of a newly read configuration: running connections change
  // their scheduler at once, their subflows keep their controller. Returns the keys that differ and
  // need a new start.
  std::vector<std::string> reconfigure(const GatewayConfig& fresh);

  std::size_t active_flows() const { return flows_.size(); }
  const std::map<std::uint64_t, std::unique_ptr<Flow>>& flows() const { return flows_; }
  const Uplinks& ways() const { return uplinks_; }
  // Where traffic that braid does not carry should go: an uplink that lives, or nothing.
  std::optional<std::size_t> settled_uplink(Instant now) { return settled_.choose(uplinks_, now); }
  // Something other than our connections relies on settled_uplink(): from now on it is asked
  // whether it lives when it has been silent, and so are uplinks that failed, until they answer.
  void keep_settled_uplink_known();
  struct Counters {
    std::uint64_t flows = 0, probes = 0, probes_dead = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  // Where probes report: a wake-up goes through all of them.
  class ProbeWatcher final : public Activity {
   public:
    explicit ProbeWatcher(Gateway& gateway) : gateway_(gateway) {}
    void flush(Instant now) override {
      gateway_.collect_probes(now);
      arm(gateway_.ask_silent_paths(now));
    }

   private:
    Gateway& gateway_;
  };

  void new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) override;
  void overhear(tcp::InterfaceId interface, const wire::Segment& segment, Instant now) override;
  void tidy(Instant now) override;

  Host& host() override { return *this; }
  Uplinks& uplinks() override { return uplinks_; }
  const GatewayConfig& config() const override { return config_; }
  void ask_path(tcp::InterfaceId interface, Instant now) override;
  void flow_done(std::uint64_t id) override { done_.push_back(id); }
  void concentrator_forgot(Instant now) override;
  void collect_probes(Instant now);
  void paths_changed(Instant now);
  // Returns when to come again.
  Instant ask_silent_paths(Instant now);

  GatewayConfig config_;
  Uplinks uplinks_;
  SettledUplink settled_;
  ProbeWatcher watcher_;
  OverflowControl overflow_;
  std::map<std::uint64_t, std::unique_ptr<Flow>> flows_;  // in the order they came
  std::vector<std::uint64_t> done_;                       // to be freed by tidy()
  std::vector<std::unique_ptr<InfoProbe>> probes_;        // by uplink; empty: none under way
  Instant last_census_ = Instant::min();
  enum class Watch : std::uint8_t { kUsed, kSettled } watch_ = Watch::kUsed;
  Counters counters_;
};

}  // namespace braid::gateway
