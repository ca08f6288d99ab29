// Packets for the simulator's own tests, made without stack/wire.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "stack/base/packet.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

struct TcpSketch {
  bool v4 = true;
  std::uint16_t source_port = 1000;
  std::uint16_t destination_port = 80;
  std::uint32_t seq = 5000;
  std::uint32_t ack = 77;
  std::uint8_t flags = kAck;
  std::uint16_t window = 500;
  std::vector<std::uint8_t> options;
};

inline Packet ip_packet(bool v4, std::uint8_t protocol, Bytes transport) {
  Packet packet(v4 ? 20 : 40);
  if (v4) {
    packet[0] = 0x45;
    store_be16(&packet[4], 300);
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = protocol;
    store_be32(&packet[12], 0x0a010002);
    store_be32(&packet[16], 0xcb007105);
    store_be16(&packet[2], static_cast<std::uint16_t>(20 + transport.size()));
  } else {
    packet[0] = 0x60;
    packet[6] = protocol;
    packet[7] = 64;
    store_be32(&packet[8], 0xfd000001);
    packet[23] = 2;
    store_be32(&packet[24], 0x20010db8);
    packet[39] = 5;
    store_be16(&packet[4], static_cast<std::uint16_t>(transport.size()));
  }
  packet.insert(packet.end(), transport.begin(), transport.end());
  PacketView::of(packet)->finish();
  return packet;
}

inline Packet tcp_packet(const TcpSketch& sketch, Bytes payload) {
  Packet tcp(20);
  store_be16(&tcp[0], sketch.source_port);
  store_be16(&tcp[2], sketch.destination_port);
  store_be32(&tcp[4], sketch.seq);
  store_be32(&tcp[8], sketch.ack);
  tcp[12] = static_cast<std::uint8_t>((5 + sketch.options.size() / 4) << 4);
  tcp[13] = sketch.flags;
  store_be16(&tcp[14], sketch.window);
  tcp.insert(tcp.end(), sketch.options.begin(), sketch.options.end());
  tcp.insert(tcp.end(), payload.begin(), payload.end());
  return ip_packet(sketch.v4, kTcp, tcp);
}

// The same as a device gets it: headers apart, the pseudo-header's sum in the checksum field.
// `payload` must outlive the result.
inline PacketOut super_packet(const TcpSketch& sketch, Bytes payload, std::uint16_t gso_size) {
  Packet whole = tcp_packet(sketch, payload);
  const auto view = PacketView::of(whole);
  PacketOut out;
  out.header_length = static_cast<std::uint16_t>(whole.size() - payload.size());
  out.transport_offset = static_cast<std::uint16_t>(view->ip_header_length());
  out.checksum_offset = 16;
  out.gso_size = gso_size;
  store_be16(view->transport() + 16, fold(view->pseudo_sum(view->transport_length())));
  std::copy_n(whole.begin(), out.header_length, out.header.begin());
  out.payload.append(payload);
  return out;
}

}  // namespace braid::sim
