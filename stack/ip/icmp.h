// ICMP and ICMPv6 errors about TCP (RFC 792, RFC 1191, RFC 4443): reading those that concern
// packets of ours, and writing those a client must see. Echo is not handled here.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/packet.h"
#include "stack/base/time.h"
#include "stack/ip/header.h"
#include "stack/wire/segment.h"

namespace braid::ip {

// Reads the ICMP message in `header.transport`. Nothing unless it is an error that quotes at least
// the addresses, ports and sequence number of a TCP packet. The checksum is not looked at.
std::optional<wire::IcmpError> parse_icmp_error(const Header& header);

// True when the message checksum is right; all of `header.transport` is read.
bool icmp_checksum_ok(const Header& header);

// An error to be written: `offending` is the packet that provoked it (its payload is not looked at,
// only its length), `reporter` the address that says so, of the same family. The error goes to
// offending.source.
struct IcmpReport {
  wire::IcmpError::Kind kind = wire::IcmpError::Kind::kHostUnreachable;
  wire::IpAddress reporter;
  wire::Segment offending;
  std::uint32_t mtu = 0;  // with kPacketTooBig
};

// Builds the error whole, checksum included, in PacketOut::header. It quotes the IP header and as
// much of the TCP header as fits, at least 40 bytes of it. `report.kind` must not be kOther.
PacketOut make_icmp_error(const IcmpReport& report);

// Limits the errors sent, as RFC 1812 4.3.2.8 and RFC 4443 2.4(f) demand: a token bucket.
class IcmpLimiter {
 public:
  static constexpr std::uint32_t kBurst = 50;
  static constexpr Duration kInterval = 1ms;  // one more every interval

  // True when one more may go now; then it is counted as gone.
  bool admit(Instant now);

 private:
  std::uint32_t tokens_ = kBurst;
  Instant filled_ = Instant::min();  // when tokens_ was right
};

}  // namespace braid::ip
