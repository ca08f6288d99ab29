#include "stack/wire/ip_header.h"

#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/wire/checksum.h"

namespace braid::wire {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kOffsetMask = 0x1fff;  // in units of eight bytes

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kDestinationOptions = 60;

std::optional<IpHeader> parse_ipv4(Bytes packet) {
  if (packet.size() < kIpv4HeaderBytes) return std::nullopt;
  const std::uint8_t* p = packet.data();
  IpHeader header;
  header.header_length = (p[0] & 0xfU) * 4;
  header.total_length = load_be16(p + 2);
  if (header.header_length < kIpv4HeaderBytes || header.total_length < header.header_length ||
      header.total_length > packet.size()) {
    return std::nullopt;
  }
  InternetSum sum;
  sum.add(packet.first(header.header_length));
  if (sum.checksum() != 0) return std::nullopt;

  header.traffic_class = p[1];
  header.identification = load_be16(p + 4);
  const std::uint16_t fragment = load_be16(p + 6);
  header.dont_fragment = (fragment & kDontFragment) != 0;
  header.more_fragments = (fragment & kMoreFragments) != 0;
  header.fragment_offset = static_cast<std::uint16_t>((fragment & kOffsetMask) * 8);
  header.hop_limit = p[8];
  header.protocol = p[9];
  header.source = IpAddress::from_bytes(packet.subspan(12, 4));
  header.destination = IpAddress::from_bytes(packet.subspan(16, 4));
  return header;
}

// Walks to the transport header. False when an extension leaves the packet.
bool skip_extensions(Bytes packet, IpHeader& header) {
  while (true) {
    const std::uint8_t type = header.protocol;
    if (type != kHopByHop && type != kRouting && type != kFragment && type != kDestinationOptions) {
      return true;
    }
    const std::size_t at = header.header_length;
    if (header.total_length - at < 8) return false;
    const std::uint8_t* p = packet.data() + at;
    std::size_t length = 8;
    if (type == kFragment) {
      const std::uint16_t fragment = load_be16(p + 2);
      header.fragment_offset = fragment & 0xfff8;
      header.more_fragments = (fragment & 1) != 0;
      header.identification = load_be32(p + 4);
    } else {
      length = (p[1] + std::size_t{1}) * 8;
    }
    if (header.total_length - at < length) return false;
    header.protocol = p[0];
    header.header_length = static_cast<std::uint32_t>(at + length);
    if (header.fragment_offset != 0) return true;  // what follows is the middle of something
  }
}

std::optional<IpHeader> parse_ipv6(Bytes packet) {
  if (packet.size() < kIpv6HeaderBytes) return std::nullopt;
  const std::uint8_t* p = packet.data();
  IpHeader header;
  const std::uint32_t first = load_be32(p);
  header.traffic_class = static_cast<std::uint8_t>(first >> 20);
  header.flow_label = first & 0xfffff;
  header.header_length = kIpv6HeaderBytes;
  header.total_length = static_cast<std::uint32_t>(kIpv6HeaderBytes + load_be16(p + 4));
  if (header.total_length > packet.size()) return std::nullopt;
  header.protocol = p[6];
  header.hop_limit = p[7];
  header.source = IpAddress::from_bytes(packet.subspan(8, 16));
  header.destination = IpAddress::from_bytes(packet.subspan(24, 16));
  if (!skip_extensions(packet, header)) return std::nullopt;
  return header;
}

void write_ipv4(const IpHeader& header, MutableBytes to) {
  ENSURE(header.total_length >= kIpv4HeaderBytes && header.total_length <= 65535);
  ENSURE(header.fragment_offset % 8 == 0 && header.identification <= 0xffff);
  std::uint8_t* p = to.data();
  p[0] = 0x45;
  p[1] = header.traffic_class;
  store_be16(p + 2, static_cast<std::uint16_t>(header.total_length));
  store_be16(p + 4, static_cast<std::uint16_t>(header.identification));
  store_be16(p + 6, static_cast<std::uint16_t>((header.dont_fragment ? kDontFragment : 0) |
                                               (header.more_fragments ? kMoreFragments : 0) |
                                               header.fragment_offset / 8));
  p[8] = header.hop_limit;
  p[9] = header.protocol;
  store_be16(p + 10, 0);
  std::copy_n(header.source.bytes().begin(), 4, p + 12);
  std::copy_n(header.destination.bytes().begin(), 4, p + 16);
  InternetSum sum;
  sum.add(to.first(kIpv4HeaderBytes));
  store_be16(p + 10, sum.checksum());
}

void write_ipv6(const IpHeader& header, MutableBytes to) {
  ENSURE(header.total_length >= kIpv6HeaderBytes);
  ENSURE(header.total_length - kIpv6HeaderBytes <= 65535 && header.flow_label <= 0xfffff);
  std::uint8_t* p = to.data();
  store_be32(p, 6U << 28 | std::uint32_t{header.traffic_class} << 20 | header.flow_label);
  store_be16(p + 4, static_cast<std::uint16_t>(header.total_length - kIpv6HeaderBytes));
  p[6] = header.protocol;
  p[7] = header.hop_limit;
  std::copy_n(header.source.bytes().begin(), 16, p + 8);
  std::copy_n(header.destination.bytes().begin(), 16, p + 24);
}

}  // namespace

std::optional<IpHeader> parse_ip_header(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  switch (packet[0] >> 4) {
    case 4: return parse_ipv4(packet);
    case 6: return parse_ipv6(packet);
    default: return std::nullopt;
  }
}

std::size_t ip_header_bytes(const IpHeader& header) {
  return header.source.is_v4() ? kIpv4HeaderBytes : kIpv6HeaderBytes;
}

std::size_t write_ip_header(const IpHeader& header, MutableBytes to) {
  const std::size_t length = ip_header_bytes(header);
  ENSURE(header.source.family() == header.destination.family() && to.size() >= length);
  if (header.source.is_v4()) {
    write_ipv4(header, to);
  } else {
    write_ipv6(header, to);
  }
  return length;
}

}  // namespace braid::wire
