// Network namespaces for tests of one process: made fresh, entered and left, gone with their
// descriptor.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "platform/fd.h"

namespace braid::platform {

inline void run(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

class Namespace {
 public:
  // Made and entered; the one of before is entered again when this object goes.
  Namespace() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    REQUIRE(::unshare(CLONE_NEWNET) == 0);
    own_.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    // IPv6 speaks at once, without a second of duplicate address detection.
    run("sysctl -q net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
    run("ip link set lo up");
  }
  ~Namespace() {
    if (::setns(before_.get(), CLONE_NEWNET) != 0) std::abort();
  }
  void enter() const { REQUIRE(::setns(own_.get(), CLONE_NEWNET) == 0); }
  // For `ip link set X netns PATH`.
  std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), own_.get()); }

 private:
  UniqueFd before_;
  UniqueFd own_;
};

// Where namespaces cannot be made the test says so and is not run; in CI that is a failure.
inline bool namespaces_possible() {
  UniqueFd before(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (::geteuid() == 0 && ::unshare(CLONE_NEWNET) == 0) {
    return ::setns(before.get(), CLONE_NEWNET) == 0;
  }
  return false;
}

}  // namespace braid::platform

#define REQUIRE_NAMESPACES()                                                \
  if (!braid::platform::namespaces_possible()) {                            \
    if (std::getenv("CI") != nullptr) FAIL("network namespaces need root"); \
    MESSAGE("not run: network namespaces need root");                       \
    return;                                                                 \
  }
