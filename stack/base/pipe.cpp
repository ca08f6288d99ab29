#include "stack/base/pipe.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "stack/base/ensure.h"

namespace braid {
namespace {

constexpr std::uint64_t kChunk = Chunk::kSize;
constexpr std::uint64_t kUsualMost = 6 << 20;

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

// Appends the part of [from, to) that lies in chunk `number`; returns where that part ends.
std::uint64_t append_from_chunk(Slices& out, const Chunk* chunk, std::uint64_t number,
                                std::uint64_t from, std::uint64_t to) {
  ENSURE(chunk != nullptr);
  const std::uint64_t stop = std::min(to, (number + 1) * kChunk);
  out.append(Bytes(chunk->bytes.data() + (from - number * kChunk), stop - from));
  return stop;
}

void validate_in_debug([[maybe_unused]] const Pipe& pipe) {
#ifdef BRAID_VALIDATE
  pipe.validate();
#endif
}

}  // namespace

// Reads a list of slices from some point of it on.
class Pipe::Source {
 public:
  Source(const Slices& bytes, std::uint64_t skip) : list_(bytes.list()) {
    while (!list_.empty() && skip >= list_.front().size()) {
      skip -= list_.front().size();
      list_ = list_.subspan(1);
    }
    used_ = skip;
  }

  void copy_to(std::uint8_t* to, std::uint64_t length) {
    while (length > 0) {
      const Bytes rest = list_.front().subspan(used_);
      const std::size_t take = std::min<std::uint64_t>(rest.size(), length);
      std::memcpy(to, rest.data(), take);
      to += take;
      length -= take;
      used_ += take;
      if (used_ == list_.front().size()) {
        list_ = list_.subspan(1);
        used_ = 0;
      }
    }
  }

