// LwipLayer: ip::Layer on lwIP 2.1.3, the form the program runs.
//
// Theory of operation. lwIP keeps its state in globals and knows one interface here (a netif);
// before each packet that netif takes on the packet's destination, so lwIP believes every packet is
// its own. One raw pcb, set to the protocol at hand, is called with what passed lwIP's checks and
// reassembly.
//
//   receive -> parse_header (reads strictly: lwIP looks before it tests)
//           -> whole packet: a pbuf that refers to the device's bytes; nothing is copied
//           -> IPv4 fragment: a copy with a plain header (lwIP writes into what it queues, and
//           takes
//              no fragment with options)
//           -> IPv6 fragment: our Reassembler, then lwIP sees the whole. lwIP 2.1.3 does not look
//           for
//              a gap before a fragment it inserts between two others, and so completes a datagram
//              with a hole in it.
//   lwIP    -> on_raw: a Segment, IcmpError or Datagram is returned; an echo request to one of our
//   own
//              addresses is left to lwIP, whose answer waits for flush().
//
// Fragments are told apart by addresses and identification, not by interface, as RFC 791 has it.
// The only packets lwIP may send are echo replies: the door of a reassembly timeout's ICMP message
// is no longer known when it happens.
#pragma once

#include <memory>
#include <vector>

#include "stack/ip/layer.h"

namespace braid::ip {

class LwipLayer final : public Layer {
 public:
  LwipLayer();  // ENSUREs that there is no other
  ~LwipLayer() override;

 private:
  struct Glue;  // everything that knows lwIP's types
  friend struct Glue;

  Input accept(InterfaceId interface, const PacketIn& packet, const Header& header,
               Instant now) override;
  Input accept_ipv4_fragment(InterfaceId interface, const Header& header, Instant now);
  Input accept_ipv6_fragment(InterfaceId interface, const Header& header, Instant now);
  void fire_timers(Instant now) override;
  Instant reassembly_deadline() const override;

  std::unique_ptr<Glue> glue_;
  Reassembler ipv6_;
  Instant next_tick_ = kNever;       // of lwIP's IPv4 reassembly timer
  std::vector<std::uint8_t> whole_;  // the datagram last put together; an Input points into it
};

}  // namespace braid::ip
