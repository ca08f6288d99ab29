#include "tests/packetdrill/shim/send_queue.h"

#include <algorithm>

namespace braid::pd {
namespace {

constexpr std::uint64_t kPrice = 1024;  // bytes the kernel's bookkeeping of a packet takes

}  // namespace

void SendQueue::follow(const Facts& facts) {
  while (!ends_.empty() && ends_.front() <= facts.acknowledged) ends_.pop_front();
  if (facts.sent <= tail_ || ends_.empty()) return;
  if (facts.sent < written_) ends_.insert(ends_.end() - 1, facts.sent);  // cut in two
  tail_ = facts.sent;
}

std::uint64_t SendQueue::cost(const Facts& facts) const {
  return written_ - std::min(written_, facts.acknowledged) + ends_.size() * kPrice;
}

std::uint64_t SendQueue::waiting(const Facts& facts) const {
  return written_ - std::min(written_, facts.sent);
}

std::uint64_t SendQueue::room(const Facts& facts) {
  follow(facts);
  const std::uint64_t last = written_ - tail_;
  next_begins_ = false;
  if (open_ && facts.sent < written_ && last < facts.packet) return facts.packet - last;
  const bool another = cost(facts) < facts.buffer && waiting(facts) < facts.notsent_lowat;
  next_begins_ = another;
  return another ? facts.packet : 0;
}

void SendQueue::put(std::uint64_t bytes) {
  if (bytes == 0) return;
  if (next_begins_ || ends_.empty()) {
    tail_ = written_;
    ends_.push_back(written_);
    open_ = true;
    next_begins_ = false;
  }
  written_ += bytes;
  ends_.back() = written_;
}

bool SendQueue::ends_at(std::uint64_t offset) const {
  return std::binary_search(ends_.begin(), ends_.end(), offset);
}

bool SendQueue::writable(const Facts& facts, Asked asked) {
  follow(facts);
  const std::uint64_t used = cost(facts);
  const std::uint64_t unsent = waiting(facts) * (asked == Asked::kWaiting ? 2 : 1);
  return used + used / 2 <= facts.buffer && unsent < facts.notsent_lowat;
}

}  // namespace braid::pd
