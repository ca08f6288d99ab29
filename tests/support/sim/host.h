// Host: whatever stands at the end of links in a simulated world: a machine with interfaces.
#pragma once

#include "stack/base/packet.h"
#include "stack/base/time.h"

namespace braid::sim {

enum class Carrier { kOff, kOn };

class Host {
 public:
  virtual ~Host() = default;
  // A packet came in. What is to be sent because of it is sent from flush, which follows.
  virtual void receive(int interface, const PacketIn& packet, Instant now) = 0;
  virtual void flush(Instant now) = 0;
  // When flush wants to be called again; the past: at once.
  virtual Instant next_deadline() = 0;
  // An interface lost its link or got it back (LinkState::kNoCarrier only).
  virtual void carrier_changed(int /*interface*/, Carrier /*carrier*/, Instant /*now*/) {}
};

}  // namespace braid::sim
