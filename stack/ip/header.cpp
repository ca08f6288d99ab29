#include "stack/ip/header.h"

#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ip_header.h"

namespace braid::ip {
namespace {

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint32_t kMaxDatagram = 65535;

wire::Ecn ecn_of(unsigned traffic_class) { return static_cast<wire::Ecn>(traffic_class & 3); }

// `fixed_header`: what the reassembled datagram has before these bytes, at the least.
bool fragment_ok(const FragmentInfo& f, std::size_t fixed_header, std::size_t length) {
  if (length == 0 || (f.more && length % 8 != 0)) return false;
  return fixed_header + f.offset + length <= kMaxDatagram;
}

std::variant<Header, Malformed> parse_v4(Bytes packet) {
  if (packet.size() < wire::kIpv4HeaderBytes) return Malformed::kTooShort;
  const std::size_t header = (packet[0] & 0x0fU) * 4U;
  const std::size_t total = load_be16(&packet[2]);
  if (header < wire::kIpv4HeaderBytes || header > total || total > packet.size())
    return Malformed::kLength;
  wire::InternetSum sum;
  sum.add(packet.first(header));
  if (sum.checksum() != 0) return Malformed::kHeaderChecksum;
  Header h;
  h.source = wire::IpAddress::from_bytes(packet.subspan(12, 4));
  h.destination = wire::IpAddress::from_bytes(packet.subspan(16, 4));
  h.protocol = h.first_protocol = packet[9];
  h.hop_limit = packet[8];
  h.ecn = ecn_of(packet[1]);
  h.length = static_cast<std::uint32_t>(header);
  h.transport = packet.subspan(header, total - header);
  const unsigned flags_and_offset = load_be16(&packet[6]);
  if ((flags_and_offset & 0x3fffU) != 0) {
    h.fragment = FragmentInfo{.identification = load_be16(&packet[4]),
                              .offset = (flags_and_offset & 0x1fffU) * 8U,
                              .more = (flags_and_offset & 0x2000U) != 0};
    if (!fragment_ok(*h.fragment, wire::kIpv4HeaderBytes, h.transport.size()))
      return Malformed::kFragment;
  }
  return h;
}

// Every option of a Hop-by-Hop or Destination Options header lies inside it and may be skipped
// (RFC 8200 4.2: the top two bits of the type say what to do when it is unknown). Of those that
// must be known only the home address is, among Destination Options: for it there is nothing to do.
bool options_ok(std::uint8_t header_kind, Bytes options) {
  constexpr std::uint8_t kHomeAddress = 0xc9;
  while (!options.empty()) {
    const std::uint8_t type = options[0];
    if (type == 0) {  // Pad1
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options.size() - 2 < options[1]) return false;
    const bool known = type == kHomeAddress && header_kind == kDestinationOptions;
    if (type >> 6 != 0 && !known) return false;
    options = options.subspan(2U + options[1]);
  }
  return true;
}

// The walk along the extension headers of one IPv6 packet.
struct Ipv6Walk {
  Bytes rest;         // from the current header on
  std::uint8_t next;  // what the current header is
  bool first = true;

