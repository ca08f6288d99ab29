#include "tests/packetdrill/shim/descriptor.h"

#include <algorithm>

namespace braid::pd {

bool Socket::at_end() const {
  if (!stream || stream->incoming.readable() > 0) return false;
  return stream->incoming.complete() || stream->closed() || shut_read;
}

// As the kernel: a third of the send buffer must be free before a writer is called.
std::uint64_t Socket::write_room() const {
  if (!stream) return 0;
  const std::uint64_t room = stream->outgoing.room();
  return room - std::min<std::uint64_t>(room, held.size());
}

std::uint64_t Socket::unsent() const {
  return stream ? stream->outgoing.readable() + held.size() : 0;
}

std::uint64_t Socket::in_edges() const {
  if (role == Role::kListening) return arrivals;
  if (!stream) return 0;
  const bool ended = stream->incoming.complete() || stream->closed().has_value();
  return stream->incoming.in_order().value() + (ended ? 1 : 0);
}

std::uint32_t Socket::events() const {
  if (role == Role::kListening) {
    const bool ready = std::any_of(waiting.begin(), waiting.end(),
                                   [](const auto& one) { return one->counted; });
    return ready ? EPOLLIN | EPOLLRDNORM : 0;
  }
  if (role == Role::kFresh) return EPOLLOUT | EPOLLWRNORM | EPOLLHUP;
  if (deferred_fast_open) return EPOLLOUT | EPOLLWRNORM;  // a write is what it waits for
  std::uint32_t out = 0;
  const bool gone = !stream || stream->closed().has_value();
  const bool peer_finished = stream && stream->incoming.complete();
  if (error != 0 || !zerocopy_done.empty()) out |= EPOLLERR;
  if (gone || (peer_finished && shut_write)) out |= EPOLLHUP;
  if (gone || peer_finished || shut_read) out |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
  if (stream && stream->incoming.readable() > 0) out |= EPOLLIN | EPOLLRDNORM;
  const bool may_write = early || connected();
  const bool roomy = stream && 3 * write_room() >= stream->outgoing.capacity() &&
                     (options.notsent_lowat == 0 || unsent() < options.notsent_lowat);
  if (gone || shut_write || (may_write && roomy)) out |= EPOLLOUT | EPOLLWRNORM;
  return out;
}

std::uint32_t PipeEnd::events() const {
  std::uint32_t out = 0;
  if (reads && !buffer->bytes.empty()) out |= EPOLLIN | EPOLLRDNORM;
  if (reads && buffer->writer_gone) out |= EPOLLHUP;
  if (!reads && buffer->bytes.size() < kCapacity) out |= EPOLLOUT | EPOLLWRNORM;
  if (!reads && buffer->reader_gone) out |= EPOLLERR;
  return out;
}

}  // namespace braid::pd
