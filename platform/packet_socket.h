// PacketSocket: an outside door. One uplink's packets, past the kernel's TCP, as super-packets.
//
// AF_PACKET/SOCK_RAW bound to the interface, with vnet headers. The kernel owns the uplink's
// addresses; this door only puts a link header in front (next hop from NextHops) and takes it off
// again. What it lets in is said in platform/packet_filter.h.
//
// The first packets to a neighbour whose link address is still being resolved are held, as the
// kernel itself would: losing a SYN to an ARP request would cost its sender a retransmission
// timeout.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "platform/device.h"
#include "platform/links.h"
#include "platform/next_hop.h"
#include "platform/packet_filter.h"
#include "platform/result.h"

namespace braid::platform {

class PacketSocket final : public Device {
 public:
  // Needs CAP_NET_RAW, and CAP_NET_ADMIN for big buffers. `next_hops` outlives the socket.
  ~PacketSocket() override;
  static Result<std::unique_ptr<PacketSocket>> open(const Link& link, const PacketFilter& filter,
                                                    NextHops& next_hops);

  std::error_code set_filter(const PacketFilter& filter);
  // The interface changed its MTU, MAC or limits. An interface that was deleted and came back under
  // another index needs a new socket.
  void set_link(const Link& link) { link_ = link; }
  const Link& link() const { return link_; }
  // Packets the kernel dropped since the last call because we did not read in time.
  std::uint64_t take_kernel_drops();

  std::optional<PacketIn> read() override;
  Sent send(const PacketOut& packet) override;
  std::uint32_t mtu() const override { return link_.mtu; }
  std::uint32_t max_super_packet() const override;

 private:
  PacketSocket(UniqueFd fd, Link link, NextHops& next_hops)
      : Device(std::move(fd)), link_(std::move(link)), next_hops_(next_hops) {}

  // A packet with its own copy of the payload.
  struct Held {
    PacketOut packet;
    std::vector<std::uint8_t> payload;
  };
  static constexpr std::size_t kMostHeld = 16;

  Sent hold(const PacketOut& packet);
  void send_held();
  Sent transmit(const PacketOut& packet, Bytes link_header);

  Link link_;
  NextHops& next_hops_;
  std::vector<Held> held_;  // in the order of sending
};

}  // namespace braid::platform
