// What both programs do first: entropy, netlink, and clearing what a crashed run left behind.
#pragma once

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

// Sets what braid needs of the host, and names in one line each what a person must do. The TUN is there.
inline void prepare_host(platform::HostSettings& settings, const platform::HostNeeds& needs) {
  std::vector<std::string> advice = platform::prepare_host(settings, needs);
  for (const std::string& line :
       platform::forward_drop_advice(platform::forward_drop_chains(), needs.tun)) {
    advice.push_back(line);
  }
  for (const std::string& line : advice) platform::log_warning("{}", line);
}

}  // namespace braid::program::start
