#include "tests/sim/random/random_world.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/ip/lwip_layer.h"
#include "tests/support/sim/icmp_boxes.h"

namespace braid::sim {

namespace {

wire::IpAddress address(const std::string& text) { return *wire::IpAddress::parse(text); }

LinkSettings uplink_link(LinkSettings settings) {
  settings.mtu = 1500;
  return settings;
}

gateway::GatewayConfig gateway_config(const Plan& plan) {
  std::string uplinks;
  for (std::size_t i = 0; i < plan.uplinks.size(); ++i) {
    uplinks += fmt::format("  - {{ name: u{0}, interface: wan{0}, use: {1} }}\n", i,
                           plan.uplinks[i].backup ? "backup" : "regular");
  }
  gateway::GatewayConfig config = gateway::parse_gateway_config(
      fmt::format("lan: {{ interfaces: [lan0] }}\nuplinks:\n{}"
                  "concentrator: {{ address: [203.0.113.5, \"2001:db8:5::5\"] }}\n"
                  "dss_checksums: {}\n",
                  uplinks, plan.gateway_checksums ? "required" : "when_asked"),
      "gateway.yaml");
  config.memory_bytes = plan.gateway_memory;
  config.congestion_control = plan.algorithm;
  config.scheduler = plan.scheduler;
  return config;
}

gateway::ConcentratorConfig concentrator_config(const Plan& plan) {
  gateway::ConcentratorConfig config = gateway::parse_concentrator_config(
      fmt::format("listen: {{ interface: eth0 }}\nallow: [ 10.0.0.0/8, \"fd00::/16\" ]\n"
                  "targets: {{ private: true }}\ndss_checksums: {}\n",
                  plan.concentrator_checksums ? "required" : "when_asked"),
      "concentrator.yaml");
  config.memory_bytes = plan.concentrator_memory;
  config.congestion_control = plan.algorithm;
  config.scheduler = plan.scheduler;
  return config;
}

std::unique_ptr<ip::Layer> make_ip(bool lwip) {
  if (lwip) return std::make_unique<ip::LwipLayer>();
  return std::make_unique<ip::PlainLayer>();
}

}  // namespace

RandomWorld::RandomWorld(const Plan& plan)
    : plan_(plan),
      world_(plan.seed),
      client_id_(world_.add_host()),
      gateway_id_(world_.add_host({plan.gateway_latency})),
      exchange_id_(world_.add_host()),
      concentrator_id_(world_.add_host({plan.concentrator_latency})),
      server_id_(world_.add_host()),
      caller_id_(world_.add_host()),
      address_changes_(plan.uplinks.size()),
      gateway_ip_(make_ip(plan.lwip == Plan::Lwip::kGateway)),
      concentrator_ip_(make_ip(plan.lwip == Plan::Lwip::kConcentrator)),
      gateway_random_(world_.fork_random()),
      concentrator_random_(world_.fork_random()),
      client_apps_(plan.connections.size()) {
  connect_links();
  make_hosts();
  make_roles();
  for (std::size_t i = 0; i < plan_.uplinks.size(); ++i) schedule_uplink(i);
  for (std::size_t i = 0; i < plan_.connections.size(); ++i) schedule_connection(i);
  for (std::size_t i = 0; i < plan_.calls.size(); ++i) schedule_call(i);
  for (const NoisePlan& noise : plan_.noise) schedule_noise(noise);
  if (plan_.client_vanishes_at) {
    world_.at(Instant() + *plan_.client_vanishes_at, [this] { client_->vanish(); });
  }
}

void RandomWorld::connect_links() {
  lan_ = world_.connect({client_id_, 0}, {gateway_id_, gateway::kInside}, plan_.lan.link);
  far_ = world_.connect({exchange_id_, 0}, {concentrator_id_, gateway::kOutside}, LinkSettings{});
  server_link_ =
      world_.connect({concentrator_id_, gateway::kInside}, {server_id_, 0}, plan_.server_side.link);
  // Beside the client, the exchange and the concentrator's inside: nearest to end A.
  lan_noise_ = &world_.add_filter<Injector>(lan_);
  far_noise_ = &world_.add_filter<Injector>(far_);
  server_noise_ = &world_.add_filter<Injector>(server_link_);
  add_walls();
  add_boxes(lan_, plan_.lan.boxes, plan_.uplinks.size());
  if (plan_.orderly_inside) {
    watches_.push_back(&world_.add_filter<EdgeWatch>(lan_, Toward::kA));
    watches_.push_back(&world_.add_filter<EdgeWatch>(server_link_, Toward::kB));
  }
  // The LAN's watch stands on the wire's side of the boxes, the server side's before them: each
  // sees what its role sent.
  add_boxes(server_link_, plan_.server_side.boxes, plan_.uplinks.size());
  world_.door({gateway_id_, gateway::kInside}).set(plan_.lan.door);
  world_.door({concentrator_id_, gateway::kInside}).set(plan_.server_side.door);
  nats_.resize(plan_.uplinks.size());
  for (std::size_t i = 0; i < plan_.uplinks.size(); ++i) {
    const UplinkPlan& uplink = plan_.uplinks[i];
    const int interface = static_cast<int>(i) + 1;
    uplink_links_.push_back(world_.connect({gateway_id_, interface}, {exchange_id_, interface},
                                           uplink_link(uplink.up), uplink_link(uplink.down)));
    world_.door({gateway_id_, interface}).set(uplink.door);
    uplink_noise_.push_back(&world_.add_filter<Injector>(uplink_links_.back()));
    add_boxes(uplink_links_.back(), uplink.boxes, i);
    SimDoor& back = world_.door({exchange_id_, interface});
    exchange_.route(fmt::format("10.{}.0.0/16", i + 1).c_str(), back);
    exchange_.route(fmt::format("fd00:{}::/32", i + 1).c_str(), back);
  }
  world_.connect({caller_id_, 0}, {exchange_id_, 0x100}, LinkSettings{.delay = 5ms});
  for (const char* callers : {"10.9.0.0/16", "fd00:9::/32", "172.16.9.0/24"}) {
    exchange_.route(callers, world_.door({exchange_id_, 0x100}));
  }
  exchange_.route("203.0.113.0/24", world_.door({exchange_id_, 0}));
  exchange_.route("2001:db8:5::/64", world_.door({exchange_id_, 0}));
  world_.attach(exchange_id_, exchange_);
}

void RandomWorld::make_hosts() {
  client_ = std::make_unique<AppHost>(plan_.seed + 1, address("192.168.77.2"), address("fd77::2"),
                                      world_.door({client_id_, 0}));
  server_ = std::make_unique<AppHost>(plan_.seed + 2, address("198.51.100.2"),
                                      address("2001:db8:6::2"), world_.door({server_id_, 0}));
  world_.attach(client_id_, *client_);
  world_.attach(server_id_, *server_);
  caller_ = std::make_unique<Caller>(plan_.seed + 3, world_.door({caller_id_, 0}));
  world_.attach(caller_id_, *caller_);
}

void RandomWorld::make_roles() {
  gateway_ =
      std::make_unique<gateway::Gateway>(gateway_config(plan_), *gateway_ip_, gateway_random_);
  for (std::size_t i = 0; i <= plan_.uplinks.size(); ++i) {
    gateway_->set_door(static_cast<tcp::InterfaceId>(i),
                       &world_.door({gateway_id_, static_cast<int>(i)}));
  }
  for (std::size_t i = 0; i < plan_.uplinks.size(); ++i) {
    set_carrier(i, gateway::UplinkState::Link::kUp);
  }
  gateway_ip_->set_own_addresses({address(kGatewayLan4), address(kGatewayLan6)});
  gateway_host_ = std::make_unique<RoleHost>(*gateway_);
  world_.attach(gateway_id_, *gateway_host_);

  concentrator_ = std::make_unique<gateway::Concentrator>(concentrator_config(plan_),
                                                          *concentrator_ip_, concentrator_random_);
  for (const tcp::InterfaceId i : {gateway::kInside, gateway::kOutside}) {
    concentrator_->set_door(i, &world_.door({concentrator_id_, static_cast<int>(i)}));
  }
  concentrator_->set_listen_addresses({address("203.0.113.5"), address("2001:db8:5::5")}, 1500);
  concentrator_->set_own_addresses({*wire::InterfaceAddress::parse("203.0.113.5/24"),
                                    *wire::InterfaceAddress::parse("2001:db8:5::5/64")});
  concentrator_ip_->set_own_addresses({address("203.0.113.5"), address("2001:db8:5::5")});
  concentrator_host_ = std::make_unique<RoleHost>(*concentrator_);
  world_.attach(concentrator_id_, *concentrator_host_);
}

wire::IpAddress RandomWorld::uplink_address(std::size_t uplink) const {
  const unsigned host = 2 + address_changes_[uplink];
  return address(plan_.uplinks[uplink].family == wire::Family::kIpv4
                     ? fmt::format("10.{}.0.{}", uplink + 1, host)
                     : fmt::format("fd00:{}::{}", uplink + 1, host));
}

void RandomWorld::set_carrier(std::size_t uplink, gateway::UplinkState::Link link) {
  gateway::UplinkState state;
  state.link = link;
  const wire::IpAddress own = uplink_address(uplink);
  (own.is_v4() ? state.ipv4 : state.ipv6) = own;
  gateway_->set_uplink(uplink, state, world_.now());
}

void RandomWorld::schedule_uplink(std::size_t index) {
  const UplinkPlan& uplink = plan_.uplinks[index];
  using Link = gateway::UplinkState::Link;
  for (const OutagePlan& outage : uplink.outages) {
    const LinkState state = outage.state;
    world_.at(Instant() + outage.at, [this, index, state] {
      world_.set_state(uplink_links_[index], state);
      if (state == LinkState::kNoCarrier) set_carrier(index, Link::kDown);
    });
    const bool renumbered = outage.renumbered;
    world_.at(Instant() + outage.at + outage.length, [this, index, state, renumbered] {
      const auto& dies = plan_.uplinks[index].dies_at;
      const bool dead = dies && world_.now() >= Instant() + *dies;
      if (!dead) world_.set_state(uplink_links_[index], LinkState::kUp);
      if (renumbered) ++address_changes_[index];
      if (state == LinkState::kNoCarrier) set_carrier(index, Link::kUp);
    });
  }
  for (const Duration at : uplink.nat_rebinds) {
    world_.at(Instant() + at, [this, index] {
      for (Nat* nat : nats_[index]) nat->rebind();
    });
  }
  if (uplink.dies_at) {
    world_.at(Instant() + *uplink.dies_at,
              [this, index] { world_.set_state(uplink_links_[index], LinkState::kBlackHole); });
  }
}

void RandomWorld::schedule_connection(std::size_t index) {
  using Reading = AppScript::Reading;
  const ConnectionPlan& plan = plan_.connections[index];
  const auto port = static_cast<std::uint16_t>(kFirstPort + index);
  const Instant start = Instant() + plan.at;
  if (plan.port == ConnectionPlan::Server::kSilent) server_->listen_silently(port);
  const auto script = [this, &plan, start] {
    AppScript serving = plan.server;
    if (!plan.server_pause) return serving;
    const Instant from = start + plan.server_pause->at;
    const bool paused = world_.now() >= from && world_.now() < from + plan.server_pause->length;
    if (paused) serving.reading = Reading::kNo;
    return serving;
  };
  if (plan.port == ConnectionPlan::Server::kListens) server_->listen(port, script);
  if (plan.port == ConnectionPlan::Server::kCrosses) server_->listen_crossing(port, script);
  world_.at(start, [this, &plan, index, port] {
    const wire::Endpoint server{
        plan.family == wire::Family::kIpv4 ? address("198.51.100.2") : address("2001:db8:6::2"),
        port};
    client_apps_[index] = &client_->connect(server, plan.client, world_.now());
  });
  if (plan.client_resets_after) {
    world_.at(start + *plan.client_resets_after,
              [this, index] { client_apps_[index]->reset(world_.now()); });
  }
  const auto pause = [this, start](const PausePlan& when, auto apps) {
    const auto set = [this, apps](Reading reading) {
      return [apps, reading] {
        for (App* app : apps()) app->set_reading(reading);
      };
    };
    world_.at(start + when.at, set(Reading::kNo));
    world_.at(start + when.at + when.length, set(Reading::kYes));
  };
  if (plan.client_pause) {
    pause(*plan.client_pause, [this, index] { return std::vector<App*>{client_apps_[index]}; });
  }
  if (plan.server_pause) {
    pause(*plan.server_pause, [this, index] { return server_apps(index); });
  }
}

std::vector<App*> RandomWorld::server_apps(std::size_t connection) const {
  std::vector<App*> found;
  for (const auto& app : server_->apps()) {
    if (app->script().send_stream == plan_.connections[connection].server.send_stream) {
      found.push_back(app.get());
    }
  }
  return found;
}

bool RandomWorld::has_fallen_back(std::size_t connection) const {
  const auto port = static_cast<std::uint16_t>(kFirstPort + connection);
  for (const auto& [id, flow] : gateway_->flows()) {
    const mptcp::Connection* bundle = flow->bundle();
    if (flow->server().port != port || bundle == nullptr) continue;
    if (bundle->status().mode == mptcp::Mode::kFallback) return true;
  }
  for (const auto& [id, session] : concentrator_->sessions()) {
    if (session->server().port != port) continue;
    if (session->bundle().status().mode == mptcp::Mode::kFallback) return true;
  }
  return false;
}

bool RandomWorld::may_be_cut_off(const ConnectionPlan& connection, Instant established) const {
  std::vector<Duration> resets;
  for (const RstInjector* resetter : resetters_) {
    if (const auto at = resetter->done_at()) resets.push_back(*at - Instant());
  }
  return plan_.may_be_cut_off(connection, established, resets);
}

bool RandomWorld::is_drained() const {
  return gateway_->active_flows() == 0 && concentrator_->active_sessions() == 0 &&
         gateway_->tcp().size() == 0 && concentrator_->tcp().size() == 0 &&
         gateway_->mptcp().size() == 0 && concentrator_->mptcp().size() == 0 &&
         gateway_->pool().used_bytes() == 0 && concentrator_->pool().used_bytes() == 0;
}

bool RandomWorld::took_window_back() const {
  return std::any_of(watches_.begin(), watches_.end(),
                     [](const EdgeWatch* watch) { return watch->taken_back() > 0; });
}

std::string RandomWorld::remains() const {
  return fmt::format(
      "gateway: {} flows, {} tcp, {} mptcp, {} bytes; concentrator: {} sessions, {} tcp, {} mptcp, "
      "{} bytes",
      gateway_->active_flows(), gateway_->tcp().size(), gateway_->mptcp().size(),
      gateway_->pool().used_bytes(), concentrator_->active_sessions(), concentrator_->tcp().size(),
      concentrator_->mptcp().size(), concentrator_->pool().used_bytes());
}

void RandomWorld::capture(const std::string& directory) {
  world_.capture({client_id_, 0}, directory + "/client.pcap");
  world_.capture({concentrator_id_, gateway::kOutside}, directory + "/concentrator.pcap");
  world_.capture({server_id_, 0}, directory + "/server.pcap");
  for (std::size_t i = 0; i < plan_.uplinks.size(); ++i) {
    world_.capture({gateway_id_, static_cast<int>(i) + 1},
                   fmt::format("{}/uplink{}.pcap", directory, i));
  }
}

}  // namespace braid::sim
