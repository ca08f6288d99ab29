// Filter: a box in the middle of a link that sees every packet of both directions and may change,
// drop, hold, add or answer. Filters of a link stand in a row beside its end A, before the wire:
//
//   A ---[first]---[second]---(LinkModel)--- B
#pragma once

#include "stack/base/time.h"
#include "tests/support/sim/link_model.h"

namespace braid::sim {

enum class Toward { kA, kB };

constexpr Toward opposite(Toward t) { return t == Toward::kA ? Toward::kB : Toward::kA; }

class Filter {
 public:
  class Output {
   public:
    virtual ~Output() = default;
    // Sends a packet on from here, in either direction; it meets the filters that stand there.
    virtual void emit(Toward toward, Packet packet) = 0;
  };

  virtual ~Filter() = default;
  // A packet on its way; not emitting it is dropping it.
  virtual void pass(Packet packet, Toward toward, Instant now, Output& out) = 0;
  // For boxes that hold packets.
  virtual Instant next_deadline() { return kNever; }
  virtual void flush(Instant /*now*/, Output& /*out*/) {}
};

}  // namespace braid::sim
