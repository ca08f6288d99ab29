// What both programs do first: entropy, netlink, and clearing what a crashed run left behind.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "gateway/program/start_error.h"
#include "platform/entropy.h"
#include "platform/host_settings.h"
#include "platform/log.h"
#include "platform/netlink_socket.h"
#include "platform/nft_table.h"
#include "platform/routes.h"

namespace braid::program::start {

inline Random::Key random_key() {
  const auto key = platform::random_key();
  if (!key) throw StartError(fmt::format("no randomness: {}", key.error().message()));
  return *key;
}

inline platform::NetlinkSocket netlink() {
  auto socket = platform::NetlinkSocket::open();
  if (!socket) throw StartError(fmt::format("no netlink socket: {}", socket.error().message()));
  return std::move(*socket);
}

inline platform::NetlinkEvents netlink_events() {
  auto events = platform::NetlinkEvents::open();
  if (!events) throw StartError(fmt::format("no netlink events: {}", events.error().message()));
  return std::move(*events);
}

inline void clear_leftovers(platform::NetlinkSocket& netlink) {
  const auto cleared = platform::clear_own_rules_and_routes(netlink);
  if (!cleared) platform::log_warning("cannot clear old rules: {}", cleared.error().message());
}

// Calls `succeeds` until it does, for two seconds at most. A process that was just killed holds its
// TUN and its nftables table for some milliseconds more, and a restart must not fail for that.
template <typename Attempt>
void outlast_the_killed(Attempt succeeds) {
  for (int i = 0; i < 100 && !succeeds(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

inline void load_table(platform::NftTable& table, const std::string& text) {
  std::optional<std::string> problem;
  outlast_the_killed([&] { return !(problem = table.load(text)); });
  if (problem) throw StartError(fmt::format("cannot load the nftables table: {}", *problem));
}

// Sets what braid needs of the host, and names in one line each what a person must do. The TUN is
// there.
inline void prepare_host(platform::HostSettings& settings, const platform::HostNeeds& needs) {
  std::vector<std::string> advice = platform::prepare_host(settings, needs);
  for (const std::string& line :
       platform::forward_drop_advice(platform::forward_drop_chains(), needs.tun)) {
    advice.push_back(line);
  }
  for (const std::string& line : advice) platform::log_warning("{}", line);
}

}  // namespace braid::program::start
