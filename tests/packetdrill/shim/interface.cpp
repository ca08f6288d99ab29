// The one symbol this library exports, and the thin layer between libc's conventions and Host.
#include <cerrno>
#include <cstdarg>
#include <new>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

Host& host(void* userdata) { return *static_cast<Host*>(userdata); }

// A negative errno value becomes -1 and errno.
template <typename T>
T told(T result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

std::span<const iovec> parts_of(const msghdr& message) {
  return {message.msg_iov, message.msg_iovlen};
}

ssize_t receive_message(void* u, int fd, msghdr* message, int flags) {
  return told(host(u).receive_message(fd, *message, flags));
}

ssize_t receive_one(void* u, int fd, void* to, size_t size, int flags) {
  const iovec part{to, size};
  return told(host(u).receive(fd, {&part, 1}, flags));
}

ssize_t transmit_one(void* u, int fd, const void* from, size_t size, int flags, const sockaddr* to,
                     socklen_t length) {
  const iovec part{const_cast<void*>(from), size};
  return told(host(u).transmit(fd, {&part, 1}, flags, to, length));
}

int file_control(void* u, int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return told(host(u).control(fd, command, argument));
}

int device_control(void* u, int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const out = va_arg(arguments, void*);
  va_end(arguments);
  return told(host(u).device_control(fd, request, out));
}

int get_time(void* u, timeval* now, struct timezone*) {
  const std::int64_t us = host(u).time_us();
  now->tv_sec = us / 1'000'000;
  now->tv_usec = us % 1'000'000;
  return 0;
}

int take_packet(void* u, void* to, size_t* size, long long* time_us) {
  return host(u).netdev_receive({static_cast<std::uint8_t*>(to), *size}, *size, *time_us);
}

void fill_sockets(packetdrill_interface& i) {
  i.socket = [](void* u, int domain, int type, int protocol) {
    return told(host(u).socket(domain, type, protocol));
  };
  i.bind = [](void* u, int fd, const sockaddr* a, socklen_t n) {
    return told(host(u).bind(fd, a, n));
  };
  i.listen = [](void* u, int fd, int backlog) { return told(host(u).listen(fd, backlog)); };
  i.accept = [](void* u, int fd, sockaddr* a, socklen_t* n) {
    return told(host(u).accept(fd, a, n));
  };
  i.connect = [](void* u, int fd, const sockaddr* a, socklen_t n) {
    return told(host(u).connect(fd, a, n));
  };
  i.close = [](void* u, int fd) { return told(host(u).close(fd)); };
  i.shutdown = [](void* u, int fd, int how) { return told(host(u).shutdown(fd, how)); };
  i.getsockopt = [](void* u, int fd, int level, int name, void* value, socklen_t* length) {
    return told(host(u).get_option(fd, level, name, value, length));
  };
  i.setsockopt = [](void* u, int fd, int level, int name, const void* value, socklen_t length) {
    return told(host(u).set_option(fd, level, name,
                                   {static_cast<const std::uint8_t*>(value), value ? length : 0}));
  };
  i.fcntl = file_control;
  i.ioctl = device_control;
}

void fill_bytes(packetdrill_interface& i) {
  i.read = [](void* u, int fd, void* to, size_t size) { return receive_one(u, fd, to, size, 0); };
  i.readv = [](void* u, int fd, const iovec* parts, int count) {
    return told(host(u).receive(fd, {parts, static_cast<std::size_t>(count)}, 0));
  };
  i.recv = receive_one;
  i.recvfrom = [](void* u, int fd, void* to, size_t size, int flags, sockaddr* from,
                  socklen_t* length) {
    const ssize_t got = receive_one(u, fd, to, size, flags);
    if (got >= 0) host(u).tell_peer(fd, from, length);
    return got;
  };
  i.recvmsg = receive_message;
  i.write = [](void* u, int fd, const void* from, size_t size) {
    return transmit_one(u, fd, from, size, 0, nullptr, 0);
  };
  i.writev = [](void* u, int fd, const iovec* parts, int count) {
    return told(host(u).transmit(fd, {parts, static_cast<std::size_t>(count)}, 0, nullptr, 0));
  };
  i.send = [](void* u, int fd, const void* from, size_t size, int flags) {
    return transmit_one(u, fd, from, size, flags, nullptr, 0);
  };
  i.sendto = transmit_one;
  i.sendmsg = [](void* u, int fd, const msghdr* message, int flags) {
    return told(host(u).transmit(fd, parts_of(*message), flags,
                                 static_cast<const sockaddr*>(message->msg_name),
                                 message->msg_namelen));
  };
  i.pipe = [](void* u, int fds[2]) { return told(host(u).pipe(fds)); };
  i.splice = [](void* u, int from, loff_t*, int to, loff_t*, size_t size, unsigned flags) {
    return static_cast<int>(told(host(u).splice(from, to, size, flags)));
  };
}

void fill_events(packetdrill_interface& i) {
  i.poll = [](void* u, pollfd* fds, nfds_t count, int timeout) {
    return told(host(u).poll(fds, count, timeout));
  };
  i.epoll_create = [](void* u, int) { return told(host(u).epoll_create()); };
  i.epoll_ctl = [](void* u, int epoll_fd, int operation, int fd, epoll_event* event) {
    return told(host(u).epoll_control(epoll_fd, operation, fd, event));
  };
  i.epoll_wait = [](void* u, int epoll_fd, epoll_event* events, int size, int timeout) {
    return told(host(u).epoll_wait(epoll_fd, events, size, timeout));
  };
  i.netdev_send = [](void* u, const void* packet, size_t size) {
    return host(u).netdev_send({static_cast<const std::uint8_t*>(packet), size});
  };
  i.netdev_receive = take_packet;
  i.usleep = [](void* u, useconds_t us) {
    host(u).usleep(std::chrono::microseconds(us));
    return 0;
  };
  i.gettimeofday = get_time;
}

}  // namespace
}  // namespace braid::pd

extern "C" [[gnu::visibility("default")]] void packetdrill_interface_init(
    const char* flags, packetdrill_interface* out) {
  *out = packetdrill_interface{};
  out->userdata = new braid::pd::Host(flags);
  out->free = [](void* u) { delete static_cast<braid::pd::Host*>(u); };
  braid::pd::fill_sockets(*out);
  braid::pd::fill_bytes(*out);
  braid::pd::fill_events(*out);
}
