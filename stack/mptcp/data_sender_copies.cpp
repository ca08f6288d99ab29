// Bytes that travel on one subflow and are given to a second all the same: copies for a redundant
// scheduler, and what a fast subflow may take over from a slow one.
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/mptcp/data_sender.h"

namespace braid::mptcp {

StreamOffset DataSender::copied_to(SubflowId subflow) const {
  const auto it = std::find_if(copied_to_.begin(), copied_to_.end(),
                               [subflow](const auto& entry) { return entry.first == subflow; });
  return it == copied_to_.end() ? snd_una_ : std::max(it->second, snd_una_);
}

void DataSender::set_copied_to(SubflowId subflow, StreamOffset offset) {
  const auto it = std::find_if(copied_to_.begin(), copied_to_.end(),
                               [subflow](const auto& entry) { return entry.first == subflow; });
  if (it == copied_to_.end()) {
    copied_to_.emplace_back(subflow, offset);
  } else {
    it->second = std::max(it->second, offset);
  }
}

std::optional<DataSender::Range> DataSender::next_or_copy(SubflowId subflow,
                                                          std::uint32_t max_length, Instant now) {
  std::optional<Range> range = next(subflow, max_length, now);
  if (range && range->kind == Range::Kind::kReinjection) return range;
  if (const auto found = waiting(subflow, copied_to(subflow), max_length)) {
    set_copied_to(subflow, found->range.begin);
    return found->range;
  }
  set_copied_to(subflow, snd_nxt_);
  return range;
}

std::optional<DataSender::Waiting> DataSender::waiting(SubflowId subflow, StreamOffset from,
                                                       std::uint32_t max_length) const {
  from = std::max(from, snd_una_);
  if (from >= snd_nxt_ || max_length == 0) return std::nullopt;
  max_length = std::min(max_length, kMaxRange);
  const auto fits = [subflow](const Record& r) {
    return !r.due && r.find(subflow) == nullptr && r.any(Standing::kInFlight) &&
           !r.any(Standing::kAcked);
  };
  std::size_t index = index_at(from);
  while (index < records_.size() && !fits(records_[index])) ++index;
  if (index == records_.size()) return std::nullopt;

  const Record& first = records_[index];
  const StreamOffset begin = std::max(first.begin, from);
  const SubflowId carrier = first.last_carrier();
  Range range{begin, 0, false, Range::Kind::kCopy};
  for (; index < records_.size() && range.length < max_length; ++index) {
    const Record& record = records_[index];
    if (!fits(record) || record.last_carrier() != carrier) break;
    const auto length = static_cast<std::uint32_t>(record.end() - (begin + range.length));
    range.length += std::min(length, max_length - range.length);
  }
  range.data_fin = ends_stream(begin + range.length);
  return Waiting{range, carrier, first.mapped_at};
}

}  // namespace braid::mptcp
