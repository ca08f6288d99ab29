// The experimental form of the Fast Open option (RFC 6994: kind 254, magic 0xF989), rewritten in
// packets, so that the rest of the host knows one form only. A server answers in the client's form.
#pragma once

#include <cstdint>
#include <vector>

namespace braid::pd {

// True when there was one: it is of kind 34 now, followed by two NOPs.
bool from_experimental(std::vector<std::uint8_t>& packet);
// The reverse, where two NOPs follow the option and make room for the magic.
void to_experimental(std::vector<std::uint8_t>& packet);

}  // namespace braid::pd
