// The IP header of one packet, read once and strictly: IPv4 with options, IPv6 with its extension
// headers (RFC 791, RFC 8200 section 4). Bytes are only looked at, never changed, and nothing beyond
// the packet is read. What it rejects does not reach lwIP, whose own checks read before they test.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"
#include "stack/wire/segment.h"

namespace braid::ip {

// Protocol numbers this room knows by name; any other is carried as a plain number.
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolFragment = 44;
inline constexpr std::uint8_t kProtocolIcmp6 = 58;

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

// The Internet checksum (RFC 1071) of `bytes`, as it would be stored; 0 over bytes that include a
// right one. `initial` is a sum to start from.
std::uint16_t internet_checksum(Bytes bytes, std::uint32_t initial = 0);
// Sum of the pseudo-header both families put before an upper-layer checksum (RFC 8200 8.1).
std::uint32_t pseudo_header_sum(const wire::IpAddress& source, const wire::IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length);

}  // namespace braid::ip
