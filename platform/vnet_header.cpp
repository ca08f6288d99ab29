#include "platform/vnet_header.h"

namespace braid::platform {

namespace {

constexpr std::uint16_t kTcpChecksumOffset = 16;

}  // namespace

VnetHeader vnet_header_for(const PacketOut& packet, std::uint16_t link_length) {
  ENSURE(packet.total_length() <= kMaxPacket);
  VnetHeader vnet;
  if (packet.checksum_offset != 0) {
    vnet.flags = VnetHeader::kNeedsChecksum;
    vnet.checksum_start = static_cast<std::uint16_t>(link_length + packet.transport_offset);
    vnet.checksum_offset = packet.checksum_offset;
    vnet.header_length = static_cast<std::uint16_t>(link_length + packet.header_length);
  }
  if (packet.gso_size != 0 && packet.payload.size() > packet.gso_size) {
    // Cutting is TCP's alone here; anything else in that place is refused with EINVAL.
    ENSURE(packet.checksum_offset == kTcpChecksumOffset);
    vnet.gso_type = packet.header[0] >> 4 == 4 ? VnetHeader::kGsoTcp4 : VnetHeader::kGsoTcp6;
    vnet.gso_size = packet.gso_size;
  }
  return vnet;
}

PacketIn packet_from(const VnetHeader& vnet, Bytes ip_packet) {
  PacketIn packet{.bytes = ip_packet};
  const auto type = static_cast<std::uint8_t>(vnet.gso_type & ~VnetHeader::kGsoEcn);
  if (type == VnetHeader::kGsoTcp4 || type == VnetHeader::kGsoTcp6) packet.gso_size = vnet.gso_size;
  if ((vnet.flags & VnetHeader::kNeedsChecksum) != 0) {
    packet.checksum = ChecksumState::kPartial;
  } else if ((vnet.flags & VnetHeader::kDataValid) != 0) {
    packet.checksum = ChecksumState::kVerified;
  }
  return packet;
}

}  // namespace braid::platform
