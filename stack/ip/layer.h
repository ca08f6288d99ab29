// ip::Layer: IP packets in, what they carry out. The only room that sees lwIP.
//
// A machine like every other: receive() takes one packet and returns what the layer above must
// know, flush() gives what has to be sent, next_deadline() says when to come back. Two forms:
//   LwipLayer   lwIP's input checks, reassembly and echo; its state is global, so one at a time
//   PlainLayer  the same answers from plain code: for the other hosts of a simulation
// Both accept *any* destination: a gateway ends connections addressed to the whole world.
//
// Timers by name:
//   reassembly   runs once a second while a fragment waits for the others (30 s IPv4, 60 s IPv6)
// TCP does not go out through here: wire::make_packet builds it and a Door sends it.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "stack/base/packet.h"
#include "stack/base/time.h"
#include "stack/ip/icmp.h"
#include "stack/ip/reassembler.h"
#include "stack/wire/segment.h"

namespace braid::ip {

// A small number the caller chose for a door.
using InterfaceId = std::uint32_t;

// A packet that is neither TCP nor an error about it. The layer above decides, or lets it be.
struct Datagram {
  wire::IpAddress source;
  wire::IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint8_t hop_limit = 0;
  wire::Ecn ecn = wire::Ecn::kNotEct;
  Slices payload;  // from the transport header on
};

struct Nothing {};  // dropped and counted, kept for reassembly, or answered here

// Slices in it live as long as the packet's bytes, and at most until the next receive().
using Input = std::variant<Nothing, wire::Segment, wire::IcmpError, Datagram>;

// A packet to be sent by the caller; valid until the next flush().
struct Outgoing {
  InterfaceId interface = 0;
  PacketOut packet;
  std::vector<std::uint8_t> body;  // what packet.payload points to, if anything
};

struct Counters {
  std::uint64_t received = 0;
  std::uint64_t malformed = 0;  // header, lengths, extension headers, TCP header
  std::uint64_t bad_header_checksum = 0;
  std::uint64_t bad_transport_checksum = 0;  // TCP and ICMP
  std::uint64_t not_unicast = 0;             // a source or destination that is no single host
  std::uint64_t fragments = 0;
  std::uint64_t reassembled = 0;        // datagrams
  std::uint64_t reassembly_failed = 0;  // datagrams that timed out or made room
  std::uint64_t fragments_refused = 0;  // overlapping, repeated, or without room
  std::uint64_t icmp_errors_in = 0;
  std::uint64_t icmp_sent = 0;
  std::uint64_t icmp_suppressed = 0;  // by the rate limit or the queue's bound
};

class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  // The addresses whose echo requests are answered (by the lwIP form); every other echo request
  // comes back as a Datagram.
  void set_own_addresses(std::vector<wire::IpAddress> addresses);

  // Takes one packet that came in by `interface`.
  Input receive(InterfaceId interface, const PacketIn& packet, Instant now);

  // Queues an ICMP error, unless too many went lately.
  void report(InterfaceId interface, const IcmpReport& report, Instant now);

  // Fires timers that are due and returns what is to be sent, in order.
  const std::vector<Outgoing>& flush(Instant now);

  // Instant::min() when something waits to be sent; kNever unless a fragment is queued otherwise.
  Instant next_deadline() const;

  const Counters& counters() const { return counters_; }

 protected:
  // A packet, or a fragment, whose header is sound and whose addresses are single hosts.
  virtual Input accept(InterfaceId interface, const PacketIn& packet, const Header& header,
                       Instant now) = 0;
  virtual void fire_timers(Instant now) = 0;
  virtual Instant reassembly_deadline() const = 0;

  // What a whole datagram carries. `header.transport` must live as long as the Input.
  Input interpret(const Header& header, const PacketIn& packet);
  // The same for a datagram made of fragments: no device vouched for its checksum.
  Input interpret_whole(Bytes packet);
  // Adds a fragment and counts; the datagram when this was its last missing piece.
  std::optional<std::vector<std::uint8_t>> reassemble(Reassembler& reassembler,
                                                      const Header& header, Instant now);
  // Puts a whole IP packet, header included, on the queue.
  void enqueue(InterfaceId interface, std::vector<std::uint8_t> packet, Instant now);
  bool is_own(const wire::IpAddress& address) const;

  Counters counters_;

 private:
  static constexpr std::size_t kMaxQueued = 64;
  bool may_send_icmp(Instant now);

  std::vector<wire::IpAddress> own_addresses_;
  IcmpLimiter limiter_;
  std::vector<Outgoing> queued_;
  std::vector<Outgoing> flushed_;
};

}  // namespace braid::ip
