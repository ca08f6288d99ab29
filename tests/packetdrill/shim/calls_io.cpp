// Bytes in and out of sockets and pipes.
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "tests/packetdrill/shim/addresses.h"
#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

std::size_t total(std::span<const iovec> parts) {
  std::size_t sum = 0;
  for (const iovec& part : parts) sum += part.iov_len;
  return sum;
}

// Copies to the parts in turn, from `at` of their run on.
void scatter(Bytes from, std::span<const iovec> to, std::size_t at) {
  for (const iovec& part : to) {
    if (at >= part.iov_len) {
      at -= part.iov_len;
      continue;
    }
    const std::size_t length = std::min(from.size(), part.iov_len - at);
    std::copy_n(from.begin(), length, static_cast<std::uint8_t*>(part.iov_base) + at);
    from = from.subspan(length);
    at = 0;
    if (from.empty()) return;
  }
}

std::vector<std::uint8_t> gather(std::span<const iovec> from) {
  std::vector<std::uint8_t> out;
  for (const iovec& part : from) {
    const auto* const bytes = static_cast<const std::uint8_t*>(part.iov_base);
    out.insert(out.end(), bytes, bytes + part.iov_len);
  }
  return out;
}

// As the kernel finds out when it copies; scripts hand such pointers to a SYN's data.
bool readable(std::span<const iovec> from) {
  return std::all_of(from.begin(), from.end(), [](const iovec& part) {
    return part.iov_len == 0 || reinterpret_cast<std::uintptr_t>(part.iov_base) >= 4096;
  });
}

}  // namespace

// ---- reading

ssize_t Host::receive(int fd, std::span<const iovec> to, int flags) {
  Lock lock(mutex_);
  if (const auto end = find<PipeEnd>(fd)) return read_pipe(lock, *end, to);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  if (socket->role != Socket::Role::kConnection) return -ENOTCONN;
  const std::size_t wanted = total(to);
  const std::size_t least = (flags & MSG_WAITALL) != 0 ? wanted : 1;
  const auto ready = [&] {
    return wanted == 0 || socket->at_end() || socket->error != 0 ||
           (socket->stream && socket->stream->incoming.readable() >= least);
  };
  const bool wait = !socket->nonblocking && (flags & MSG_DONTWAIT) == 0;
  if (!ready() && !(wait && wait_until(lock, ready, socket->options.receive_timeout))) {
    if (!socket->stream || socket->stream->incoming.readable() == 0) return -EAGAIN;
  }
  if (wanted == 0 || !socket->stream) return 0;
  Pipe& pipe = socket->stream->incoming;
  if (pipe.readable() > 0 && (flags & MSG_TRUNC) == 0 && !readable(to)) return -EFAULT;
  std::size_t taken = 0;
  StreamOffset at = pipe.released();
  while (taken < wanted && at < pipe.in_order()) {
    const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(wanted - taken, 65536));
    for (const Bytes slice : pipe.peek(at, most)) {
      if ((flags & MSG_TRUNC) == 0) scatter(slice, to, taken);
      taken += slice.size();
      at = at + slice.size();
    }
  }
  if (taken == 0) {
    if (const int error = socket->take_error()) return -error;
    const bool vanished = socket->mptcp && socket->close_seen && !pipe.complete();
    return vanished ? -ENOTCONN : 0;
  }
  if ((flags & MSG_PEEK) == 0) {
    pipe.release(at);
    socket->stream->touched();
    step();
    settle(lock);
  }
  return static_cast<ssize_t>(taken);
}

void Host::tell_peer(int fd, sockaddr* address, socklen_t* length) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (socket) put_endpoint(socket->remote, socket->mapped ? As::kIpv6 : As::kIs, address, length);
}

// ---- writing

// What of `bytes` there is room for.
std::size_t Host::put(Socket& socket, Bytes bytes, int flags) {
  const auto length =
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), socket.write_room()));
  socket.held.insert(socket.held.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(length));
  socket.queue.put(length);
  socket.more_to_come = (flags & MSG_MORE) != 0;
  const std::uint64_t end = socket.stream->outgoing.in_order().value() + socket.held.size();
  // PSH tells the end of a write, and within one of every half of the peer's window.
  const bool whole = length == bytes.size() || socket.write_room() == 0;
  const bool told = (whole && !socket.more_to_come) ||
                    (length > 0 && end > socket.pushed_end + socket.largest_window / 2);
  socket.quiet_end = told ? 0 : end;
  if (told) socket.pushed_end = end;
  if ((flags & MSG_EOR) != 0 && length == bytes.size() && !socket.mptcp) {
    socket.record_ends.push_back(end);
    socket.queue.end_packet();
  }
  pump(socket);
  return length;
}

