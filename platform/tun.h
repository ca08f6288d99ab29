// Tun: the inside door. A TUN interface that passes super-packets both ways.
//
// IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, offloads CSUM | TSO4 | TSO6. Its addresses, MTU and state are
// set over netlink (platform/links.h). The interface goes when its descriptor is closed.
#pragma once

#include <memory>
#include <string>

#include "platform/device.h"
#include "platform/result.h"

namespace braid::platform {

class Tun final : public Device {
 public:
  // Creates the interface, or attaches to it where it exists and is a TUN nobody holds. Needs
  // CAP_NET_ADMIN. The interface lies in the network namespace of the caller.
  static Result<std::unique_ptr<Tun>> open(const std::string& name);

  const std::string& name() const { return name_; }
  // What the interface was configured with; 1500 until told otherwise.
  void set_mtu(std::uint32_t mtu) { mtu_ = mtu; }

  std::optional<PacketIn> read() override;
  Sent send(const PacketOut& packet) override;
  std::uint32_t mtu() const override { return mtu_; }
  std::uint32_t max_super_packet() const override;

 private:
  Tun(UniqueFd fd, std::string name) : Device(std::move(fd)), name_(std::move(name)) {}

  std::string name_;
  std::uint32_t mtu_ = 1500;
};

}  // namespace braid::platform
