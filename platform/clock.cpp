#include "platform/clock.h"

#include <ctime>

#include "stack/base/ensure.h"

namespace braid::platform {

Instant clock_now() {
  timespec t{};
  ENSURE(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
  return Instant(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

}  // namespace braid::platform
