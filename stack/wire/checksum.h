// The internet checksum (RFC 1071) and its two users here: the TCP checksum with its pseudo-header
// (RFC 9293 3.1, RFC 8200 8.1) and the DSS checksum of MPTCP (RFC 8684 3.3.1, M57).
#pragma once

#include <cstdint>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"

namespace braid::wire {

// A one's complement sum over bytes that come in pieces of any length, also odd ones: the pieces
// are summed as the one run they form.
class InternetSum {
 public:
  void add(Bytes bytes);
  void add(const Slices& bytes);
  // A number, as its big-endian bytes; only after an even count of bytes.
  void add_be16(std::uint16_t value);
  void add_be32(std::uint32_t value);
  void add_be64(std::uint64_t value);

  // The sum in 16 bits: what a pseudo-header leaves in a checksum field.
  std::uint16_t folded() const;
  // Its complement: what goes on the wire.
  std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  std::uint64_t sum_ = 0;  // of big-endian 16-bit words, not folded
  bool odd_ = false;       // an odd count of bytes so far
};

// `transport_length`: bytes of transport header and payload.
InternetSum pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                              std::uint8_t protocol, std::uint32_t transport_length);

// The DSS checksum of a mapping: its data (which may have been summed piece by piece as it came,
// and is empty for a DATA_FIN alone) and the pseudo-header. `data_sequence` is always the 64-bit
// number. A mapping is intact when this equals the checksum it came with.
std::uint16_t dss_checksum(InternetSum data, std::uint64_t data_sequence,
                           std::uint32_t subflow_sequence, std::uint16_t data_length);

}  // namespace braid::wire
