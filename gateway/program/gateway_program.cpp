#include "gateway/program/gateway_program.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "gateway/program/addresses.h"
#include "gateway/program/reload.h"
#include "gateway/program/start.h"
#include "gateway/program/start_error.h"
#include "platform/capture.h"
#include "platform/clock.h"
#include "platform/log.h"

namespace braid::program {

namespace {

// Connection and routing mark of captured connections.
constexpr std::uint32_t kMark = 0x42;

// IPv6 and TCP headers with all options: what a super-packet needs beside its payload.
constexpr std::uint32_t kHeaderReserve = 100;

std::vector<std::string> interfaces_of(const gateway::GatewayConfig& config) {
  std::vector<std::string> names;
  for (const gateway::UplinkConfig& u : config.uplinks) names.push_back(u.interface);
  return names;
}

}  // namespace

GatewayProgram::GatewayProgram(const gateway::GatewayConfig& config, std::string path)
    : config_(config),
      path_(std::move(path)),
      random_(start::random_key()),
      netlink_(start::netlink()),
      events_(start::netlink_events()),
      follower_(netlink_, interfaces_of(config_),
                [this](std::size_t uplink, const platform::LinkState& link) {
                  uplink_changed(uplink, link);
                }),
      gateway_(config_, ip_, random_),
      other_traffic_(netlink_) {
  start::clear_leftovers(netlink_);
  inside_ = std::make_unique<InsideDoor>(loop_, netlink_, config_.tun, gateway_);
  prepare_host();
  open_uplinks();
  install_capture();
  watch_netlink();
  watch_signals();
  loop_.on_flush([this](Instant now) { return flush(now); });
}

GatewayProgram::~GatewayProgram() { start::clear_leftovers(netlink_); }

void GatewayProgram::run() {
  platform::log_info("gateway: {} uplinks, concentrator port {}", uplinks_.size(),
                     config_.concentrator_port);
  loop_.run();
  platform::log_info("gateway: stopped");
}

void GatewayProgram::prepare_host() {
  start::prepare_host(settings_, {.uplinks = interfaces_of(config_),
                                  .tun = config_.tun.name,
                                  .local_ports = {config_.first_port, config_.last_port}});
}

void GatewayProgram::open_uplinks() {
  for (std::size_t i = 0; i < config_.uplinks.size(); ++i) {
    const gateway::UplinkConfig& uplink = config_.uplinks[i];
    OutsideDoor::Settings settings{.interface = uplink.interface,
                                   .number = gateway::Uplinks::interface_of(i),
                                   .local_ports = {config_.first_port, config_.last_port},
                                   .peers = {},
                                   .gateways = {}};
    if (uplink.gateway_v4) settings.gateways.push_back(to_platform(*uplink.gateway_v4));
    if (uplink.gateway_v6) settings.gateways.push_back(to_platform(*uplink.gateway_v6));
    uplinks_.push_back(
        std::make_unique<OutsideDoor>(loop_, netlink_, std::move(settings), gateway_));
  }
  follower_.settle();
}

void GatewayProgram::uplink_changed(std::size_t uplink, const platform::LinkState& link) {
  OutsideDoor& door = *uplinks_[uplink];
  door.update(link);
  gateway::UplinkState state;
  state.link = door.up() ? gateway::UplinkState::Link::kUp : gateway::UplinkState::Link::kDown;
  state.ipv4 = door.address(wire::Family::kIpv4);
  state.ipv6 = door.address(wire::Family::kIpv6);
  if (link.link) state.mtu = link.link->mtu;
  if (door.socket() != nullptr) {
    state.max_super_payload = door.socket()->max_super_packet() - kHeaderReserve;
  }
  gateway_.set_uplink(uplink, state, platform::clock_now());
  routes_stale_ = true;
  platform::log_info("uplink {}: {}, IPv4 {}, IPv6 {}, MTU {}", config_.uplinks[uplink].name,
                     door.up() ? "up" : "down", state.ipv4 ? state.ipv4->to_string() : "none",
                     state.ipv6 ? state.ipv6->to_string() : "none", state.mtu);
}

void GatewayProgram::load_table(platform::GatewayNftPlan::NewConnections new_connections) {
  platform::GatewayNftPlan plan;
  plan.lan_interfaces = config_.lan_interfaces;
  plan.uplinks = interfaces_of(config_);
  for (const auto& address : {config_.concentrator_v4, config_.concentrator_v6}) {
    if (address) plan.concentrators.push_back(to_platform(*address));
  }
  plan.concentrator_port = config_.concentrator_port;
  plan.local_ports = {config_.first_port, config_.last_port};
  plan.mark = kMark;
  plan.new_connections = new_connections;
  plan.masquerade = config_.other_traffic == gateway::GatewayConfig::OtherTraffic::kFollow
                        ? platform::GatewayNftPlan::Masquerade::kForeignSources
                        : platform::GatewayNftPlan::Masquerade::kNone;
  start::load_table(table_, platform::nft_text(plan));
}

void GatewayProgram::install_capture() {
  load_table(platform::GatewayNftPlan::NewConnections::kCapture);
  platform::CapturePlan plan;
  plan.tun_index = inside_->link_index();
  plan.lan_interfaces = config_.lan_interfaces;
  plan.mark = kMark;
  plan.local = config_.capture == gateway::GatewayConfig::Capture::kLocal
                   ? platform::CapturePlan::Local::kCapture
                   : platform::CapturePlan::Local::kLeave;
  plan.tun_addresses = {to_platform(config_.tun.ipv4.address),
                        to_platform(config_.tun.ipv6.address)};
  require(platform::install_capture(netlink_, plan), "cannot install the capture rules");
  if (config_.other_traffic == gateway::GatewayConfig::OtherTraffic::kFollow) {
    require(other_traffic_.install(), "cannot install the rules for other traffic");
    gateway_.keep_settled_uplink_known();
    follow_other_traffic(platform::clock_now());
  }
}

void GatewayProgram::follow_other_traffic(Instant now) {
  if (config_.other_traffic != gateway::GatewayConfig::OtherTraffic::kFollow) return;
  const std::optional<std::size_t> settled = gateway_.settled_uplink(now);
  std::optional<platform::OtherTraffic::Way> way;
  if (settled && uplinks_[*settled]->link()) {
    way = platform::OtherTraffic::Way{.link_index = uplinks_[*settled]->link()->index,
                                      .ipv4 = uplinks_[*settled]->default_hop(AF_INET),
                                      .ipv6 = uplinks_[*settled]->default_hop(AF_INET6)};
  }
  if (const std::error_code error = other_traffic_.follow(way)) {
    platform::log_warning("other traffic: {}", error.message());
  }
  if (settled != followed_) {
    platform::log_info("other traffic follows {}",
                       settled ? config_.uplinks[*settled].name : "nobody");
    followed_ = settled;
  }
}

void GatewayProgram::watch_netlink() {
  loop_.watch(events_.fd(), [this](Instant now) {
    events_.drain({.message =
                       [this, now](const platform::NetlinkMessage& message) {
                         for (const auto& uplink : uplinks_) uplink->on_event(message, now);
                         follower_.on_event(message);
                         if (message.type == RTM_NEWROUTE || message.type == RTM_DELROUTE) {
                           routes_stale_ = true;
                         }
                       },
                   .overrun =
                       [this] {
                         for (const auto& uplink : uplinks_) uplink->forget();
                         follower_.suspect_all();
                         routes_stale_ = true;
                       }});
  });
}

void GatewayProgram::watch_signals() {
  for (const int signal_number : {SIGTERM, SIGINT}) {
    loop_.on_signal(signal_number, [this](Instant) { drain_or_stop(); });
  }
  loop_.on_signal(SIGHUP,
                  [this](Instant) { reload(path_, &gateway::load_gateway_config, gateway_); });
}

void GatewayProgram::drain_or_stop() {
  if (phase_ == Phase::kDraining) return loop_.stop();
  phase_ = Phase::kDraining;
  load_table(platform::GatewayNftPlan::NewConnections::kLeave);
  platform::log_info("gateway: draining, {} connections left; once more to stop at once",
                     gateway_.active_flows());
}

Instant GatewayProgram::flush(Instant now) {
  follower_.settle();
  if (std::exchange(routes_stale_, false) || gateway_.settled_uplink(now) != followed_) {
    follow_other_traffic(now);
  }
  gateway_.flush(now);
  if (phase_ == Phase::kDraining && gateway_.active_flows() == 0) loop_.stop();
  Instant next = gateway_.next_deadline();
  for (const auto& uplink : uplinks_) next = std::min(next, uplink->maintain(now));
  return next;
}

}  // namespace braid::program
