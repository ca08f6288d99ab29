// InsideDoor: the TUN with its addresses, and its place in the event loop. Both roles have one.
#pragma once

#include <memory>

#include "gateway/config.h"
#include "gateway/host.h"
#include "platform/event_loop.h"
#include "platform/netlink_socket.h"
#include "platform/tun.h"

namespace braid::program {

class InsideDoor {
 public:
  // Creates the interface, gives it its addresses and brings it up. Throws StartError.
  InsideDoor(platform::EventLoop& loop, platform::NetlinkSocket& netlink,
             const gateway::TunConfig& config, gateway::Host& host);
  ~InsideDoor();
  InsideDoor(const InsideDoor&) = delete;
  InsideDoor& operator=(const InsideDoor&) = delete;

  std::uint32_t link_index() const { return link_index_; }
  const platform::DeviceCounters& counters() const { return tun_->counters(); }

 private:
  platform::EventLoop& loop_;
  gateway::Host& host_;
  std::unique_ptr<platform::Tun> tun_;
  std::uint32_t link_index_ = 0;
};

}  // namespace braid::program
