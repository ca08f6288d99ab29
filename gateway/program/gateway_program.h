// GatewayProgram: the gateway machine on a real host: TUN, uplinks, capture, settings, one event
// loop.
//
// Start: clear what a crashed run left -> host settings -> TUN -> uplinks -> nftables table ->
// rules. SIGTERM or SIGINT drains: new connections go the kernel's own way, running ones finish; a
// second one ends at once. SIGHUP reads the configuration again. Everything it changed is put back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/program/inside_door.h"
#include "gateway/program/outside_door.h"
#include "platform/event_loop.h"
#include "platform/host_settings.h"
#include "platform/link_follower.h"
#include "platform/netlink_socket.h"
#include "platform/nft_plan.h"
#include "platform/nft_table.h"
#include "platform/other_traffic.h"
#include "stack/base/random.h"
#include "stack/ip/lwip_layer.h"

namespace braid::program {

class GatewayProgram {
 public:
  // `path`: where `config` was read, and is read again on SIGHUP. Throws StartError.
  GatewayProgram(const gateway::GatewayConfig& config, std::string path);
  ~GatewayProgram();

  void run();

 private:
  void prepare_host();
  void open_uplinks();
  void install_capture();
  void load_table(platform::GatewayNftPlan::NewConnections new_connections);
  void watch_netlink();
  void watch_signals();
  Instant flush(Instant now);
  // The kernel said what one uplink is now; the gateway is told.
  void uplink_changed(std::size_t uplink, const platform::LinkState& link);
  void follow_other_traffic(Instant now);
  void drain_or_stop();

  gateway::GatewayConfig config_;  // as it was at the start
  std::string path_;
  Random random_;
  platform::EventLoop loop_;
  platform::NetlinkSocket netlink_;
  platform::NetlinkEvents events_;
  platform::LinkFollower follower_;
  ip::LwipLayer ip_;
  gateway::Gateway gateway_;
  platform::HostSettings settings_;
  platform::NftTable table_;
  platform::OtherTraffic other_traffic_;
  std::unique_ptr<InsideDoor> inside_;
  std::vector<std::unique_ptr<OutsideDoor>> uplinks_;
  bool routes_stale_ = false;  // the kernel reported a change that may concern the default route
  std::optional<std::size_t> followed_;
  enum class Phase { kRunning, kDraining } phase_ = Phase::kRunning;
};

}  // namespace braid::program
