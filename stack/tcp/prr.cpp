#include "stack/tcp/prr.h"

#include <algorithm>

namespace braid::tcp {

void Prr::enter(std::uint64_t flight_size, std::uint64_t target, std::uint32_t mss) {
  flight_size_ = std::max<std::uint64_t>(flight_size, 1);
  target_ = target;
  mss_ = mss;
  delivered_ = 0;
  sent_ = 0;
  allowance_ = mss;
}

void Prr::on_ack(std::uint64_t delivered, std::uint64_t in_flight, Progress progress) {
  if (delivered == 0 && sent_ > 0) return;  // RFC 9937 6.2: it says nothing of room in the path
  delivered_ += delivered;
  if (in_flight > target_) {
    const std::uint64_t share = (delivered_ * target_ + flight_size_ - 1) / flight_size_;
    allowance_ = share > sent_ ? share - sent_ : 0;
  } else {
    std::uint64_t refill = std::max(delivered_ > sent_ ? delivered_ - sent_ : 0, delivered);
    if (progress == Progress::kGood) refill += mss_;
    allowance_ = std::min(target_ - in_flight, refill);
  }
  // RFC 9937 6.2: the fast retransmission that begins recovery is always sent.
  if (sent_ == 0) allowance_ = std::max(allowance_, mss_);
}

void Prr::on_sent(std::uint64_t bytes) {
  sent_ += bytes;
  allowance_ -= std::min(allowance_, bytes);
}

}  // namespace braid::tcp
