// Entropy: the key the program seeds its Random from, drawn from the operating system.
#pragma once

#include "platform/result.h"
#include "stack/base/random.h"

namespace braid::platform {

// Waits until the kernel's generator is seeded (early boot), then never fails in practice.
Result<Random::Key> random_key();

}  // namespace braid::platform
