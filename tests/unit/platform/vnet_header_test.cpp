#include "platform/vnet_header.h"

#include <doctest/doctest.h>

#include <vector>

namespace braid::platform {

namespace {

PacketOut tcp_packet(std::uint8_t version, std::uint16_t gso_size, Bytes payload) {
  PacketOut packet{};
  packet.header[0] = static_cast<std::uint8_t>(version << 4 | 5);
  packet.transport_offset = version == 4 ? 20 : 40;
  packet.header_length = static_cast<std::uint16_t>(packet.transport_offset + 32);
  packet.checksum_offset = 16;
  packet.gso_size = gso_size;
  packet.payload.append(payload);
  return packet;
}

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("a super-packet of either family says how it is cut and where the checksum goes") {
  const std::vector<std::uint8_t> payload(5000);
  CHECK(vnet_header_for(tcp_packet(4, 1400, payload), 14) == VnetHeader{.flags = 1,
                                                                        .gso_type = 1,
                                                                        .header_length = 66,
                                                                        .gso_size = 1400,
                                                                        .checksum_start = 34,
                                                                        .checksum_offset = 16});
  CHECK(vnet_header_for(tcp_packet(6, 1400, payload), 0) == VnetHeader{.flags = 1,
                                                                       .gso_type = 4,
                                                                       .header_length = 72,
                                                                       .gso_size = 1400,
                                                                       .checksum_start = 40,
                                                                       .checksum_offset = 16});
}

TEST_CASE("a payload of exactly one piece goes as a plain packet, one byte more does not") {
  const std::vector<std::uint8_t> payload(1401);
  const Bytes bytes(payload);
  const auto plain = vnet_header_for(tcp_packet(4, 1400, bytes.first(1400)), 14);
  CHECK(plain.gso_type == VnetHeader::kGsoNone);
  CHECK(plain.gso_size == 0);
  CHECK(vnet_header_for(tcp_packet(4, 1400, bytes), 14).gso_type == VnetHeader::kGsoTcp4);
}

TEST_CASE("a packet with a complete checksum asks for nothing") {
  PacketOut packet = tcp_packet(4, 0, {});
  packet.checksum_offset = 0;
  CHECK(vnet_header_for(packet, 14) == VnetHeader{});
}

TEST_CASE("of an incoming header only piece size and checksum state are taken") {
  const std::vector<std::uint8_t> bytes(60);
  VnetHeader vnet{.gso_type = 1, .header_length = 9, .gso_size = 1448, .checksum_start = 7777};
  CHECK(packet_from(vnet, bytes).gso_size == 1448);
  CHECK(packet_from(vnet, bytes).checksum == ChecksumState::kUnverified);
  CHECK(packet_from(vnet, bytes).bytes.data() == bytes.data());
  vnet.flags = VnetHeader::kDataValid;
  CHECK(packet_from(vnet, bytes).checksum == ChecksumState::kVerified);
  vnet.flags = VnetHeader::kDataValid | VnetHeader::kNeedsChecksum;
  CHECK(packet_from(vnet, bytes).checksum == ChecksumState::kPartial);
}

TEST_CASE("the ECN flag beside the type does not hide a super-packet, other types are none") {
  const std::vector<std::uint8_t> bytes(60);
  CHECK(packet_from({.gso_type = 0x84, .gso_size = 1200}, bytes).gso_size == 1200);
  CHECK(packet_from({.gso_type = 3, .gso_size = 1200}, bytes).gso_size == 0);
  CHECK(packet_from({.gso_type = 0, .gso_size = 1200}, bytes).gso_size == 0);
}
TEST_SUITE_END();

}  // namespace braid::platform
