// What a network device does to super-packets: cutting on the way out (TSO, checksum offload) and
// joining on the way in (GRO). As Linux does it, because that is what braid meets.
#pragma once

#include <vector>

#include "stack/base/packet.h"
#include "tests/support/sim/link_model.h"

namespace braid::sim {

// The packets a device puts on the wire. Pieces of a super-packet repeat all TCP options; sequence
// numbers and the IPv4 identification go up; FIN and PSH are on the last piece, CWR on the first.
// The checksum is completed from the partial sum found in the packet: a wrong one stays wrong.
std::vector<Packet> segment(const PacketOut& packet);

struct Received {
  Packet packet;
  std::uint16_t gso_size = 0;
  ChecksumState checksum = ChecksumState::kUnverified;
};

// Joins consecutive packets of one TCP flow that a device would: right checksum, equal options, ACK
// number, window and flags, payloads of one size (the last may be smaller). What is joined carries
// the pseudo-header's sum only, as the kernel hands it over.
std::vector<Received> coalesce(std::vector<Packet> packets);

}  // namespace braid::sim
