#include "stack/tcp/receive_window.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::tcp {
namespace {

constexpr std::uint64_t kMaxField = 65535;

std::uint64_t divide_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit;
}

}  // namespace

std::uint16_t ReceiveWindow::announce(std::uint64_t rcv_nxt, std::uint64_t room, Field field) {
  const std::uint64_t unit = field == Field::kScaled ? std::uint64_t{1} << shift_ : 1;
  largest_room_ = std::max(largest_room_, room);
  const std::uint64_t value = scope_ == WindowScope::kShared ? std::min(room / unit, kMaxField)
                                                             : stream_field(rcv_nxt, room, unit);
  announced_ = rcv_nxt + value * unit;
  highest_ = std::max(highest_, announced_);
  last_figure_ = value * unit;
  return static_cast<std::uint16_t>(value);
}

std::uint64_t ReceiveWindow::stream_field(std::uint64_t rcv_nxt, std::uint64_t room,
                                          std::uint64_t unit) {
  granted_ = std::max(granted_, rcv_nxt);
  // RFC 9293 3.8.6.2.2: the edge stays where it is until it can move by something worth sending.
  if (rcv_nxt + room >= granted_ + std::min<std::uint64_t>(mss_, largest_room_ / 2)) {
    granted_ = std::max(granted_, rcv_nxt + std::min(room / unit, kMaxField) * unit);
  }
  const std::uint64_t said = std::max(announced_, rcv_nxt);
  std::uint64_t value = divide_up(std::max(said, granted_) - rcv_nxt, unit);
  // The rounding must not creep: at most one unit beyond what is meant.
  if (rcv_nxt + value * unit >= granted_ + unit) value = divide_up(granted_ - rcv_nxt, unit);
  return std::min(value, kMaxField);
}

bool ReceiveWindow::update_due(std::uint64_t rcv_nxt, std::uint64_t room) const {
  const std::uint64_t open =
      scope_ == WindowScope::kShared ? last_figure_ : std::max(announced_, rcv_nxt) - rcv_nxt;
  const std::uint64_t possible = std::min(room, kMaxField << shift_);
  // While half of it is still open the next ACK says it early enough.
  if (open * 2 > possible) return false;
  const std::uint64_t worth = std::min<std::uint64_t>(2 * mss_, largest_room_ / 2);
  return possible > open && possible - open >= std::max<std::uint64_t>(worth, 1);
}

void ReceiveWindow::validate() const {
  ENSURE(announced_ <= highest_);
  if (scope_ == WindowScope::kStream) ENSURE(granted_ <= highest_ || highest_ == 0);
}

}  // namespace braid::tcp
