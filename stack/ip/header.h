// The IP header of one packet, read once and strictly: IPv4 with options, IPv6 with its extension
// headers (RFC 791, RFC 8200 section 4). Bytes are only looked at, never changed, and nothing
// beyond the packet is read. Stricter than wire::parse_ip_header in what extension headers may
// hold: what is rejected here does not reach lwIP, whose own checks read before they test.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"
#include "stack/wire/segment.h"

namespace braid::ip {

inline constexpr std::uint8_t kProtocolFragment = 44;

// Where a fragment belongs in its datagram.
struct FragmentInfo {
  std::uint32_t identification = 0;
  std::uint32_t offset = 0;  // bytes
  bool more = false;
  bool operator==(const FragmentInfo&) const = default;
};

struct Header {
  wire::IpAddress source;
  wire::IpAddress destination;
  std::uint8_t protocol = 0;        // of `transport`, behind every extension header
  std::uint8_t first_protocol = 0;  // as in the fixed header; of an IPv6 fragment what follows it
  std::uint8_t hop_limit = 0;
  wire::Ecn ecn = wire::Ecn::kNotEct;
  std::optional<FragmentInfo> fragment;  // an atomic fragment (RFC 6946) is none
  std::uint32_t length = 0;              // bytes before `transport`
  // The rest of the packet, link-layer padding cut off; of a fragment its piece of the datagram.
  Bytes transport;
};

enum class Malformed {
  kTooShort,
  kVersion,
  kLength,           // the header's lengths disagree with the packet
  kHeaderChecksum,   // IPv4 only
  kExtensionHeader,  // truncated, misplaced, an unknown option that must not be skipped, a route
  kFragment,         // not a multiple of eight bytes, empty, or past the end of any datagram
};

std::variant<Header, Malformed> parse_header(Bytes packet);

// The packet with the least header that says the same: options and extension headers gone, the
// fragment header kept if header.fragment is set, `transport` behind it. At most 65535 bytes of
// IPv4, or of IPv6 payload.
std::vector<std::uint8_t> build_packet(const Header& header, Bytes transport);

}  // namespace braid::ip
