#include "stack/mptcp/subflow_receiver.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"
#include "stack/wire/checksum.h"

namespace braid::mptcp {
namespace {

bool is_pure_data_fin(const wire::Dss& dss) {
  return dss.data_fin && dss.mapping->data_length == 1 && dss.mapping->subflow_sequence == 0;
}

}  // namespace

void SubflowReceiver::set_start(std::uint64_t position) {
  ENSURE(mappings_.empty());
  start_ = next_ = position;
}

// ---- declaring

SubflowReceiver::Declared SubflowReceiver::declare(const wire::Dss& dss) {
  const wire::Dss::Mapping& option = *dss.mapping;
  if (option.checksum.has_value() != level_.checksum()) return Declared::kWrongChecksum;
  DataReceiver& receiver = *level_.receiver;
  const std::uint64_t dsn =
      option.eight_byte_sequence
          ? option.data_sequence
          : receiver.sequence().promote(static_cast<std::uint32_t>(option.data_sequence),
                                        receiver.pipe().in_order());
  if (is_pure_data_fin(dss)) {  // M79: outside the subflow's sequence space
    if (!option.checksum ||
        wire::dss_checksum({}, dsn, 0, option.data_length) == *option.checksum) {
      receiver.data_fin(dsn);
    }
    return Declared::kFine;
  }
  mapping_seen_ = true;
  Mapping mapping{.data_sequence = dsn,
                  .length = static_cast<std::uint32_t>(option.data_length - dss.data_fin),
                  .subflow_sequence = option.subflow_sequence,
                  .wire_length = option.data_length,
                  .checksum = option.checksum};
  // The SSN is 32 bits wide: the position nearest to where we are.
  const auto expected = static_cast<std::uint32_t>(next_ - start_ + 1);
  const auto delta = static_cast<std::int32_t>(option.subflow_sequence - expected);
  const std::int64_t position = static_cast<std::int64_t>(next_) + delta;
  if (position < static_cast<std::int64_t>(start_)) return Declared::kContradiction;
  mapping.position = static_cast<std::uint64_t>(position);
  if (dss.data_fin && !option.checksum) receiver.data_fin(dsn + mapping.length);
  return add(std::move(mapping));
}

SubflowReceiver::Declared SubflowReceiver::declare(const wire::MpCapable& option) {
  if (option.checksum.has_value() != level_.checksum()) return Declared::kWrongChecksum;
  mapping_seen_ = true;
  return add({.position = start_,
              .data_sequence = initial_dsn_of(*level_.negotiation.remote_key()) + 1,
              .length = *option.data_length,
              .subflow_sequence = 1,
              .wire_length = *option.data_length,
              .checksum = option.checksum});
}

// Without checksums a mapping is only a shift between two sequence spaces, so the parts of it that
// are news are added, however the peer cut it the first time.
SubflowReceiver::Declared SubflowReceiver::add(Mapping mapping) {
  const std::uint64_t needed_from = held_.empty() ? next_ : held_begin_;
  if (mapping.length == 0 || mapping.end() <= needed_from) return Declared::kFine;
  const StreamOffset parallel(mapping.position - level_.incoming_skip);
  if (level_.receiver->sequence().dsn(parallel) != mapping.data_sequence) straight_ = false;
  if (mapping.checksum) return add_checked(std::move(mapping));

  const std::uint64_t shift = mapping.data_sequence - mapping.position;
  std::uint64_t position = std::max(mapping.position, needed_from);
  const std::uint64_t end = mapping.end();
  std::size_t index = first_ending_after(position);
  while (position < end) {
    const bool last = index == mappings_.size();
    if (!last && mappings_[index].position <= position) {
      const Mapping& known = mappings_[index];
      if (known.data_sequence - known.position != shift) return Declared::kContradiction;
      position = known.end();
      ++index;
      continue;
    }
    if (mappings_.size() >= kMaxMappings) break;
    const std::uint64_t stop = last ? end : std::min(end, mappings_[index].position);
    mappings_.insert(index, {.position = position,
                             .data_sequence = position + shift,
                             .length = static_cast<std::uint32_t>(stop - position)});
    ++index;
    position = stop;
  }
  take_held();
  return Declared::kFine;
}

// With checksums the sum belongs to exactly this range: it comes again as it was or not at all.
// One thing may change: a DATA_FIN is folded in while the mapping is under way (Linux does it). Its
// sum differs by that one, and proves the bytes as well.
SubflowReceiver::Declared SubflowReceiver::add_checked(Mapping mapping) {
  const std::size_t index = first_ending_after(mapping.position);
  if (index < mappings_.size() && mappings_[index].position < mapping.end()) {
    Mapping& known = mappings_[index];
    const bool same_range = known.position == mapping.position && known.length == mapping.length &&
                            known.data_sequence == mapping.data_sequence;
    if (!same_range) return Declared::kContradiction;
    if (known.wire_length == mapping.wire_length) {
      return known.checksum == mapping.checksum ? Declared::kFine : Declared::kContradiction;
    }
    if (mapping.has_data_fin()) {
      known.wire_length = mapping.wire_length;
      known.checksum = mapping.checksum;
    }
    return Declared::kFine;
  }
  const std::uint64_t needed_from = held_.empty() ? next_ : held_begin_;
  if (mapping.position < needed_from || mappings_.size() >= kMaxMappings) return Declared::kFine;
  mappings_.insert(index, std::move(mapping));
  take_held();
  return Declared::kFine;
}

std::size_t SubflowReceiver::first_ending_after(std::uint64_t position) const {
  return mappings_.partition_point(
      [position](const Mapping& mapping) { return mapping.end() <= position; });
}

const SubflowReceiver::Mapping* SubflowReceiver::find(std::uint64_t position) const {
  const std::size_t index = first_ending_after(position);
  if (index == mappings_.size() || mappings_[index].position > position) return nullptr;
  return &mappings_[index];
}

std::uint64_t SubflowReceiver::next_mapping_after(std::uint64_t position) const {
  const std::size_t index = first_ending_after(position);
  return index == mappings_.size() ? UINT64_MAX : mappings_[index].position;
}

// ---- placing

Interval SubflowReceiver::place(std::uint64_t position, const Slices& bytes) {
  if (level_.plain()) return place_plain(position, bytes);
  const std::uint64_t end = position + bytes.size();
  Interval kept{position, position};
  for (std::uint64_t at = position; at < end;) {
    const Mapping* const mapping = find(at);
    const std::uint64_t stop =
        std::min(end, mapping != nullptr ? mapping->end() : next_mapping_after(at));
    const Slices part =
        bytes.sub(static_cast<std::uint32_t>(at - position), static_cast<std::uint32_t>(stop - at));
    const Interval now_kept =
        mapping != nullptr
            ? place_mapped(const_cast<Mapping&>(*mapping), at, part)
            : hold(at, part, kept.begin <= next_ ? std::max(kept.end, next_) : next_);
    if (now_kept.size() > 0) {
      if (kept.size() == 0) kept.begin = now_kept.begin;
      kept.end = now_kept.end;
    }
    if (now_kept.end != stop || (now_kept.begin != at && at != position)) break;
    at = stop;
  }
  return kept;
}

Interval SubflowReceiver::place_mapped(Mapping& mapping, std::uint64_t position,
                                       const Slices& bytes) {
  const std::uint64_t inside = position - mapping.position;
  if (!mapping.checksum) {
    const Interval range = level_.receiver->place(mapping.data_sequence + inside, bytes);
    return {position + range.begin, position + range.end};
  }
  const std::uint64_t needed = inside + bytes.size();
  if (mapping.staged_bytes() < needed) {
    const std::uint64_t growth = needed - mapping.staged_bytes();
    if (staged_ + growth > kMaxStaged) return {position, position};
    staged_ += growth;
    if (!mapping.staging) mapping.staging = std::make_unique<Staging>();
    mapping.staging->bytes.resize(needed);
  }
  Staging& staging = *mapping.staging;
  bytes.copy_to(MutableBytes(staging.bytes).subspan(inside, bytes.size()));
  staging.there.insert(inside, needed);
  return {position, position + bytes.size()};
}

// Only what continues the bytes in order: anything else would have to be SACKed without knowing
// whether there will ever be room for it.
Interval SubflowReceiver::hold(std::uint64_t position, const Slices& bytes,
                               std::uint64_t in_order) {
  if (held_.empty()) held_begin_ = in_order;
  const std::uint64_t held_end = held_begin_ + held_.size();
  const std::uint64_t end = position + bytes.size();
  if (position > held_end || position < held_begin_) return {position, position};
  if (end <= held_end) return {position, end};
  const auto old = static_cast<std::uint32_t>(held_end - position);
  const std::uint64_t room = kMaxUnmapped - held_.size();
  const auto taken = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes.size() - old, room));
  if (taken < bytes.size() - old) starved_ = true;
  held_.resize(held_.size() + taken);
  bytes.sub(old, taken).copy_to(MutableBytes(held_).last(taken));
  return {position, held_begin_ + held_.size()};
}

