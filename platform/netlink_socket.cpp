#include "platform/netlink_socket.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace braid::platform {

namespace {

Result<UniqueFd> open_route_socket(int flags, std::uint32_t groups) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE));
  if (!fd) return last_error();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return last_error();
  }
  return fd;
}

enum class Progress { kMore, kDone };

// NLMSG_ERROR carries a negative errno, zero being the acknowledgement.
std::error_code error_in(const NetlinkMessage& message) {
  const auto code = message.as<std::int32_t>();
  if (!code) return system_error(EBADMSG);
  return *code == 0 ? std::error_code() : system_error(-*code);
}

}  // namespace

Result<NetlinkSocket> NetlinkSocket::open() {
  auto fd = open_route_socket(0, 0);
  if (!fd) return fd.error();
  const timeval limit{1, 0};
  const int on = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  // Strict checks make the kernel honour filters in dump requests.
  ::setsockopt(fd->get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  return NetlinkSocket(std::move(*fd));
}

std::error_code NetlinkSocket::ask(NetlinkRequest request, const OnMessage& on_message) {
  // A dump ends with NLMSG_DONE; everything else must be made to end with an acknowledgement.
  ENSURE((request.flags() & (NLM_F_ACK | NLM_F_DUMP)) != 0);
  const std::uint32_t sequence = ++sequence_;
  const Bytes bytes = request.finish(sequence);
  if (::send(fd_.get(), bytes.data(), bytes.size(), 0) < 0) return last_error();
  std::error_code result;
  for (Progress progress = Progress::kMore; progress == Progress::kMore;) {
    const ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? system_error(ETIMEDOUT) : last_error();
    }
    const auto length = static_cast<std::size_t>(n);
    for (const NetlinkMessage& message : parse_netlink(Bytes(buffer_).first(length))) {
      if (message.sequence != sequence) continue;  // the rest of an answer given up earlier
      if (message.type == NLMSG_ERROR || message.type == NLMSG_DONE) {
        if (message.type == NLMSG_ERROR) result = error_in(message);
        progress = Progress::kDone;
      } else {
        on_message(message);
      }
    }
  }
  return result;
}

Result<NetlinkEvents> NetlinkEvents::open() {
  auto fd = open_route_socket(SOCK_NONBLOCK, RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR |
                                                 RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
                                                 RTMGRP_IPV6_ROUTE);
  if (!fd) return fd.error();
  const int size = 1 << 20;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  return NetlinkEvents(std::move(*fd));
}

void NetlinkEvents::drain(const Handlers& handlers) {
  for (;;) {
    const ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == ENOBUFS) {
        handlers.overrun();
        continue;
      }
      return;
    }
    const auto length = static_cast<std::size_t>(n);
    for (const NetlinkMessage& message : parse_netlink(Bytes(buffer_).first(length))) {
      handlers.message(message);
    }
  }
}

}  // namespace braid::platform
