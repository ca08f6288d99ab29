#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {

namespace {

constexpr const char* kGatewayConfig = R"(
lan: { interfaces: [lan0] }
uplinks:
  - { name: dsl, interface: wan1 }
  - { name: lte, interface: wan2 }
concentrator: { address: [203.0.113.5, "2001:db8:5::5"] }
)";

wire::IpAddress address(const char* text) { return *wire::IpAddress::parse(text); }

}  // namespace

TwoUplinks::TwoUplinks(std::uint64_t seed, TwoUplinksSettings settings)
    : world(seed),
      settings_(settings),
      client_id_(world.add_host()),
      gateway_id_(world.add_host()),
      exchange_id_(world.add_host()),
      concentrator_id_(world.add_host()),
      server_id_(world.add_host()),
      gateway_random_(world.fork_random()),
      concentrator_random_(world.fork_random()) {
  const LinkSettings wire{};
  lan = world.connect({client_id_, 0}, {gateway_id_, gateway::kInside}, wire);
  dsl = world.connect({gateway_id_, 1}, {exchange_id_, 1}, settings_.dsl);
  lte = world.connect({gateway_id_, 2}, {exchange_id_, 2}, settings_.lte);
  far = world.connect({exchange_id_, 0}, {concentrator_id_, gateway::kOutside}, wire);
  server_link =
      world.connect({concentrator_id_, gateway::kInside}, {server_id_, 0}, settings_.server_side);

  exchange_.route("10.1.0.0/24", world.door({exchange_id_, 1}));
  exchange_.route("fd00:1::/64", world.door({exchange_id_, 1}));
  exchange_.route("10.2.0.0/24", world.door({exchange_id_, 2}));
  exchange_.route("fd00:2::/64", world.door({exchange_id_, 2}));
  exchange_.route("203.0.113.0/24", world.door({exchange_id_, 0}));
  exchange_.route("2001:db8:5::/64", world.door({exchange_id_, 0}));
  world.attach(exchange_id_, exchange_);

  client = std::make_unique<AppHost>(seed + 1, address("192.168.77.2"), address("fd00:77::2"),
                                     world.door({client_id_, 0}));
  server = std::make_unique<AppHost>(seed + 2, address("198.51.100.2"), address("2001:db8:6::2"),
                                     world.door({server_id_, 0}));
  world.attach(client_id_, *client);
  world.attach(server_id_, *server);
  make_gateway();
  make_concentrator();
}

void TwoUplinks::make_gateway() {
  gateway_ = std::make_unique<gateway::Gateway>(
      gateway::parse_gateway_config(kGatewayConfig, "gateway.yaml"), gateway_ip_, gateway_random_);
  for (tcp::InterfaceId i = 0; i <= 2; ++i) {
    gateway_->set_door(i, &world.door({gateway_id_, static_cast<int>(i)}));
  }
  set_uplink_link(0, gateway::UplinkState::Link::kUp);
  set_uplink_link(1, gateway::UplinkState::Link::kUp);
  gateway_host_ = std::make_unique<RoleHost>(*gateway_);
  world.attach(gateway_id_, *gateway_host_);
}

void TwoUplinks::make_concentrator() {
  concentrator_ip_ = std::make_unique<ip::PlainLayer>();
  concentrator_ = std::make_unique<gateway::Concentrator>(
      gateway::parse_concentrator_config(settings_.concentrator, "concentrator.yaml"),
      *concentrator_ip_, concentrator_random_);
  for (const tcp::InterfaceId i : {gateway::kInside, gateway::kOutside}) {
    concentrator_->set_door(i, &world.door({concentrator_id_, static_cast<int>(i)}));
  }
  concentrator_->set_listen_addresses({address("203.0.113.5"), address("2001:db8:5::5")}, 1500);
  concentrator_->set_own_addresses({*wire::InterfaceAddress::parse("203.0.113.5/24"),
                                    *wire::InterfaceAddress::parse("2001:db8:5::5/64")});
  concentrator_host_ = std::make_unique<RoleHost>(*concentrator_);
  world.attach(concentrator_id_, *concentrator_host_);
}

wire::Endpoint TwoUplinks::server_at(std::uint16_t port, wire::Family family) const {
  return {address(family == wire::Family::kIpv4 ? "198.51.100.2" : "2001:db8:6::2"), port};
}

void TwoUplinks::set_uplink_link(std::size_t uplink, gateway::UplinkState::Link link) {
  gateway::UplinkState state;
  state.link = link;
  const bool v4 = settings_.outside == wire::Family::kIpv4;
  if (v4) state.ipv4 = address(uplink == 0 ? "10.1.0.2" : "10.2.0.2");
  if (!v4) state.ipv6 = address(uplink == 0 ? "fd00:1::2" : "fd00:2::2");
  gateway_->set_uplink(uplink, state, world.now());
}

void TwoUplinks::kill_concentrator() {
  world.detach(concentrator_id_);
  concentrator_host_.reset();
  concentrator_.reset();
}

void TwoUplinks::restart_concentrator() { make_concentrator(); }

}  // namespace braid::sim