// Held bytes go to their mapping as far as mappings reach. They were acknowledged on the subflow
// already; what the data level refuses comes again there (M73).
void SubflowReceiver::take_held() {
  if (held_.empty()) return;
  std::size_t used = 0;  // from the front, without a gap
  const std::uint64_t held_end = held_begin_ + held_.size();
  for (std::uint64_t at = held_begin_; at < held_end;) {
    const Mapping* const mapping = find(at);
    const std::uint64_t stop =
        std::min(held_end, mapping != nullptr ? mapping->end() : next_mapping_after(at));
    if (mapping != nullptr) {
      place_mapped(const_cast<Mapping&>(*mapping), at,
                   Bytes(held_).subspan(at - held_begin_, stop - at));
      if (at == held_begin_ + used) used += stop - at;
    }
    at = stop;
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(used));
  held_begin_ += used;
  if (held_.empty()) std::vector<std::uint8_t>().swap(held_);
  received_up_to(next_);
}

void SubflowReceiver::received_up_to(std::uint64_t position) {
  next_ = std::max(next_, position);
  if (level_.plain()) return;
  // Mapped bytes that came after them do not excuse those whose mapping was lost (M60).
  if (!held_.empty() && next_ - held_begin_ > kMaxUnmapped) starved_ = overtaken_ = true;
  while (!mappings_.empty() && mappings_.front().end() <= next_) {
    if (failed_) return;  // discarded, or delivered as it is by fall_back()
    if (!is_whole(mappings_.front())) return;
    const Mapping& mapping = mappings_.front();
    if (mapping.checksum) deliver_checked(mapping);
    if (failed_) return;
    staged_ -= mapping.staged_bytes();
    mappings_.pop_front();
  }
}

