// Tuple: what identifies a TCP connection of this host.
#pragma once

#include <cstdint>

#include "stack/wire/ip_address.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

// A door's number, chosen by the owner of the Layer.
using InterfaceId = std::uint32_t;

// Its interface and both ends. `local` is ours.
struct Tuple {
  InterfaceId interface = 0;
  wire::Endpoint local;
  wire::Endpoint remote;
  bool operator==(const Tuple&) const = default;
};

// The connection an arriving segment belongs to.
inline Tuple tuple_of(InterfaceId interface, const wire::Segment& segment) {
  return {interface, segment.destination, segment.source};
}

}  // namespace braid::tcp
