// How long a socket believes in a silent peer: SO_KEEPALIVE (RFC 9293 3.8.4) with its three times,
// and TCP_USER_TIMEOUT (RFC 5482). Options of a living socket, so their timers are here.
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
  if (run_user_timeout(socket)) return;
  const SocketOptions& options = socket.options;
  const auto limit = std::chrono::milliseconds(options.user_timeout_ms);
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
  if (now_ < socket.next_probe || socket.stream->outgoing.readable() > 0) return;
  const std::uint32_t most = options.keepalive_count != 0 ? options.keepalive_count : kProbeCount;
  const bool too_long = options.user_timeout_ms != 0 && socket.probes_unanswered > 0
                            ? now_ - heard >= limit
                            : socket.probes_unanswered >= most;
  if (too_long) return lose_patience(socket, Farewell::kReset);
  ++socket.probes_unanswered;
  socket.next_probe = now_ + interval;
  connection->probe();
}

// What was sent, or waits for the peer's window, has not been acknowledged for TCP_USER_TIMEOUT:
// true. A FIN counts, and so do sockets that are closed: who closed one chose how long it may
// linger.
bool Host::run_user_timeout(Socket& socket) {
  const tcp::Connection* const connection = socket.stream->tcp();
  const Pipe& out = socket.stream->outgoing;
  if (connection == nullptr ||
      (out.readable() == 0 && connection->path_info().oldest_sent == kNever)) {
    socket.unacked_since = kNever;
  } else if (socket.unacked_since == kNever || out.released() != socket.unacked_from) {
    socket.unacked_since = now_;
    socket.unacked_from = out.released();
  }
  if (socket.options.user_timeout_ms == 0 || now_ < user_timeout_of(socket)) return false;
  lose_patience(socket, Farewell::kSilent);
  return true;
}

Instant Host::user_timeout_of(const Socket& socket) {
  const bool armed = socket.options.user_timeout_ms != 0 && socket.unacked_since != kNever;
  const auto limit = std::chrono::milliseconds(socket.options.user_timeout_ms);
  return armed ? socket.unacked_since + limit : kNever;
}

// Who reads or writes is told that it timed out. The peer that left probes unanswered is told with
// a RST; the one that does not acknowledge is not (RFC 9293 3.10.8).
void Host::lose_patience(Socket& socket, Farewell farewell) {
  socket.next_probe = socket.unacked_since = kNever;
  socket.options.keepalive = false;
  socket.icmp_error = ETIMEDOUT;
  if (farewell == Farewell::kReset) {
    socket.stream->abort(now_);
  } else {
    socket.stream->abandon(now_);
  }
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
    earliest = std::min(earliest, user_timeout_of(*socket));
  }
  for (const SocketPtr& socket : orphans_) {
    earliest = std::min(earliest, user_timeout_of(*socket));
  }
  return earliest;
}

}  // namespace braid::pd
