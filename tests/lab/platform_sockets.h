// Ordinary kernel sockets, as the far end of what the platform lab tests.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "platform/fd.h"
#include "platform/ip_address.h"

namespace braid::platform {

struct SocketAddress {
  SocketAddress(const char* text, std::uint16_t port) {
    const auto address = IpAddress::parse(text);
    REQUIRE(address);
    const Bytes bytes = address->bytes();
    if (address->is_v4()) {
      auto& in = reinterpret_cast<sockaddr_in&>(storage);
      in.sin_family = AF_INET;
      in.sin_port = htons(port);
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&in.sin_addr));
      length = sizeof in;
    } else {
      auto& in = reinterpret_cast<sockaddr_in6&>(storage);
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(port);
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&in.sin6_addr));
      length = sizeof in;
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t length = 0;
};

// Non-blocking, bound where an address is given.
inline UniqueFd bound_socket(int type, const SocketAddress& address) {
  UniqueFd fd(::socket(address.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  REQUIRE(fd);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  REQUIRE(::bind(fd.get(), address.get(), address.length) == 0);
  return fd;
}

inline UniqueFd listener(const SocketAddress& address) {
  UniqueFd fd = bound_socket(SOCK_STREAM, address);
  REQUIRE(::listen(fd.get(), 8) == 0);
  return fd;
}

inline bool wait_until(int fd, short events, int milliseconds) {
  pollfd poll_for{fd, events, 0};
  return ::poll(&poll_for, 1, milliseconds) > 0;
}

// Starts a connection; how it goes is seen with connect_result().
inline UniqueFd start_connect(const SocketAddress& from, const SocketAddress& to) {
  UniqueFd fd = bound_socket(SOCK_STREAM, from);
  const int result = ::connect(fd.get(), to.get(), to.length);
  REQUIRE((result == 0 || errno == EINPROGRESS));
  return fd;
}

// 0 when connected, the error of a failed connection, EINPROGRESS when nothing came in time.
inline int connect_result(const UniqueFd& fd, int milliseconds) {
  if (!wait_until(fd.get(), POLLOUT, milliseconds)) return EINPROGRESS;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

}  // namespace braid::platform
