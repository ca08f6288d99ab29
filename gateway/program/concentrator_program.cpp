#include "gateway/program/concentrator_program.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "gateway/program/addresses.h"
#include "gateway/program/reload.h"
#include "gateway/program/start.h"
#include "platform/links.h"
#include "platform/nft_plan.h"

namespace braid::program {

ConcentratorProgram::ConcentratorProgram(const gateway::ConcentratorConfig& config,
                                         std::string path)
    : config_(config),
      path_(std::move(path)),
      random_(start::random_key()),
      netlink_(start::netlink()),
      events_(start::netlink_events()),
      follower_(
          netlink_, {config_.listen_interface},
          [this](std::size_t, const platform::LinkState& state) { listen_link_changed(state); }),
      concentrator_(config_, ip_, random_) {
  start::clear_leftovers(netlink_);
  inside_ = std::make_unique<InsideDoor>(loop_, netlink_, config_.tun, concentrator_);
  start::prepare_host(settings_, {.uplinks = {config_.listen_interface},
                                  .tun = config_.tun.name,
                                  .local_ports = {config_.listen_port, config_.listen_port}});
  load_table();
  outside_ = std::make_unique<OutsideDoor>(
      loop_, netlink_,
      OutsideDoor::Settings{.interface = config_.listen_interface,
                            .number = gateway::kOutside,
                            .local_ports = {config_.listen_port, config_.listen_port},
                            .peers = {},
                            .gateways = {}},
      concentrator_);
  follower_.settle();
  refresh_own_addresses();
  if (config_.allow.empty()) platform::log_warning("allow: is empty, so nobody may connect");
  watch_netlink();
  for (const int signal_number : {SIGTERM, SIGINT}) {
    loop_.on_signal(signal_number, [this](Instant) { stop_or_drain(); });
  }
  loop_.on_signal(SIGHUP, [this](Instant) {
    reload(path_, &gateway::load_concentrator_config, concentrator_);
  });
  loop_.on_flush([this](Instant now) { return flush(now); });
}

ConcentratorProgram::~ConcentratorProgram() { start::clear_leftovers(netlink_); }

void ConcentratorProgram::run() {
  platform::log_info("concentrator: {} port {}", config_.listen_interface, config_.listen_port);
  loop_.run();
  platform::log_info("concentrator: stopped");
}

void ConcentratorProgram::load_table() {
  platform::ConcentratorNftPlan plan;
  plan.listen_interface = config_.listen_interface;
  plan.listen_port = config_.listen_port;
  plan.tun = config_.tun.name;
  start::load_table(table_, platform::nft_text(plan));
}

void ConcentratorProgram::listen_link_changed(const platform::LinkState& state) {
  outside_->update(state);
  std::vector<wire::IpAddress> listening;
  for (const wire::InterfaceAddress& p : outside_->addresses()) listening.push_back(p.address);
  concentrator_.set_listen_addresses(listening, state.link ? state.link->mtu : 1500);
  platform::log_info("{}: {}, {} addresses", config_.listen_interface,
                     outside_->up() ? "up" : "down", listening.size());
}

void ConcentratorProgram::refresh_own_addresses() {
  std::vector<wire::InterfaceAddress> own;
  if (const auto all = platform::all_usable_addresses(netlink_)) {
    for (const platform::LinkAddress& a : *all) own.push_back(to_wire(a.prefix));
  }
  concentrator_.set_own_addresses(std::move(own));
}

void ConcentratorProgram::watch_netlink() {
  loop_.watch(events_.fd(), [this](Instant now) {
    events_.drain({.message =
                       [this, now](const platform::NetlinkMessage& message) {
                         outside_->on_event(message, now);
                         follower_.on_event(message);
                         if (message.type == RTM_NEWADDR || message.type == RTM_DELADDR) {
                           own_addresses_stale_ = true;
                         }
                       },
                   .overrun =
                       [this] {
                         outside_->forget();
                         follower_.suspect_all();
                         own_addresses_stale_ = true;
                       }});
  });
}

void ConcentratorProgram::stop_or_drain() {
  if (phase_ == Phase::kDraining) return loop_.stop();
  phase_ = Phase::kDraining;
  concentrator_.drain();
  platform::log_info("concentrator: draining, {} connections left; once more to stop at once",
                     concentrator_.active_sessions());
}

Instant ConcentratorProgram::flush(Instant now) {
  follower_.settle();
  if (std::exchange(own_addresses_stale_, false)) refresh_own_addresses();
  concentrator_.flush(now);
  if (phase_ == Phase::kDraining && concentrator_.active_sessions() == 0) loop_.stop();
  return std::min(concentrator_.next_deadline(), outside_->maintain(now));
}

}  // namespace braid::program
