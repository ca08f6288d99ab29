#include "stack/mptcp/mapping_queue.h"

#include <utility>

#include "stack/base/ensure.h"

namespace braid::mptcp {

void MappingQueue::set_start(std::uint64_t position) {
  ENSURE(entries_.empty() && start_ == end_);
  start_ = end_ = position;
}

void MappingQueue::push(std::uint64_t data_sequence, Pipe::Hold hold, bool data_fin,
                        std::optional<std::uint16_t> checksum) {
  ENSURE(hold.length() > 0 && hold.length() + data_fin <= 0xffff);
  Mapping mapping{.position = end_,
                  .data_sequence = data_sequence,
                  .begin = hold.begin(),
                  .length = hold.length(),
                  .data_fin = data_fin,
                  .checksum = checksum};
  end_ = mapping.end();
  entries_.push_back({mapping, std::move(hold)});
}

const MappingQueue::Entry* MappingQueue::entry_at(std::uint64_t position) const {
  const std::size_t after = entries_.partition_point(
      [position](const Entry& entry) { return entry.mapping.position <= position; });
  if (after == 0) return nullptr;
  const Entry& entry = entries_[after - 1];
  return position < entry.mapping.end() ? &entry : nullptr;
}

const MappingQueue::Mapping* MappingQueue::at(std::uint64_t position) const {
  const Entry* const entry = entry_at(position);
  return entry == nullptr ? nullptr : &entry->mapping;
}

std::optional<std::uint64_t> MappingQueue::position_of(StreamOffset offset) const {
  for (const Entry& entry : entries_) {
    const Mapping& mapping = entry.mapping;
    if (mapping.begin <= offset && offset < mapping.begin + mapping.length) {
      return mapping.position + (offset - mapping.begin);
    }
  }
  return std::nullopt;
}

Slices MappingQueue::peek(std::uint64_t position, std::uint32_t max_length) const {
  const Entry* const entry = entry_at(position);
  if (entry == nullptr) return {};
  const StreamOffset from = entry->mapping.begin + (position - entry->mapping.position);
  if (from < entry->hold.begin()) return {};  // acknowledged already, and given up
  return entry->hold.peek(from, max_length);
}

std::optional<MappingQueue::Mapping> MappingQueue::acked(std::uint64_t position) {
  if (entries_.empty()) return std::nullopt;
  Entry& first = entries_.front();
  if (first.mapping.end() <= position) {
    const Mapping done = first.mapping;
    entries_.pop_front();
    return done;
  }
  if (first.mapping.position < position) {
    first.hold.trim_front(first.mapping.begin + (position - first.mapping.position));
  }
  return std::nullopt;
}

void MappingQueue::validate() const {
  std::uint64_t expected = entries_.empty() ? end_ : entries_.front().mapping.position;
  ENSURE(expected >= start_);
  for (const Entry& entry : entries_) {
    ENSURE(entry.mapping.position == expected && entry.mapping.length > 0);
    ENSURE(entry.hold.end() == entry.mapping.begin + entry.mapping.length);
    expected = entry.mapping.end();
  }
  ENSURE(expected == end_);
}

}  // namespace braid::mptcp
