// OutsideDoor: one outside interface as it comes and goes: its packet socket, next hops and
// addresses.
//
// The kernel owns the interface; update() is told what it is now and opens or closes the socket
// accordingly. An interface may vanish, come back under another index, lose its carrier, change its
// addresses or MTU; all of this is ordinary.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/host.h"
#include "platform/event_loop.h"
#include "platform/link_follower.h"
#include "platform/netlink_socket.h"
#include "platform/next_hop.h"
#include "platform/packet_socket.h"
#include "stack/wire/ip_address.h"

namespace braid::program {

class OutsideDoor {
 public:
  struct Settings {
    std::string interface;
    tcp::InterfaceId number = 0;
    platform::PortRange local_ports;
    std::vector<platform::IpAddress> peers;     // empty: anybody
    std::vector<platform::IpAddress> gateways;  // configured next hops
  };
  OutsideDoor(platform::EventLoop& loop, platform::NetlinkSocket& netlink, Settings settings,
              gateway::Host& host);
  ~OutsideDoor();
  OutsideDoor(const OutsideDoor&) = delete;
  OutsideDoor& operator=(const OutsideDoor&) = delete;

  void update(const platform::LinkState& state);
  // A message of the kernel that may concern this interface's neighbours and routes.
  void on_event(const platform::NetlinkMessage& message, Instant now);
  // The kernel's news were lost.
  void forget();
  // Keeps neighbours fresh; to be called once per flush. Returns when next.
  Instant maintain(Instant now);

  const std::string& interface() const { return settings_.interface; }
  bool up() const { return link_ && link_->up && socket_; }
  const std::optional<platform::Link>& link() const { return link_; }
  const std::vector<wire::InterfaceAddress>& addresses() const { return addresses_; }
  // Where a default route of this interface goes.
  std::optional<platform::RouteHop> default_hop(int family);
  // The first usable address of a family.
  std::optional<wire::IpAddress> address(wire::Family family) const;
  const platform::PacketSocket* socket() const { return socket_.get(); }

 private:
  void open_socket();
  void close_socket();

  platform::EventLoop& loop_;
  platform::NetlinkSocket& netlink_;
  Settings settings_;
  gateway::Host& host_;
  std::optional<platform::Link> link_;
  std::vector<wire::InterfaceAddress> addresses_;
  std::unique_ptr<platform::NextHops> next_hops_;
  std::unique_ptr<platform::PacketSocket> socket_;
};

}  // namespace braid::program
