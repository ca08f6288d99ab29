// The only clock of braid: CLOCK_MONOTONIC as an Instant. Read once per wake-up by the event loop.
#pragma once

#include "stack/base/time.h"

namespace braid::platform {

Instant clock_now();

}  // namespace braid::platform
