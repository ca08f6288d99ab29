// The host's MPTCP endpoints and limits (of `ip mptcp`), as the stack's LocalPaths and
// announcements.
#include <algorithm>

#include "tests/packetdrill/shim/device.h"
#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

// Interfaces of joins towards addresses the peer advertised: one subflow each.
constexpr tcp::InterfaceId kFirstAdvertisedInterface = 100;

bool same(const MptcpEndpoint& a, const MptcpEndpoint& b) {
  return a.address == b.address && a.id == b.id && a.port == b.port && a.signal == b.signal &&
         a.subflow == b.subflow && a.backup == b.backup;
}

enum class Mtu { kUsual, kOfDevice };

mptcp::LocalPath plain_path(const wire::IpAddress& address, Mtu mtu) {
  mptcp::LocalPath path;
  path.address = address;
  path.mtu = mtu == Mtu::kOfDevice ? device_mtu(address) : kUsualMtu;
  path.max_super_payload = 0;
  return path;
}

}  // namespace

mptcp::LocalPath Host::first_path(const wire::IpAddress& local) const {
  const Mtu mtu = standard_settings_ ? Mtu::kUsual : Mtu::kOfDevice;
  mptcp::LocalPath path = plain_path(local, mtu);
  for (const MptcpEndpoint& endpoint : endpoints_) {
    if (endpoint.address == local) path.address_id = endpoint.id;
  }
  return path;
}

// Scripts change endpoints in mid-connection, so they are looked at whenever time or packets move.
void Host::refresh_paths() {
  std::vector<Socket*> connections;
  for_each_socket([&](Socket& socket) {
    if (socket.mptcp && socket.stream && socket.stream->mptcp() != nullptr) {
      connections.push_back(&socket);
    }
  });
  if (connections.empty() || standard_settings_) return;
  read_mptcp_settings(mptcp_settings_);
  const bool changed =
      !std::equal(endpoints_.begin(), endpoints_.end(), mptcp_settings_.endpoints.begin(),
                  mptcp_settings_.endpoints.end(), same);
  if (!changed) return;
  const std::vector<MptcpEndpoint> before = std::exchange(endpoints_, mptcp_settings_.endpoints);
  rebuild_paths();
  for (Socket* const socket : connections) {
    for (const MptcpEndpoint& old : before) {
      const bool kept = std::any_of(endpoints_.begin(), endpoints_.end(),
                                    [&](const MptcpEndpoint& e) { return e.id == old.id; });
      if (!kept && old.signal) socket->stream->mptcp()->withdraw(old.id, now_);
    }
    socket->stream->mptcp()->paths_changed(now_);
    announce_endpoints(*socket);
  }
}

// What a connection about to begin finds.
void Host::load_paths() {
  if (!standard_settings_) read_mptcp_settings(mptcp_settings_);
  endpoints_ = mptcp_settings_.endpoints;
  rebuild_paths();
}

void Host::rebuild_paths() {
  const Mtu mtu = standard_settings_ ? Mtu::kUsual : Mtu::kOfDevice;
  paths_.clear();
  // Where subflows may already be: the stack gives up those whose path is not in the list.
  std::set<wire::IpAddress> used;
  for_each_socket([&](Socket& socket) {
    if (socket.mptcp && !socket.local.address.is_unspecified()) used.insert(socket.local.address);
  });
  for (const MptcpEndpoint& endpoint : endpoints_) used.insert(endpoint.address);
  for (const wire::IpAddress& address : used) {
    mptcp::LocalPath path = first_path(address);
    path.towards = mptcp::LocalPath::Towards::kAdvertised;
    paths_.push_back(path);
  }
  tcp::InterfaceId interface = 1;
  for (const MptcpEndpoint& endpoint : endpoints_) {
    if (!endpoint.subflow) continue;
    mptcp::LocalPath path = plain_path(endpoint.address, mtu);
    path.interface = interface++;
    path.address_id = endpoint.id;
    path.backup = endpoint.backup;
    paths_.push_back(path);
  }
  if (mptcp_settings_.mptcp_add_addr_limit == 0) return;
  for (const wire::IpAddress& address : {default_v4_, default_v6_}) {
    mptcp::LocalPath path = plain_path(address, mtu);
    path.interface = kFirstAdvertisedInterface;
    path.towards = mptcp::LocalPath::Towards::kAdvertised;
    paths_.push_back(path);
  }
}

// The first subflow's own address needs no announcing.
void Host::announce_endpoints(Socket& socket) {
  for (const MptcpEndpoint& endpoint : endpoints_) {
    const bool told = socket.announced.contains(endpoint.id);
    if (!endpoint.signal || told || endpoint.address == socket.local.address) continue;
    socket.announced.insert(endpoint.id);
    const std::uint16_t port = endpoint.port != 0 ? endpoint.port : socket.local.port;
    socket.stream->mptcp()->announce(endpoint.id, {endpoint.address, port}, now_);
  }
}

std::optional<std::uint16_t> Host::allocate_port(const mptcp::LocalPath&, const wire::Endpoint&) {
  return free_port();
}

}  // namespace braid::pd
