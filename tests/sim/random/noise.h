// Noise: packets nobody asked for, as they arrive at any door of a host on the Internet. They must
// harm nobody and be answered with no more than is owed: echo requests to a host's own address, and
// strays.
#pragma once

#include <vector>

#include "stack/base/random.h"
#include "tests/sim/random/plan.h"
#include "tests/support/sim/link_model.h"

namespace braid::sim {

// The bytes of an echo request behind its eight bytes of header.
inline constexpr std::uint32_t kEchoBytes = 64;
inline constexpr std::uint32_t kBigEchoBytes = 2800;

// What a stranger at `from` sends to `to`, in order; both of one family. Ports and contents are
// drawn.
std::vector<Packet> make_noise(NoisePlan::Kind kind, const wire::IpAddress& from,
                               const wire::Endpoint& to, Random& random);

}  // namespace braid::sim
