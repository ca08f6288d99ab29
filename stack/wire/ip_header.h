// The IPv4 header (RFC 791) and the IPv6 header with its extension headers (RFC 8200) as one
// struct.
//
// Reading checks everything a receiver must; it does not reassemble: a fragment is reported as
// such. Writing makes a plain header without options or extensions.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"

namespace braid::wire {

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

inline constexpr std::size_t kIpv4HeaderBytes = 20;
inline constexpr std::size_t kIpv6HeaderBytes = 40;

struct IpHeader {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;        // of what follows header_length; for IPv6 after the extensions
  std::uint8_t hop_limit = 64;      // TTL
  std::uint8_t traffic_class = 0;   // DSCP and, in the low two bits, ECN
  std::uint32_t flow_label = 0;     // IPv6, 20 bits
  std::uint32_t header_length = 0;  // bytes up to the transport header; writing ignores it
  std::uint32_t total_length = 0;   // bytes of the whole packet, at most 65535 (IPv6: + 40)

  // Fragmentation; for IPv6 from the Fragment header. Writing puts these into IPv4 headers only.
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // bytes, a multiple of eight
  std::uint32_t identification = 0;

  bool is_fragment() const { return more_fragments || fragment_offset != 0; }
  bool operator==(const IpHeader&) const = default;
};

// Reads the header of a packet; bytes after total_length are link padding and allowed. Nothing for
// a wrong version or length, an IPv4 header whose checksum is wrong, or an extension header out of
// its bounds. Behind the first fragment there is no transport header: ask is_fragment().
std::optional<IpHeader> parse_ip_header(Bytes packet);

// Bytes write_ip_header() needs: 20 or 40.
std::size_t ip_header_bytes(const IpHeader& header);
// Writes the header, the IPv4 checksum included. The families must agree, total_length must fit.
std::size_t write_ip_header(const IpHeader& header, MutableBytes to);

}  // namespace braid::wire
