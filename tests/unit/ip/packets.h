// Packets for the tests of the ip room: whole TCP packets, and their fragments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stack/base/packet.h"
#include "stack/ip/header.h"
#include "stack/wire/ip_header.h"
#include "stack/wire/segment.h"

namespace braid::ip::test {

using Packet = std::vector<std::uint8_t>;

inline wire::IpAddress address(const char* text) { return *wire::IpAddress::parse(text); }

inline std::vector<std::uint8_t> pattern(std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

// A data segment of one family; the payload is the caller's.
inline wire::Segment segment(wire::Family family, Bytes payload) {
  const bool v4 = family == wire::Family::kIpv4;
  wire::Segment s;
  s.source = {address(v4 ? "192.0.2.1" : "2001:db8::1"), 40000};
  s.destination = {address(v4 ? "198.51.100.7" : "2001:db8:7::7"), 443};
  s.seq = SeqNum(1000);
  s.ack = SeqNum(2000);
  s.flags = {.psh = true, .ack = true};
  s.window = 512;
  s.payload = Slices(payload);
  return s;
}

// The packet of a segment, checksums complete.
inline Packet packet_of(const wire::Segment& s) { return wire::flatten(wire::make_packet(s, 7)); }

inline Header header_of(const Packet& packet) { return std::get<Header>(parse_header(packet)); }

// One piece of a whole packet: bytes [begin, end) behind its fixed header; end 0 means the rest.
inline Packet fragment(const Packet& whole, std::uint32_t begin, std::uint32_t end,
                       std::uint32_t identification = 99) {
  Header h = header_of(whole);
  const auto size = static_cast<std::uint32_t>(h.transport.size());
  const bool last = end == 0 || end == size;
  if (end == 0) end = size;
  h.fragment = FragmentInfo{.identification = identification, .offset = begin, .more = !last};
  return build_packet(h, h.transport.subspan(begin, end - begin));
}

// The packet with bytes put between its fixed header and what follows, lengths and the IPv4
// checksum made right. `next` is the extension's number (IPv6 only); the extension's first byte is
// filled in.
inline Packet with_extension(Packet packet, std::uint8_t next, std::vector<std::uint8_t> bytes) {
  if (packet[0] >> 4 == 4) {
    packet.insert(packet.begin() + 20, bytes.begin(), bytes.end());
    packet[0] = static_cast<std::uint8_t>(0x45 + bytes.size() / 4);
    store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
    store_be16(&packet[10], 0);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 20 + bytes.size(); i += 2) sum += load_be16(&packet[i]);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    store_be16(&packet[10], static_cast<std::uint16_t>(~sum));
    return packet;
  }
  bytes[0] = packet[6];
  packet[6] = next;
  packet.insert(packet.begin() + 40, bytes.begin(), bytes.end());
  store_be16(&packet[4], static_cast<std::uint16_t>(packet.size() - 40));
  return packet;
}

// An ICMP or ICMPv6 message with its checksum, from `source` to `destination`.
inline Packet icmp_packet(const wire::IpAddress& source, const wire::IpAddress& destination,
                          std::vector<std::uint8_t> message) {
  const bool v4 = source.is_v4();
  std::uint64_t sum = 0;
  if (!v4) {
    sum = message.size() + wire::kProtocolIcmpv6;
    for (const Bytes a : {source.bytes(), destination.bytes()}) {
      for (std::size_t i = 0; i < a.size(); i += 2) sum += load_be16(&a[i]);
    }
  }
  for (std::size_t i = 0; i < message.size(); ++i) {
    sum += i % 2 == 0 ? message[i] << 8 : message[i];
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  store_be16(&message[2], static_cast<std::uint16_t>(~sum));
  Header h;
  h.source = source;
  h.destination = destination;
  h.first_protocol = h.protocol = v4 ? wire::kProtocolIcmp : wire::kProtocolIcmpv6;
  h.hop_limit = 64;
  return build_packet(h, message);
}

inline Packet echo_request(const wire::IpAddress& source, const wire::IpAddress& destination,
                           std::size_t data) {
  std::vector<std::uint8_t> message = {
      static_cast<std::uint8_t>(source.is_v4() ? 8 : 128), 0, 0, 0, 0x12, 0x34, 0, 1};
  const auto body = pattern(data);
  message.insert(message.end(), body.begin(), body.end());
  return icmp_packet(source, destination, message);
}

}  // namespace braid::ip::test