ssize_t Host::transmit(int fd, std::span<const iovec> from, int flags, const sockaddr* to,
                       socklen_t length) {
  Lock lock(mutex_);
  if (const auto end = find<PipeEnd>(fd)) return write_pipe(lock, *end, from);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  const bool first = socket->role == Socket::Role::kFresh;
  if (socket->deferred_fast_open || (first && (flags & MSG_FASTOPEN) != 0)) {
    return fast_open_send(lock, *socket, from, flags, to, length);
  }
  if (first || socket->role == Socket::Role::kListening) return -EPIPE;
  const bool wait = !socket->nonblocking && (flags & MSG_DONTWAIT) == 0;
  const auto open = [&] { return socket->was_connected || socket->early || socket->close_seen; };
  if ((flags & MSG_FASTOPEN) != 0 && !socket->close_seen) {
    if (!open()) return -EALREADY;
    // Once it only says that the connection is there, which nobody has been told yet.
    if (std::exchange(socket->connect_told, true)) return -EISCONN;
  }
  socket->writer_waits = wait;
  if (!open() && !(wait && wait_until(lock, open, socket->options.send_timeout))) return -EAGAIN;
  socket->writer_waits = false;
  if (const int error = socket->take_error()) return -error;
  if (socket->shut_write || socket->close_seen) return -EPIPE;
  if (!readable(from)) return -EFAULT;
  const std::vector<std::uint8_t> bytes = gather(from);
  std::size_t done = 0;
  while (true) {
    const std::size_t more = put(*socket, Bytes(bytes).subspan(done), flags);
    done += more;
    step();
    settle(lock);
    if (done == bytes.size()) break;
    if (more > 0 && !socket->mptcp && !socket->close_seen) continue;
    socket->wants_room = true;
    if (!wait) break;
    const auto roomy = [&] {
      const bool any = socket->mptcp && socket->write_room() > 0;
      return !socket->wants_room || any || socket->close_seen;
    };
    if (!wait_until(lock, roomy, socket->options.send_timeout) || socket->close_seen) break;
  }
  note_zerocopy(*socket, done, flags);
  if (done > 0 || bytes.empty()) return static_cast<ssize_t>(done);
  if (const int error = socket->take_error()) return -error;
  return socket->close_seen ? -EPIPE : -EAGAIN;
}

// RFC 7413: connect() and write in one, or the write a connect() before has waited for.
ssize_t Host::fast_open_send(Lock& lock, Socket& socket, std::span<const iovec> from, int flags,
                             const sockaddr* to, socklen_t length) {
  if (!socket.deferred_fast_open) {
    if ((sysctls().fastopen & kFastOpenClient) == 0) return -EOPNOTSUPP;
    if (to != nullptr && length >= sizeof(sa_family_t) && to->sa_family == AF_UNSPEC) {
      return -EOPNOTSUPP;
    }
    const auto endpoint = endpoint_of(to, length);
    if (!endpoint) return -EINVAL;
    const bool mapped = !endpoint->address.is_v4() && endpoint->address.unmapped().is_v4();
    socket.mapped = mapped;
    socket.remote = {mapped ? endpoint->address.unmapped() : endpoint->address, endpoint->port};
  }
  const bool was_deferred = std::exchange(socket.deferred_fast_open, false);
  const auto room = syn_data_room(socket);
  if (room && !readable(from)) {
    socket.deferred_fast_open = was_deferred;
    return -EFAULT;
  }
  const std::vector<std::uint8_t> bytes =
      readable(from) ? gather(from) : std::vector<std::uint8_t>();
  const bool wait = !socket.nonblocking && (flags & MSG_DONTWAIT) == 0;
  const std::size_t in_syn = std::min<std::size_t>(room.value_or(0), bytes.size());
  socket.held.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(in_syn));
  socket.queue.put(in_syn);
  start_connecting(socket, static_cast<std::uint32_t>(in_syn), true);
  settle(lock);
  std::size_t done = in_syn;
  note_zerocopy(socket, in_syn, flags);
  if (!wait) {
    socket.connect_told = false;
    return done > 0 ? static_cast<ssize_t>(done) : -EINPROGRESS;
  }
  const auto open = [&] { return socket.was_connected || socket.close_seen; };
  socket.writer_waits = done < bytes.size();
  wait_until(lock, open, socket.options.send_timeout);
  socket.writer_waits = false;
  socket.connect_told = true;
  if (const int error = socket.take_error()) return -error;
  if (!socket.was_connected) return done > 0 ? static_cast<ssize_t>(done) : -EINPROGRESS;
  if (!readable(from)) return -EFAULT;
  while (done < bytes.size()) {
    const std::size_t more = put(socket, Bytes(bytes).subspan(done), flags);
    done += more;
    step();
    if (more == 0 || socket.mptcp) break;
  }
  return static_cast<ssize_t>(done);
}

