// Rate: bytes per second as a type, and the two questions everybody asks of it.
#pragma once

#include <compare>
#include <cstdint>

#include "stack/base/time.h"

namespace braid {

class Rate {
 public:
  constexpr Rate() = default;
  static constexpr Rate bytes_per_second(std::uint64_t n) { return Rate(n); }
  static constexpr Rate bits_per_second(std::uint64_t n) { return Rate(n / 8); }
  // The rate of `bytes` in `time`; zero for a time that is not positive.
  static constexpr Rate of(std::uint64_t bytes, Duration time) {
    if (time <= Duration::zero()) return Rate();
    return Rate(static_cast<std::uint64_t>(static_cast<double>(bytes) / to_seconds(time)));
  }

  constexpr std::uint64_t bytes_per_second() const { return value_; }
  constexpr std::uint64_t bits_per_second() const { return value_ * 8; }
  constexpr bool is_zero() const { return value_ == 0; }

  // How long `bytes` take at this rate. The rate must not be zero.
  constexpr Duration time_for(std::uint64_t bytes) const {
    return Duration(
        static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(value_)));
  }
  // How many bytes pass in `time`.
  constexpr std::uint64_t bytes_in(Duration time) const {
    if (time <= Duration::zero()) return 0;
    return static_cast<std::uint64_t>(static_cast<double>(value_) * to_seconds(time));
  }

  constexpr auto operator<=>(const Rate&) const = default;

 private:
  constexpr explicit Rate(std::uint64_t v) : value_(v) {}
  std::uint64_t value_ = 0;
};

}  // namespace braid
