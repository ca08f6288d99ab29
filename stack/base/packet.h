// Packet: what crosses a door, and Door: the machine's view of a device that sends.
//
// An IP packet in, as bytes with what the device said of it; an IP packet out, as a small header
// buffer and payload slices that are never copied in user space. Both may be super-packets:
// gso_size is the TCP payload of each piece the device will cut, 0 for a plain packet.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/bytes.h"

namespace braid {

// What a device says of the transport checksum of a packet it delivers.
enum class ChecksumState {
  kUnverified,
  kVerified,
  kPartial
};  // kPartial: not filled in yet, local

struct PacketIn {
  Bytes bytes;  // from the IP header on; valid during the call
  std::uint16_t gso_size = 0;
  ChecksumState checksum = ChecksumState::kUnverified;
};

struct PacketOut {
  // IP + TCP headers: 40 + 60, and room for an IPv6 extension; also whole small packets (ICMP).
  std::array<std::uint8_t, 128> header;
  std::uint16_t header_length = 0;     // bytes of `header` in use
  std::uint16_t transport_offset = 0;  // where the TCP/UDP/ICMP header starts in `header`
  // Where the device must put the checksum, from transport_offset; 0: it is complete already. When
  // set, the field holds the pseudo-header sum (virtio_net's NEEDS_CSUM contract).
  std::uint16_t checksum_offset = 0;
  std::uint16_t gso_size = 0;
  Slices payload;

  std::uint32_t total_length() const { return header_length + payload.size(); }
};

// An outgoing device. Sending happens now or not at all: nothing is queued behind the machine's
// back.
class Door {
 public:
  enum class Sent { kYes, kLost, kBusy };  // kLost: ENOBUFS, a local loss; kBusy: not taken, retry

  virtual ~Door() = default;
  // False after kBusy until the device is writable again: the sender must not commit bytes to it.
  virtual bool ready() const = 0;
  virtual Sent send(const PacketOut& packet) = 0;
  // The link MTU in bytes, and the largest super-packet (total IP length) the device takes.
  virtual std::uint32_t mtu() const = 0;
  virtual std::uint32_t max_super_packet() const = 0;
};

}  // namespace braid
