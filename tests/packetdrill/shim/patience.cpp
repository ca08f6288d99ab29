// How long a socket believes in a silent peer: SO_KEEPALIVE (RFC 9293 3.8.4) with its three times, and
// TCP_USER_TIMEOUT (RFC 5482). Options of a living socket, so their timers are here.
#include <algorithm>
#include <cerrno>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

constexpr std::uint32_t kProbeInterval = 75, kProbeCount = 9;  // the kernel's defaults

}  // namespace

void Host::run_patience(Socket& socket) {
  run_cork(socket);
  tcp::Connection* const connection = socket.connected() ? socket.stream->tcp() : nullptr;
  if (connection == nullptr) {
    socket.next_probe = socket.unacked_since = kNever;
    return;
  }
  const SocketOptions& options = socket.options;
  const Pipe& out = socket.stream->outgoing;
  if (out.readable() == 0) {
    socket.unacked_since = kNever;
  } else if (socket.unacked_since == kNever || out.released() != socket.unacked_from) {
    socket.unacked_since = now_;
    socket.unacked_from = out.released();
  }
  const auto limit = std::chrono::milliseconds(options.user_timeout_ms);
  if (options.user_timeout_ms != 0 && socket.unacked_since != kNever &&
      now_ >= socket.unacked_since + limit) {
    return lose_patience(socket);
  }
  if (!options.keepalive) {
    socket.next_probe = kNever;
    return;
  }
  const auto idle = std::chrono::seconds(
      options.keepalive_idle_s != 0 ? options.keepalive_idle_s : sysctls().keepalive_time_s);
  const auto interval = std::chrono::seconds(
      options.keepalive_interval_s != 0 ? options.keepalive_interval_s : kProbeInterval);
  const Instant heard = connection->path_info().last_received;
  if (heard != socket.last_heard || socket.next_probe == kNever) {
    socket.last_heard = heard;
    socket.probes_unanswered = 0;
    socket.next_probe = std::max(heard + idle, now_);
  }
  if (now_ < socket.next_probe || out.readable() > 0) return;
  const std::uint32_t most = options.keepalive_count != 0 ? options.keepalive_count : kProbeCount;
  const bool too_long = options.user_timeout_ms != 0 && socket.probes_unanswered > 0
                            ? now_ - heard >= limit
                            : socket.probes_unanswered >= most;
  if (too_long) return lose_patience(socket);
  ++socket.probes_unanswered;
  socket.next_probe = now_ + interval;
  connection->probe();
}

// The peer is told with a RST, and who reads or writes that it timed out.
void Host::lose_patience(Socket& socket) {
  socket.next_probe = socket.unacked_since = kNever;
  socket.options.keepalive = false;
  socket.icmp_error = ETIMEDOUT;
  socket.stream->abort(now_);
}

Instant Host::patience_deadline() const {
  Instant earliest = kNever;
  for (const auto& [fd, descriptor] : descriptors_) {
    const auto* const socket = dynamic_cast<const Socket*>(descriptor.get());
    if (socket == nullptr || !socket->stream) continue;
    earliest = std::min(earliest, socket->held_until);
    if (socket->next_probe != kNever && socket->stream->outgoing.readable() == 0) {
      earliest = std::min(earliest, socket->next_probe);
    }
    if (socket->options.user_timeout_ms != 0 && socket->unacked_since != kNever) {
      earliest = std::min(earliest, socket->unacked_since +
                                        std::chrono::milliseconds(socket->options.user_timeout_ms));
    }
  }
  return earliest;
}

}  // namespace braid::pd
