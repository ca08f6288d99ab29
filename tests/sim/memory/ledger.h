// Ledger: how many bytes each role holds at the moment. It is kept by this program's operator new,
// which asks running_role whose they are; what is allocated outside of the roles counts for nobody.
#pragma once

#include <cstdint>

namespace braid::gateway {
class Host;
}

namespace braid::sim {

// Bytes of the heap that `role` holds, the allocator's own included: as many as on 64-bit glibc,
// whoever the allocator is.
std::int64_t bytes_held_by(const gateway::Host& role);

}  // namespace braid::sim
