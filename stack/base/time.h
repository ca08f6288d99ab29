// Time as every machine of braid sees it: an argument, never something asked for.
//
// Instant counts nanoseconds from an origin the caller chose (CLOCK_MONOTONIC in the program, zero
// in the simulator). There is deliberately no clock here: nothing in stack/ or gateway/ can read
// one.
#pragma once

#include <chrono>
#include <cstdint>

namespace braid {

using Duration = std::chrono::nanoseconds;

// A tag for std::chrono only; it has no now().
struct MachineTime {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MachineTime>;
  static constexpr bool is_steady = true;
};

using Instant = MachineTime::time_point;

// "No deadline": later than every real instant.
inline constexpr Instant kNever = Instant::max();

using namespace std::chrono_literals;

constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr std::int64_t to_us(Duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}
constexpr std::int64_t to_ms(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace braid
