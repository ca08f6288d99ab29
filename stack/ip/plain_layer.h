// PlainLayer: ip::Layer in plain code, with no global state: any number may live in one process.
// It differs from LwipLayer in one thing a peer can see: it answers no echo request.
#pragma once

#include <vector>

#include "stack/ip/layer.h"
#include "stack/ip/reassembler.h"

namespace braid::ip {

class PlainLayer final : public Layer {
 private:
  Input accept(InterfaceId interface, const PacketIn& packet, const Header& header,
               Instant now) override;
  void fire_timers(Instant now) override;
  Instant reassembly_deadline() const override { return reassembler_.next_deadline(); }

  Reassembler reassembler_;
  std::vector<std::uint8_t> whole_;  // the datagram last put together; an Input points into it
};

}  // namespace braid::ip
