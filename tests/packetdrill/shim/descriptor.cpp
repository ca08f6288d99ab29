#include "tests/packetdrill/shim/descriptor.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace braid::pd {

bool Socket::at_end() const {
  if (!stream || stream->incoming.readable() > 0) return false;
  return stream->incoming.complete() || stream->closed() || shut_read;
}

std::uint64_t Socket::write_room() const {
  if (!stream) return 0;
  if (!mptcp) return queue.room(queue_facts());
  const std::uint64_t room = stream->outgoing.room();
  return room - std::min<std::uint64_t>(room, held.size());
}

// As the kernel: a third of the send buffer must be free before a writer is called.
bool Socket::roomy(SendQueue::Asked asked) const {
  if (!stream) return false;
  return mptcp ? 3 * write_room() >= stream->outgoing.capacity()
               : queue.writable(queue_facts(), asked);
}

SendQueue::Facts Socket::queue_facts() const {
  constexpr std::uint64_t kLargestPacket = 65535 - 320, kSmallestWindow = 536;
  SendQueue::Facts out;
  const tcp::Connection* const connection = stream->tcp();
  const std::uint64_t flying = connection != nullptr ? connection->outstanding().all : 0;
  out.acknowledged = stream->outgoing.released().value();
  out.sent = std::min(out.acknowledged + flying, stream->outgoing.in_order().value());
  const std::uint64_t mss =
      std::max<std::uint32_t>(connection != nullptr ? connection->path_info().mss : 0, 1);
  const std::uint64_t half = largest_window > kSmallestWindow ? largest_window / 2 : kLargestPacket;
  out.packet = std::max(std::min(half, kLargestPacket) / mss * mss, mss);
  out.buffer = options.send_buffer.value_or(buffer);
  out.notsent_lowat = options.notsent_lowat != 0 ? options.notsent_lowat : host_lowat;
  return out;
}

// The kernel holds two windows in a buffer of its own choice, in packets' memory: it grows when a
// writer waits.
void Socket::follow_windows() {
  const tcp::Connection* const connection = stream && connected() ? stream->tcp() : nullptr;
  if (connection == nullptr) return;
  const auto path = connection->path_info();
  const bool first = !std::exchange(buffer_chosen, true);
  largest_window = std::max(largest_window, path.send_window);
  if (options.send_buffer || (!first && !wants_room)) return;
  constexpr std::uint64_t kHeaders = 640, kBookkeeping = 256;
  const std::uint64_t mss = std::max<std::uint32_t>(path.mss, 1);
  const std::uint64_t each = std::bit_ceil(mss + kHeaders) + kBookkeeping;
  const std::uint64_t segments = std::max<std::uint64_t>(path.cwnd / mss, 10);
  buffer = std::max(buffer, std::min(2 * segments * each, largest_buffer));
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
    const bool ready =
        std::any_of(waiting.begin(), waiting.end(), [](const auto& one) { return one->counted; });
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
  const bool room = roomy(SendQueue::Asked::kLooking);
  if (gone || shut_write || (may_write && room)) out |= EPOLLOUT | EPOLLWRNORM;
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
