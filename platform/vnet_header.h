// The vnet header: what a TUN or packet socket with IFF_VNET_HDR / PACKET_VNET_HDR puts before each
// packet (virtio_net_hdr): checksum still to be filled in, size of the pieces a super-packet is cut
// to.
//
// Of an incoming header only gso_type, gso_size and the checksum flags are taken: lengths and
// offsets in it are hints from outside, headers are parsed by whoever wants them.
#pragma once

#include <cstdint>

#include "stack/base/packet.h"

namespace braid::platform {

// Written out here because <linux/virtio_net.h> has a field named `class`. Host byte order.
struct VnetHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;
  static constexpr std::uint8_t kDataValid = 2;
  static constexpr std::uint8_t kGsoNone = 0;
  static constexpr std::uint8_t kGsoTcp4 = 1;
  static constexpr std::uint8_t kGsoTcp6 = 4;
  // A flag beside the type: CWR in the first piece only.
  static constexpr std::uint8_t kGsoEcn = 0x80;

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kGsoNone;
  std::uint16_t header_length = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;

  bool operator==(const VnetHeader&) const = default;
};
static_assert(sizeof(VnetHeader) == 10);

// The largest IP packet that crosses a door; the kernel takes more and mangles it.
inline constexpr std::uint32_t kMaxPacket = 65535;

// The header for a packet of ours behind `link_length` bytes of link header. A packet with gso_size
// whose payload fits one piece goes as a plain one.
VnetHeader vnet_header_for(const PacketOut& packet, std::uint16_t link_length);
// What the device says of an incoming IP packet.
PacketIn packet_from(const VnetHeader& vnet, Bytes ip_packet);

}  // namespace braid::platform