// Every byte of it was placed; those that came before it was declared may wait among the held ones.
bool SubflowReceiver::is_whole(const Mapping& mapping) {
  return !mapping.checksum || (mapping.staging && mapping.staging->there.covers(0, mapping.length));
}

void SubflowReceiver::deliver_checked(const Mapping& mapping) {
  const Bytes bytes(mapping.staging->bytes);
  wire::InternetSum sum;
  sum.add(bytes);
  if (wire::dss_checksum(sum, mapping.data_sequence, mapping.subflow_sequence,
                         mapping.wire_length) != *mapping.checksum) {
    failed_ = mapping.data_sequence;
    return;
  }
  level_.receiver->place(mapping.data_sequence, Slices(bytes));
  if (mapping.has_data_fin()) level_.receiver->data_fin(mapping.data_sequence + mapping.length);
}

// ---- fallback

Interval SubflowReceiver::place_plain(std::uint64_t position, const Slices& bytes) {
  const std::uint64_t end = position + bytes.size();
  if (end <= level_.incoming_skip) return {position, end};
  const std::uint64_t from = std::max(position, level_.incoming_skip);
  const StreamOffset offset(from - level_.incoming_skip);
  const Interval held =
      level_.incoming->write_at(offset, bytes.sub(static_cast<std::uint32_t>(from - position),
                                                  static_cast<std::uint32_t>(end - from)));
  return {position, from + (held.end - offset.value())};
}

void SubflowReceiver::fall_back() {
  for (const Mapping& mapping : mappings_) {
    if (!mapping.staging) continue;
    for (const Interval& part : mapping.staging->there.ranges()) {
      place_plain(mapping.position + part.begin,
                  Bytes(mapping.staging->bytes).subspan(part.begin, part.size()));
    }
  }
  if (!held_.empty()) place_plain(held_begin_, Bytes(held_));
  mappings_.clear();
  std::vector<std::uint8_t>().swap(held_);
  staged_ = 0;
  failed_.reset();
  starved_ = overtaken_ = false;
}

void SubflowReceiver::validate() const {
  std::uint64_t last = 0, staged = 0;
  for (const Mapping& mapping : mappings_) {
    ENSURE(mapping.length > 0 && mapping.position >= last);
    ENSURE(mapping.staged_bytes() <= mapping.length);
    last = mapping.end();
    staged += mapping.staged_bytes();
  }
  ENSURE(staged == staged_ && held_.size() <= kMaxUnmapped);
  ENSURE(held_.empty() || held_begin_ <= next_);
}

}  // namespace braid::mptcp
