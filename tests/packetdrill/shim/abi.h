// The table of functions packetdrill asks a shared object for, in ABI order (packetdrill-shim 2.1).
//
// Each entry takes the library's own pointer first, then what libc's function of that name takes,
// and answers as libc does, errno included. The last three of the network half have no libc name:
// netdev_send gives an IP packet to the stack, netdev_receive takes the next one out of it (with
// the time it left, microseconds), usleep and gettimeofday are the clock of the whole test.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

extern "C" {

struct packetdrill_interface {
  void* userdata;
  void (*free)(void*);
  int (*socket)(void*, int domain, int type, int protocol);
  int (*bind)(void*, int fd, const sockaddr* address, socklen_t length);
  int (*listen)(void*, int fd, int backlog);
  int (*accept)(void*, int fd, sockaddr* address, socklen_t* length);
  int (*connect)(void*, int fd, const sockaddr* address, socklen_t length);
  ssize_t (*read)(void*, int fd, void* to, size_t size);
  ssize_t (*readv)(void*, int fd, const iovec* parts, int count);
  ssize_t (*recv)(void*, int fd, void* to, size_t size, int flags);
  ssize_t (*recvfrom)(void*, int fd, void* to, size_t size, int flags, sockaddr* from,
                      socklen_t* length);
  ssize_t (*recvmsg)(void*, int fd, msghdr* message, int flags);
  ssize_t (*write)(void*, int fd, const void* from, size_t size);
  ssize_t (*writev)(void*, int fd, const iovec* parts, int count);
  ssize_t (*send)(void*, int fd, const void* from, size_t size, int flags);
  ssize_t (*sendto)(void*, int fd, const void* from, size_t size, int flags, const sockaddr* to,
                    socklen_t length);
  ssize_t (*sendmsg)(void*, int fd, const msghdr* message, int flags);
  int (*fcntl)(void*, int fd, int command, ...);
  int (*ioctl)(void*, int fd, unsigned long request, ...);
  int (*close)(void*, int fd);
  int (*shutdown)(void*, int fd, int how);
  int (*getsockopt)(void*, int fd, int level, int name, void* value, socklen_t* length);
  int (*setsockopt)(void*, int fd, int level, int name, const void* value, socklen_t length);
  int (*poll)(void*, pollfd* fds, nfds_t count, int timeout_ms);
  int (*netdev_send)(void*, const void* packet, size_t size);
  int (*netdev_receive)(void*, void* to, size_t* size, long long* time_us);
  int (*usleep)(void*, useconds_t duration);
  int (*gettimeofday)(void*, timeval* now, struct timezone* zone);
  int (*epoll_create)(void*, int size);
  int (*epoll_ctl)(void*, int epoll_fd, int operation, int fd, epoll_event* event);
  int (*epoll_wait)(void*, int epoll_fd, epoll_event* events, int size, int timeout_ms);
  int (*pipe)(void*, int fds[2]);
  int (*splice)(void*, int from, loff_t* from_offset, int to, loff_t* to_offset, size_t size,
                unsigned flags);
};

void packetdrill_interface_init(const char* flags, packetdrill_interface* out);

}  // extern "C"
