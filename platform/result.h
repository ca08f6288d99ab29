// Result: a value, or the std::error_code of the system call that stood in its way.
#pragma once

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "stack/base/ensure.h"

namespace braid::platform {

inline std::error_code last_error() { return {errno, std::system_category()}; }
inline std::error_code system_error(int error_number) {
  return {error_number, std::system_category()};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                     // NOLINT: both read as a return
  Result(std::error_code error) : error_(error) { ENSURE(error); }  // NOLINT

  explicit operator bool() const { return value_.has_value(); }
  // The value; only when there is one.
  T& operator*() {
    ENSURE(value_.has_value());
    return *value_;
  }
  const T& operator*() const {
    ENSURE(value_.has_value());
    return *value_;
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  std::error_code error() const { return error_; }

 private:
  std::optional<T> value_;
  std::error_code error_;
};

}  // namespace braid::platform
