#include "stack/mptcp/data_receiver.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::mptcp {

DataReceiver::DataReceiver(Pipe& pipe, DataSequence sequence)
    : pipe_(pipe), sequence_(sequence), promised_edge_(pipe.in_order() + pipe.room()) {}

Interval DataReceiver::place(std::uint64_t dsn, const Slices& bytes) {
  const std::uint64_t size = bytes.size();
  const StreamOffset next = pipe_.in_order();
  const std::int64_t distance = sequence_.distance(dsn, next);
  if (distance < 0) {
    // Old bytes in front (negated as unsigned: the least value has no positive counterpart).
    const auto old = std::min(size, std::uint64_t{0} - static_cast<std::uint64_t>(distance));
    if (old == size) return {0, size};
    const auto fresh =
        bytes.sub(static_cast<std::uint32_t>(old), static_cast<std::uint32_t>(size - old));
    return {0, old + pipe_.write_at(next, fresh).size()};
  }
  const auto ahead = static_cast<std::uint64_t>(distance);
  if (ahead >= edge() - next) return {0, 0};
  const Interval held = pipe_.write_at(next + ahead, bytes);
  if (ahead > 0) widen();
  return {0, held.size()};
}

// A quick path goes on while a slow one still carries what comes first. Where it has come past half
// of the window it would soon stand still, so the window doubles: it follows the rates times the
// slowest round trip in use, which no RTT measured at this end would say.
void DataReceiver::widen() {
  const bool cramped = pipe_.written() - pipe_.in_order() > pipe_.capacity() / 2;
  if (cramped) pipe_.grow(2 * pipe_.capacity());
}

bool DataReceiver::data_fin(std::uint64_t dsn) {
  if (pipe_.end()) return false;
  const StreamOffset next = pipe_.in_order();
  const std::int64_t distance = sequence_.distance(dsn, next);
  if (distance < 0 || static_cast<std::uint64_t>(distance) > edge() - next) return false;
  const StreamOffset end = next + static_cast<std::uint64_t>(distance);
  // M51: what came first stands, and subflows may have acknowledged what lies right of this end.
  if (end < pipe_.written()) return false;
  pipe_.finish_at(end);
  return true;
}

StreamOffset DataReceiver::edge() const {
  return std::max(promised_edge_, pipe_.in_order() + pipe_.room());
}

StreamOffset DataReceiver::acked() const {
  return pipe_.in_order() + (fin_received() ? 1 : 0);  // M80
}

std::uint64_t DataReceiver::data_ack() const { return sequence_.dsn(acked()); }

std::uint64_t DataReceiver::window() const {
  const StreamOffset right = edge();
  return right > acked() ? right - acked() : 0;
}

std::uint64_t DataReceiver::promise_window() {
  promised_edge_ = edge();
  return window();
}

void DataReceiver::validate() const {
  pipe_.validate();
  ENSURE(pipe_.in_order() <= edge());
}

}  // namespace braid::mptcp