  // Steps over one header; false when it is malformed. Its own length is in `rest`.
  bool step() {
    if (rest.size() < 8) return false;
    const std::size_t length = 8U * (1U + rest[1]);
    if (length > rest.size()) return false;
    if (next == kHopByHop && !first) return false;
    if (next == kRouting) {
      if (rest[3] != 0) return false;  // segments left: we are no waypoint (RFC 5095)
    } else if (!options_ok(next, rest.subspan(2, length - 2))) {
      return false;
    }
    next = rest[0];
    rest = rest.subspan(length);
    first = false;
    return true;
  }
};

// Reads the fragment header the walk stands at. An atomic one is stepped over.
std::optional<Malformed> take_fragment(Ipv6Walk& walk, Header& h) {
  if (walk.rest.size() < 8) return Malformed::kExtensionHeader;
  const unsigned offset_and_flag = load_be16(&walk.rest[2]);
  const FragmentInfo info{.identification = load_be32(&walk.rest[4]),
                          .offset = offset_and_flag & 0xfff8U,
                          .more = (offset_and_flag & 1U) != 0};
  walk.next = walk.rest[0];
  walk.rest = walk.rest.subspan(8);
  walk.first = false;
  if (info.offset == 0 && !info.more) return std::nullopt;
  h.fragment = info;
  h.first_protocol = walk.next;
  if (!fragment_ok(info, wire::kIpv6HeaderBytes, walk.rest.size())) return Malformed::kFragment;
  return std::nullopt;
}

std::variant<Header, Malformed> parse_v6(Bytes packet) {
  if (packet.size() < wire::kIpv6HeaderBytes) return Malformed::kTooShort;
  const std::size_t payload = load_be16(&packet[4]);
  if (payload > packet.size() - wire::kIpv6HeaderBytes) return Malformed::kLength;
  Header h;
  h.source = wire::IpAddress::from_bytes(packet.subspan(8, 16));
  h.destination = wire::IpAddress::from_bytes(packet.subspan(24, 16));
  h.first_protocol = packet[6];
  h.hop_limit = packet[7];
  h.ecn = ecn_of(static_cast<unsigned>(packet[1]) >> 4);
  Ipv6Walk walk{.rest = packet.subspan(wire::kIpv6HeaderBytes, payload), .next = packet[6]};
  bool fragment_seen = false;
  while (!h.fragment) {
    if (walk.next == kProtocolFragment) {
      if (fragment_seen) return Malformed::kFragment;
      fragment_seen = true;
      if (auto bad = take_fragment(walk, h)) return *bad;
    } else if (walk.next == kHopByHop || walk.next == kRouting ||
               walk.next == kDestinationOptions) {
      if (!walk.step()) return Malformed::kExtensionHeader;
    } else {
      break;
    }
  }
  h.protocol = walk.next;
  h.transport = walk.rest;
  h.length = static_cast<std::uint32_t>(wire::kIpv6HeaderBytes + payload - walk.rest.size());
  return h;
}

}  // namespace

std::variant<Header, Malformed> parse_header(Bytes packet) {
  if (packet.empty()) return Malformed::kTooShort;
  switch (packet[0] >> 4) {
    case 4: return parse_v4(packet);
    case 6: return parse_v6(packet);
    default: return Malformed::kVersion;
  }
}

std::vector<std::uint8_t> build_packet(const Header& header, Bytes transport) {
  wire::IpHeader plain{.source = header.source,
                       .destination = header.destination,
                       .protocol = header.first_protocol,
                       .hop_limit = header.hop_limit,
                       .traffic_class = static_cast<std::uint8_t>(header.ecn)};
  const std::size_t fixed = wire::ip_header_bytes(plain);
  const bool extension = header.fragment && !header.source.is_v4();
  const std::size_t before = fixed + (extension ? 8U : 0U);
  ENSURE(before + transport.size() <= kMaxDatagram);
  std::vector<std::uint8_t> packet(before + transport.size());
  plain.total_length = static_cast<std::uint32_t>(packet.size());
  if (extension) {
    plain.protocol = kProtocolFragment;
    packet[fixed] = header.first_protocol;
    store_be16(&packet[fixed + 2], static_cast<std::uint16_t>(header.fragment->offset |
                                                              (header.fragment->more ? 1U : 0U)));
    store_be32(&packet[fixed + 4], header.fragment->identification);
  } else if (header.fragment) {
    plain.identification = header.fragment->identification;
    plain.fragment_offset = static_cast<std::uint16_t>(header.fragment->offset);
    plain.more_fragments = header.fragment->more;
  }
  wire::write_ip_header(plain, packet);
  std::copy(transport.begin(), transport.end(),
            packet.begin() + static_cast<std::ptrdiff_t>(before));
  return packet;
}

}  // namespace braid::ip
