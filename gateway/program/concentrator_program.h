// ConcentratorProgram: the concentrator machine on a real host: one outside interface, a TUN
// towards the servers, masquerading, one event loop. SIGHUP reads the configuration again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/concentrator.h"
#include "gateway/config.h"
#include "gateway/program/inside_door.h"
#include "gateway/program/outside_door.h"
#include "platform/event_loop.h"
#include "platform/host_settings.h"
#include "platform/link_follower.h"
#include "platform/netlink_socket.h"
#include "platform/nft_table.h"
#include "stack/base/random.h"
#include "stack/ip/lwip_layer.h"

namespace braid::program {

class ConcentratorProgram {
 public:
  // `path`: where `config` was read, and is read again on SIGHUP. Throws StartError.
  ConcentratorProgram(const gateway::ConcentratorConfig& config, std::string path);
  ~ConcentratorProgram();

  void run();

 private:
  void load_table();
  void watch_netlink();
  void listen_link_changed(const platform::LinkState& state);
  void refresh_own_addresses();
  void stop_or_drain();
  Instant flush(Instant now);

  gateway::ConcentratorConfig config_;  // as it was at the start
  std::string path_;
  Random random_;
  platform::EventLoop loop_;
  platform::NetlinkSocket netlink_;
  platform::NetlinkEvents events_;
  platform::LinkFollower follower_;
  ip::LwipLayer ip_;
  gateway::Concentrator concentrator_;
  platform::HostSettings settings_;
  platform::NftTable table_;
  std::unique_ptr<InsideDoor> inside_;
  std::unique_ptr<OutsideDoor> outside_;
  bool own_addresses_stale_ = false;
  enum class Phase { kRunning, kDraining } phase_ = Phase::kRunning;
};

}  // namespace braid::program
