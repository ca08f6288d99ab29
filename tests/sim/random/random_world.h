// RandomWorld: builds the world of a Plan, with both whole roles in it, and lets it happen:
//
//   client --lan-- gateway ==2..3 uplinks== exchange -- concentrator -- server
//                                           caller --/
//
// Connection i goes to server port kFirstPort + i. Judging what came of it is verdict.h's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/concentrator.h"
#include "gateway/gateway.h"
#include "stack/ip/layer.h"
#include "tests/sim/random/caller.h"
#include "tests/sim/random/edge_watch.h"
#include "tests/sim/random/plan.h"
#include "tests/support/roles/app_host.h"
#include "tests/support/roles/exchange.h"
#include "tests/support/roles/role_host.h"
#include "tests/support/sim/injector.h"
#include "tests/support/sim/nat.h"
#include "tests/support/sim/tcp_boxes.h"
#include "tests/support/sim/world.h"

namespace braid::sim {

inline constexpr std::uint16_t kFirstPort = 1000;
inline constexpr const char* kGatewayLan4 = "192.168.77.1";
inline constexpr const char* kGatewayLan6 = "fd77::1";

class RandomWorld {
 public:
  explicit RandomWorld(const Plan& plan);

  const Plan& plan() const { return plan_; }
  World& world() { return world_; }
  gateway::Gateway& gateway() { return *gateway_; }
  gateway::Concentrator& concentrator() { return *concentrator_; }
  // The client's App of a connection; nullptr before it was started.
  App* client_app(std::size_t connection) const { return client_apps_[connection]; }
  // Those the server accepted for it: more than one when the gateway had to try again.
  std::vector<App*> server_apps(std::size_t connection) const;
  // Whether its MPTCP connection has become plain TCP, as the gateway or the concentrator sees it
  // now.
  bool has_fallen_back(std::size_t connection) const;
  const Caller& caller() const { return *caller_; }
  // Echo requests to an address that answers, on a way that loses nothing, against what came back.
  std::optional<std::string> missing_echoes() const;
  // An uplink was lost, or a subflow reset from outside, while this connection's handshake may have
  // been under way (see Plan::may_be_cut_off).
  bool may_be_cut_off(const ConnectionPlan& connection, Instant established) const;
  // Nothing is left in either role: no flow, no connection, no byte.
  bool is_drained() const;
  // A window that a role promised to the client or the server was taken back. Seen where packets
  // keep their order.
  bool took_window_back() const;
  // What is left, in words.
  std::string remains() const;
  // Writes what each host but the exchange sends and gets to DIRECTORY/host-interface.pcap.
  void capture(const std::string& directory);

 private:
  void connect_links();
  void add_walls();
  void add_boxes(LinkId link, const std::vector<BoxPlan>& boxes, std::size_t uplink);
  void make_hosts();
  void make_roles();
  void schedule_uplink(std::size_t index);
  void schedule_connection(std::size_t index);
  void schedule_call(std::size_t index);
  void schedule_noise(const NoisePlan& noise);
  void set_carrier(std::size_t uplink, gateway::UplinkState::Link link);
  wire::IpAddress uplink_address(std::size_t uplink) const;

  Plan plan_;
  World world_;
  HostId client_id_, gateway_id_, exchange_id_, concentrator_id_, server_id_, caller_id_;
  LinkId lan_ = 0, far_ = 0, server_link_ = 0;
  std::vector<LinkId> uplink_links_;
  std::vector<std::vector<Nat*>> nats_;    // by uplink
  std::vector<unsigned> address_changes_;  // by uplink
  Exchange exchange_;
  Injector *lan_noise_ = nullptr, *far_noise_ = nullptr, *server_noise_ = nullptr;
  std::vector<Injector*> uplink_noise_;
  struct Echo {
    const Injector* where;
    Packet request;  // whole, before it was cut
  };
  std::vector<Echo> echoes_;  // that must be answered
  std::uint8_t strangers_ = 0;
  std::unique_ptr<ip::Layer> gateway_ip_, concentrator_ip_;
  Random gateway_random_, concentrator_random_;
  std::unique_ptr<AppHost> client_, server_;
  std::unique_ptr<Caller> caller_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<gateway::Concentrator> concentrator_;
  std::unique_ptr<RoleHost> gateway_host_, concentrator_host_;
  std::vector<App*> client_apps_;
  std::vector<const EdgeWatch*> watches_;
  std::vector<const RstInjector*> resetters_;  // with the exact number: no other RST is an excuse
};

}  // namespace braid::sim