 private:
  std::span<const Bytes> list_;
  std::size_t used_ = 0;
};

// ---- Hold

Slices Pipe::Hold::peek(StreamOffset from, std::uint32_t max_length) const {
  ENSURE(begin() <= from && from <= end());
  Slices out;
  std::uint64_t position = from.value();
  const std::uint64_t to = std::min(end().value(), position + max_length);
  while (position < to && !out.full()) {
    const std::uint64_t number = position / kChunk;
    position = append_from_chunk(out, chunks_[number - first_chunk_].get(), number, position, to);
  }
  return out;
}

void Pipe::Hold::trim_front(StreamOffset offset) {
  if (offset <= begin_) return;
  offset = std::min(offset, end());
  length_ = static_cast<std::uint32_t>(end() - offset);
  begin_ = offset;
  if (length_ == 0) {
    chunks_.fill(ChunkRef());
    return;
  }
  const std::size_t gone = begin_.value() / kChunk - first_chunk_;
  if (gone == 0) return;
  std::move(chunks_.begin() + static_cast<std::ptrdiff_t>(gone), chunks_.end(), chunks_.begin());
  std::fill(chunks_.end() - static_cast<std::ptrdiff_t>(gone), chunks_.end(), ChunkRef());
  first_chunk_ += gone;
}

void Pipe::Hold::swap(Hold& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(length_, other.length_);
  std::swap(first_chunk_, other.first_chunk_);
  std::swap(chunks_, other.chunks_);
}

// ---- Pipe: writing

Pipe::Pipe(ChunkPool& pool, std::uint64_t capacity)
    : pool_(pool),
      first_capacity_(capacity),
      capacity_(capacity),
      max_capacity_(std::max(capacity, kUsualMost)) {
  raise_edge();
}

Pipe::~Pipe() { pool_.shares().leave(*this); }

Interval Pipe::write_at(StreamOffset offset, const Slices& bytes) {
  const std::uint64_t begin = offset.value();
  const std::uint64_t end = saturating_add(begin, bytes.size());
  const std::uint64_t from = std::clamp(in_order_.value(), begin, end);
  const std::uint64_t limit = end_ ? std::min(edge_, *end_).value() : edge_.value();
  const std::uint64_t to = std::min(end, limit);
  if (to <= from) return {from, from};

  const bool leads = from == in_order_.value();
  const auto urgency = leads ? ChunkPool::Urgency::kInOrder : ChunkPool::Urgency::kOutOfOrder;
  std::uint64_t position = from;
  while (position < to) {
    const Interval gap = out_of_order_.gap(position, to);  // the first copy wins: only gaps
    position = gap.begin;
    if (gap.size() == 0) break;
    position = place(gap, Source(bytes, gap.begin - begin), urgency);
    if (position < gap.end) break;  // no memory
  }
  if (position == from) return {from, from};
  if (leads) {
    advance_in_order(position);
  } else {
    out_of_order_.insert(from, position);
  }
  validate_in_debug(*this);
  return {from, position};
}

std::uint32_t Pipe::append(const Slices& bytes) {
  return static_cast<std::uint32_t>(write_at(in_order_, bytes).size());
}

// Copies into the chunks of a gap, as far as there is memory. Returns where it stopped.
std::uint64_t Pipe::place(Interval gap, Source source, ChunkPool::Urgency urgency) {
  std::uint64_t position = gap.begin;
  while (position < gap.end) {
    const std::uint64_t number = position / kChunk;
    Chunk* const chunk = chunk_for(number, urgency);
    if (chunk == nullptr) break;
    const std::uint64_t stop = std::min(gap.end, (number + 1) * kChunk);
    source.copy_to(chunk->bytes.data() + (position - number * kChunk), stop - position);
    position = stop;
  }
  return position;
}

void Pipe::advance_in_order(std::uint64_t to) {
  if (!out_of_order_.empty()) {
    to = out_of_order_.find(to).end;  // what waited out of order right behind
    out_of_order_.erase_below(to);
  }
  in_order_ = StreamOffset(to);
  fullest_ = std::max(fullest_, readable());
  if (reader_ != nullptr) reader_->wake();
}

void Pipe::finish_at(StreamOffset end) {
  if (end_ || end < in_order_) return;
  end_ = end;
  if (written() > end) {
    out_of_order_.erase(end.value(), std::numeric_limits<std::uint64_t>::max());
    const std::uint64_t needed = (written().value() + kChunk - 1) / kChunk;
    if (needed < first_chunk_ + chunks_.size()) {
      while (!chunks_.empty() && needed < first_chunk_ + chunks_.size()) chunks_.pop_back();
    }
    drop_released_chunks();
  }
  if (reader_ != nullptr) reader_->wake();
  validate_in_debug(*this);
}

// ---- Pipe: reading

Slices Pipe::peek(StreamOffset from, std::uint32_t max_length) const {
  ENSURE(released_ <= from && from <= in_order_);
  Slices out;
  std::uint64_t position = from.value();
  const std::uint64_t to = std::min(in_order_.value(), position + max_length);
  while (position < to && !out.full()) {
    const std::uint64_t number = position / kChunk;
    position = append_from_chunk(out, chunk_at(number), number, position, to);
  }
  return out;
}

Pipe::Hold Pipe::hold(StreamOffset from, std::uint32_t length) const {
  ENSURE(released_ <= from && from <= in_order_ && length <= in_order_ - from);
  ENSURE(length <= kMaxHold);
  Hold out;
  out.begin_ = from;
  out.length_ = length;
  out.first_chunk_ = from.value() / kChunk;
  if (length == 0) return out;
  const std::uint64_t last = (from.value() + length - 1) / kChunk;
  for (std::uint64_t number = out.first_chunk_; number <= last; ++number) {
    out.chunks_[number - out.first_chunk_] = chunks_[number - first_chunk_];
  }
  return out;
}

void Pipe::release(StreamOffset offset) {
  ENSURE(offset <= in_order_);
  if (offset <= released_) return;
  released_ = offset;
  if (capacity_ > first_capacity_) set_capacity(std::min(capacity_, max_capacity()));
  raise_edge();
  drop_released_chunks();
  if (writer_ != nullptr) writer_->wake();
  validate_in_debug(*this);
}

// ---- Pipe: room

StreamOffset Pipe::written() const {
  return out_of_order_.empty() ? in_order_ : StreamOffset(out_of_order_.ranges().back().end);
}

void Pipe::set_capacity(std::uint64_t capacity) {
  const std::uint64_t former_room = room();
  capacity_ = capacity;
  if (capacity_ > first_capacity_) {
    pool_.shares().join(*this);
  } else {
    pool_.shares().leave(*this);
  }
  raise_edge();
  if (room() > former_room && writer_ != nullptr) writer_->wake();
}

void Pipe::grow(std::uint64_t wanted) {
  if (wanted <= capacity_ || pool_.under_pressure()) return;
  pool_.shares().join(*this);  // before the parts are counted
  if (wanted > pool_.shares().share()) pool_.shares().reclaim();
  set_capacity(std::max(capacity_, std::min(wanted, max_capacity())));
}

std::uint64_t Pipe::max_capacity() const {
  return std::min(max_capacity_, std::max(first_capacity_, pool_.shares().share()));
}

// At rest: the next bytes begin with the first window.
void Pipe::give_back() { set_capacity(first_capacity_); }

std::uint64_t Pipe::room() const { return capacity_ > readable() ? capacity_ - readable() : 0; }

void Pipe::reader_starved() {
  const bool was_full = fullest_ > capacity_ / 2;
  fullest_ = readable();
  if (!end_ && was_full) grow(2 * capacity_);
}

void Pipe::raise_edge() {
  edge_ = std::max(edge_, StreamOffset(saturating_add(released_.value(), capacity_)));
}

// ---- Pipe: chunks

Chunk* Pipe::chunk_at(std::uint64_t number) const {
  if (number < first_chunk_ || number - first_chunk_ >= chunks_.size()) return nullptr;
  return chunks_[number - first_chunk_].get();
}

Chunk* Pipe::chunk_for(std::uint64_t number, ChunkPool::Urgency urgency) {
  if (Chunk* const there = chunk_at(number)) return there;
  ChunkRef fresh = pool_.allocate(urgency);
  if (!fresh) return nullptr;
  pool_.shares().took(*this, kChunk);
  // Nothing left of released is ever placed again, so the array only grows to the right.
  if (chunks_.empty()) first_chunk_ = released_.value() / kChunk;
  const std::size_t index = number - first_chunk_;
  while (index >= chunks_.size()) chunks_.push_back(ChunkRef());
  chunks_[index] = std::move(fresh);
  return chunks_[index].get();
}

// A chunk goes back as soon as it holds no byte that is readable or waiting out of order: the ones
// wholly left of `released`, and the one `released` stands in when nothing in it is held.
void Pipe::drop_released_chunks() {
  if (chunks_.empty()) return;
  std::uint64_t keep_from = released_.value() / kChunk;
  const std::uint64_t chunk_end = (keep_from + 1) * kChunk;
  const bool waiting_inside =
      !out_of_order_.empty() && out_of_order_.ranges().front().begin < chunk_end;
  if (released_ == in_order_ && !waiting_inside) ++keep_from;
  for (; !chunks_.empty() && first_chunk_ < released_.value() / kChunk; ++first_chunk_) {
    chunks_.pop_front();
  }
  if (chunks_.empty() || keep_from == first_chunk_) return;
  // The one `released` stands in may be written to again while there are others behind it.
  if (chunks_.size() == 1) {
    chunks_.pop_front();
  } else {
    chunks_.front() = ChunkRef();
  }
}

void Pipe::validate() const {
  ENSURE(released_ <= in_order_ && written() <= edge_);
  ENSURE(released_.value() + capacity_ <= edge_.value() ||
         edge_ == StreamOffset(~std::uint64_t{0}));
  ENSURE(!end_ || written() <= *end_);
  out_of_order_.validate();
  ENSURE(out_of_order_.empty() || out_of_order_.ranges().front().begin > in_order_.value());

  // Exactly the chunks with a held byte in them are here.
  IntervalSet needed;
  const auto need = [&needed](std::uint64_t begin, std::uint64_t end) {
    if (begin < end) needed.insert(begin / kChunk, (end - 1) / kChunk + 1);
  };
  need(released_.value(), in_order_.value());
  for (const Interval& range : out_of_order_.ranges()) need(range.begin, range.end);
  std::uint64_t present = 0;
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    ENSURE(static_cast<bool>(chunks_[i]) == needed.contains(first_chunk_ + i));
    present += static_cast<bool>(chunks_[i]);
  }
  ENSURE(present == needed.total());
}

}  // namespace braid
