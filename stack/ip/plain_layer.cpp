#include "stack/ip/plain_layer.h"

#include <utility>

namespace braid::ip {

Input PlainLayer::accept(InterfaceId /*interface*/, const PacketIn& packet, const Header& header,
                         Instant now) {
  if (!header.fragment) return interpret(header, packet);
  auto whole = reassemble(reassembler_, header, now);
  if (!whole) return Nothing{};
  whole_ = *std::move(whole);
  return interpret_whole(whole_);
}

void PlainLayer::fire_timers(Instant now) {
  counters_.reassembly_failed += reassembler_.expire(now);
}

}  // namespace braid::ip
