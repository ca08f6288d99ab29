// Segment: one TCP segment, or a super-segment, as a plain struct. What machines, tests and logs
// speak; bytes exist only at the edge (parse_packet, make_packet).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/packet.h"
#include "stack/base/seq.h"
#include "stack/wire/ip_address.h"
#include "stack/wire/tcp_options.h"

namespace braid::wire {

enum class Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

struct TcpFlags {
  bool fin = false, syn = false, rst = false, psh = false, ack = false, urg = false, ece = false,
       cwr = false;
  bool operator==(const TcpFlags&) const = default;
};

struct Segment {
  Endpoint source;
  Endpoint destination;
  SeqNum seq;
  SeqNum ack;  // meaningful with flags.ack
  TcpFlags flags;
  std::uint16_t window = 0;  // as on the wire, unscaled
  std::uint16_t urgent_pointer = 0;
  TcpOptions options;
  Ecn ecn = Ecn::kNotEct;
  std::uint8_t hop_limit = 64;
  std::uint16_t gso_size = 0;  // payload bytes of each piece of a super-segment; 0: one piece
  Slices payload;

  // Sequence space occupied: payload, SYN and FIN.
  std::uint32_t seq_length() const { return payload.size() + flags.syn + flags.fin; }
  SeqNum seq_end() const { return seq + seq_length(); }
  bool operator==(const Segment&) const = default;
};

// An ICMP or ICMPv6 error about a TCP packet of ours.
struct IcmpError {
  enum class Kind : std::uint8_t {
    kNetUnreachable,
    kHostUnreachable,
    kProtocolUnreachable,
    kPortUnreachable,
    kAdminProhibited,
    kPacketTooBig,
    kTimeExceeded,
    kOther,
  };
  Kind kind = Kind::kOther;
  std::uint8_t type = 0;  // as on the wire, of the family of `source`
  std::uint8_t code = 0;
  std::uint32_t mtu = 0;  // with kPacketTooBig; 0 when the router gave none
  IpAddress reporter;
  Endpoint source;  // of the packet of ours that provoked it
  Endpoint destination;
  SeqNum seq;
  bool operator==(const IcmpError&) const = default;
};

// Reads a TCP packet. `tcp` starts at the TCP header; source and destination ports, options and
// payload are filled in, the payload points into `tcp`. Nothing for a malformed header.
std::optional<Segment> parse_tcp(const IpAddress& source, const IpAddress& destination, Bytes tcp);
// The transport checksum of a TCP packet is right (RFC 9293 3.1); all of it is read.
bool tcp_checksum_ok(const IpAddress& source, const IpAddress& destination, Bytes tcp);

// Builds the packet: IPv4 or IPv6 header and TCP header in PacketOut::header, payload as slices,
// the TCP checksum left to the device (pseudo-header sum in place). The addresses' families must
// agree, and the total length must be at most 65535. IPv4 packets carry DF and this identification.
PacketOut make_packet(const Segment& segment, std::uint16_t ipv4_identification);
// Fills in the checksum and copies everything into one run of bytes: for devices without offload.
std::vector<std::uint8_t> flatten(const PacketOut& packet);

// Like tcpdump: "10.0.0.1:80 > 10.0.0.2:1234: [S.] seq 1:1 ack 2 win 65535 <mss 1460,...> len 0".
std::string describe(const Segment& segment);
std::string describe(const TcpOptions& options);
std::string describe(const MptcpOption& option);
std::ostream& operator<<(std::ostream& out, const Segment& segment);
std::ostream& operator<<(std::ostream& out, const TcpOptions& options);
std::ostream& operator<<(std::ostream& out, const MptcpOption& option);

}  // namespace braid::wire
