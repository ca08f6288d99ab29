// poll() and epoll.
#include <algorithm>
#include <cerrno>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

constexpr std::uint32_t kAlways = EPOLLERR | EPOLLHUP;
constexpr std::uint32_t kModes = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;

// libc's convention: below zero without end, zero not at all.
Duration timeout_of(int milliseconds) {
  return milliseconds < 0 ? Duration::zero() : Duration(std::chrono::milliseconds(milliseconds));
}

}  // namespace

int Host::poll(pollfd* fds, std::size_t count, int timeout_ms) {
  Lock lock(mutex_);
  const auto look = [&] {
    int ready = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto descriptor = find<Descriptor>(fds[i].fd);
      const std::uint32_t mask = static_cast<std::uint16_t>(fds[i].events) | kAlways;
      const std::uint32_t events = descriptor ? descriptor->events() & mask : POLLNVAL;
      const auto socket = std::dynamic_pointer_cast<Socket>(descriptor);
      if (socket && (mask & POLLOUT) != 0 && (events & POLLOUT) == 0) socket->wants_room = true;
      fds[i].revents = static_cast<short>(fds[i].fd < 0 ? 0 : events);
      if (fds[i].revents != 0) ++ready;
    }
    return ready;
  };
  if (timeout_ms != 0)
    wait_until(
        lock, [&] { return look() > 0; }, timeout_of(timeout_ms));
  return look();
}

int Host::epoll_create() {
  Lock lock(mutex_);
  return add(std::make_shared<Epoll>());
}

int Host::epoll_control(int epoll_fd, int operation, int fd, const epoll_event* event) {
  Lock lock(mutex_);
  const auto epoll = find<Epoll>(epoll_fd);
  if (!epoll || !descriptors_.contains(fd)) return -EBADF;
  const bool known = epoll->watches.contains(fd);
  if (operation == EPOLL_CTL_DEL) {
    if (!known) return -ENOENT;
    epoll->watches.erase(fd);
    return 0;
  }
  if (event == nullptr) return -EFAULT;
  if (operation == EPOLL_CTL_ADD && known) return -EEXIST;
  if (operation == EPOLL_CTL_MOD && !known) return -ENOENT;
  if (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD) return -EINVAL;
  epoll->watches[fd] = Epoll::Watch{.wanted = *event};
  return 0;
}

// What this watch would report now. Edge-triggered: what is so, and has moved since it was
// reported.
std::uint32_t Host::epoll_state(Epoll::Watch& watch, const Descriptor& target) const {
  if (watch.disabled) return 0;
  const std::uint32_t mask = (watch.wanted.events & ~kModes) | kAlways;
  std::uint32_t events = target.events() & mask;
  if ((watch.wanted.events & EPOLLET) == 0) return events;
  const std::uint32_t risen = events & ~watch.state;
  watch.state &= events;  // what is gone may rise again
  constexpr std::uint32_t kIn = EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
  constexpr std::uint32_t kOut = EPOLLOUT | EPOLLWRNORM;
  const bool in_moved = target.in_edges() != watch.in_edges;
  const bool out_moved = target.out_edges() != watch.out_edges;
  if (risen == 0 && !in_moved && !out_moved) return 0;
  if (!in_moved && (risen & kIn) == 0 && !out_moved) events &= ~kIn;
  if (!out_moved && (risen & kOut) == 0 && !in_moved) events &= ~kOut;
  return events;
}

int Host::epoll_wait(int epoll_fd, epoll_event* events, int size, int timeout_ms) {
  Lock lock(mutex_);
  const auto epoll = find<Epoll>(epoll_fd);
  if (!epoll) return -EBADF;
  if (size <= 0) return -EINVAL;
  const auto any = [&] {
    for (auto& [fd, watch] : epoll->watches) {
      const auto target = find<Descriptor>(fd);
      if (target && epoll_state(watch, *target) != 0) return true;
    }
    return false;
  };
  if (timeout_ms != 0) wait_until(lock, any, timeout_of(timeout_ms));
  int count = 0;
  for (auto& [fd, watch] : epoll->watches) {
    const auto target = find<Descriptor>(fd);
    if (!target || count == size) continue;
    const std::uint32_t state = epoll_state(watch, *target);
    if (state == 0) continue;
    events[count] = watch.wanted;
    events[count++].events = state;
    watch.in_edges = target->in_edges();
    watch.out_edges = target->out_edges();
    watch.state = target->events();
    if ((watch.wanted.events & EPOLLONESHOT) != 0) watch.disabled = true;
  }
  return count;
}

}  // namespace braid::pd
