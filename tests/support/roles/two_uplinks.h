// TwoUplinks: the world of the main job, both whole roles in it:
//
//   client --lan-- gateway ==dsl, lte== exchange -- concentrator -- server
//
// Addresses are the lab's: LAN 192.168.77.0/24, uplinks 10.1.0.2 and 10.2.0.2, concentrator
// 203.0.113.5, server 198.51.100.2; IPv6 beside each.
#pragma once

#include <memory>

#include "gateway/concentrator.h"
#include "gateway/gateway.h"
#include "stack/ip/plain_layer.h"
#include "tests/support/roles/app_host.h"
#include "tests/support/roles/exchange.h"
#include "tests/support/roles/role_host.h"
#include "tests/support/sim/world.h"

namespace braid::sim {

struct TwoUplinksSettings {
  LinkSettings dsl{.rate = Rate::bits_per_second(50'000'000), .delay = 10ms, .queue_time = 100ms};
  LinkSettings lte{.rate = Rate::bits_per_second(30'000'000), .delay = 30ms, .queue_time = 100ms};
  LinkSettings server_side{.delay = 1ms};
  wire::Family outside = wire::Family::kIpv4;  // of the uplinks
  // The concentrator's YAML. The usual one takes both uplinks as clients and serves private
  // targets.
  const char* concentrator = kUsualConcentrator;

  static constexpr const char* kUsualConcentrator = R"(
listen: { interface: eth0 }
allow: [ 10.1.0.0/24, 10.2.0.0/24, "fd00:1::/64", "fd00:2::/64" ]
targets: { private: true }
)";
};

class TwoUplinks {
 public:
  TwoUplinks(std::uint64_t seed, TwoUplinksSettings settings = {});

  World world;
  LinkId lan, dsl, lte, far, server_link;
  std::unique_ptr<AppHost> client;
  std::unique_ptr<AppHost> server;

  gateway::Gateway& gateway() { return *gateway_; }
  gateway::Concentrator& concentrator() { return *concentrator_; }
  wire::Endpoint server_at(std::uint16_t port, wire::Family family = wire::Family::kIpv4) const;
  // The gateway is told what its kernel would tell: the interface lost or regained its link.
  void set_uplink_link(std::size_t uplink, gateway::UplinkState::Link link);
  // The concentrator's process dies; its kernel answers nothing. Restarting gives a fresh one.
  void kill_concentrator();
  void restart_concentrator();

 private:
  void make_gateway();
  void make_concentrator();

  TwoUplinksSettings settings_;
  HostId client_id_, gateway_id_, exchange_id_, concentrator_id_, server_id_;
  Exchange exchange_;
  ip::PlainLayer gateway_ip_;
  std::unique_ptr<ip::PlainLayer> concentrator_ip_;
  Random gateway_random_;
  Random concentrator_random_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::Concentrator> concentrator_;
  std::unique_ptr<RoleHost> gateway_host_;
  std::unique_ptr<RoleHost> concentrator_host_;
};

}  // namespace braid::sim