// ---- pipes

int Host::pipe(int fds[2]) {
  Lock lock(mutex_);
  const auto buffer = std::make_shared<PipeEnd::Buffer>();
  for (int i = 0; i < 2; ++i) {
    auto end = std::make_shared<PipeEnd>();
    end->buffer = buffer;
    end->reads = i == 0;
    fds[i] = add(std::move(end));
    if (fds[i] < 0) return fds[i];
  }
  return 0;
}

ssize_t Host::read_pipe(Lock& lock, PipeEnd& end, std::span<const iovec> to) {
  if (!end.reads) return -EBADF;
  const std::shared_ptr<PipeEnd::Buffer> buffer = end.buffer;
  const auto ready = [&] { return !buffer->bytes.empty() || buffer->writer_gone; };
  if (!ready() && end.nonblocking) return -EAGAIN;
  if (!wait_until(lock, ready, Duration::zero())) return -EAGAIN;
  const std::size_t length = std::min(total(to), buffer->bytes.size());
  const auto stop = buffer->bytes.begin() + static_cast<std::ptrdiff_t>(length);
  const std::vector<std::uint8_t> bytes(buffer->bytes.begin(), stop);
  scatter(bytes, to, 0);
  buffer->bytes.erase(buffer->bytes.begin(), stop);
  return static_cast<ssize_t>(length);
}

ssize_t Host::write_pipe(Lock& lock, PipeEnd& end, std::span<const iovec> from) {
  if (end.reads) return -EBADF;
  const std::shared_ptr<PipeEnd::Buffer> buffer = end.buffer;
  const auto ready = [&] {
    return buffer->bytes.size() < PipeEnd::kCapacity || buffer->reader_gone;
  };
  if (!ready() && end.nonblocking) return -EAGAIN;
  if (!wait_until(lock, ready, Duration::zero())) return -EAGAIN;
  if (buffer->reader_gone) return -EPIPE;
  const std::vector<std::uint8_t> bytes = gather(from);
  const std::size_t length = std::min(bytes.size(), PipeEnd::kCapacity - buffer->bytes.size());
  buffer->bytes.insert(buffer->bytes.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(length));
  settle(lock);
  return static_cast<ssize_t>(length);
}

// One side must be a pipe.
ssize_t Host::splice(int from, int to, std::size_t size, unsigned flags) {
  std::size_t room = std::min(size, PipeEnd::kCapacity);
  {
    Lock lock(mutex_);
    const auto source = find<PipeEnd>(from), sink = find<PipeEnd>(to);
    if (!descriptors_.contains(from) || !descriptors_.contains(to)) return -EBADF;
    if (!source && !sink) return -EINVAL;
    if (sink) room = std::min(room, PipeEnd::kCapacity - sink->buffer->bytes.size());
    if (source) room = std::min(room, source->buffer->bytes.size());
    if (room == 0 && sink) return -EAGAIN;
  }
  constexpr unsigned kNonblock = 2;  // SPLICE_F_NONBLOCK
  const int message_flags = (flags & kNonblock) != 0 ? MSG_DONTWAIT : 0;
  std::vector<std::uint8_t> bytes(room);
  const iovec all{bytes.data(), bytes.size()};
  const ssize_t taken = receive(from, {&all, 1}, message_flags);
  if (taken <= 0) return taken;
  const iovec some{bytes.data(), static_cast<std::size_t>(taken)};
  return transmit(to, {&some, 1}, message_flags, nullptr, 0);
}

}  // namespace braid::pd
