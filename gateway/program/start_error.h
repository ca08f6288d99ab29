// StartError: why the program cannot run, in one line a person can act on. Thrown only before the
// loop runs, caught in main.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <system_error>

namespace braid::program {

class StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require(std::error_code error, const std::string& what) {
  if (error) throw StartError(fmt::format("{}: {}", what, error.message()));
}

}  // namespace braid::program
