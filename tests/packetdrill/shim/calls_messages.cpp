// recvmsg(): bytes with control messages, and the error queue MSG_ZEROCOPY is answered on.
// clang-format off
#include <ctime>  // which errqueue.h leaves out
#include <linux/errqueue.h>
// clang-format on
#include <linux/tcp.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

// One control message at the start of what the caller has room for.
void put_control(msghdr& message, std::size_t room, int level, int type, Bytes data) {
  const std::size_t space = CMSG_SPACE(data.size());
  if (message.msg_control == nullptr || room < space) {
    message.msg_flags |= MSG_CTRUNC;
    return;
  }
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(data.size());
  header.cmsg_level = level;
  header.cmsg_type = type;
  auto* const to = static_cast<std::uint8_t*>(message.msg_control);
  std::memset(to, 0, space);
  std::memcpy(to, &header, sizeof header);
  std::memcpy(to + CMSG_LEN(0), data.data(), data.size());
  message.msg_controllen = space;
}

}  // namespace

ssize_t Host::receive_message(int fd, msghdr& message, int flags) {
  const std::size_t room = message.msg_controllen;
  message.msg_flags = 0;
  message.msg_controllen = 0;
  if ((flags & MSG_ERRQUEUE) != 0) {
    Lock lock(mutex_);
    const SocketPtr socket = find<Socket>(fd);
    if (!socket) return -EBADF;
    if (socket->zerocopy_done.empty()) return -EAGAIN;
    struct {
      sock_extended_err error;
      std::array<std::uint8_t, sizeof(sockaddr_in6)> offender;
    } told{};
    told.error.ee_origin = SO_EE_ORIGIN_ZEROCOPY;
    told.error.ee_code = SO_EE_CODE_ZEROCOPY_COPIED;  // by the device
    std::tie(told.error.ee_info, told.error.ee_data) = socket->zerocopy_done.front();
    socket->zerocopy_done.pop_front();
    const bool v4 = socket->family == wire::Family::kIpv4;
    const std::size_t size = sizeof told.error + (v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    message.msg_flags = MSG_ERRQUEUE;
    message.msg_namelen = 0;
    put_control(message, room, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR,
                {reinterpret_cast<const std::uint8_t*>(&told), size});
    return 0;
  }
  const ssize_t got = receive(fd, {message.msg_iov, message.msg_iovlen}, flags);
  if (got < 0) return got;
  if (message.msg_name != nullptr) message.msg_namelen = 0;  // as TCP does
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket || !socket->options.inq || !socket->stream) return got;
  // What is left to read; one at the end of the stream, so that readers come once more.
  int left = static_cast<int>(socket->stream->incoming.readable());
  if (left == 0 && socket->at_end()) left = 1;
  put_control(message, room, IPPROTO_TCP, TCP_CM_INQ,
              {reinterpret_cast<const std::uint8_t*>(&left), sizeof left});
  return got;
}

// ---- MSG_ZEROCOPY: nothing is lent here, so only the bookkeeping is the kernel's.

void Host::note_zerocopy(Socket& socket, std::size_t size, int flags) const {
  if ((flags & MSG_ZEROCOPY) == 0 || !socket.options.zerocopy || size == 0) return;
  const std::uint64_t end = socket.stream->outgoing.in_order().value() + socket.held.size();
  socket.zerocopy_open.emplace_back(socket.zerocopy_sends++, end);
}

void Host::take_zerocopy_notice(Socket& socket) const {
  const std::uint64_t released = socket.stream->outgoing.released().value();
  const bool over = socket.stream->closed().has_value();
  while (!socket.zerocopy_open.empty()) {
    const auto [number, end] = socket.zerocopy_open.front();
    if (end > released && !over) return;
    socket.zerocopy_open.pop_front();
    auto& done = socket.zerocopy_done;
    if (!done.empty() && done.back().second + 1 == number) {
      done.back().second = number;
    } else {
      done.emplace_back(number, number);
    }
    ++socket.writable_edges;
  }
}

}  // namespace braid::pd
