// Pipe: the one buffer of braid. A byte stream addressed by 64-bit offset, made of pooled chunks.
//
// It is at once receive buffer, reassembly, relay, send buffer and retransmission buffer: a proxied
// flow *is* two pipes. Three marks move upwards only:
//
//     released            in_order              written
//   -----|-------------------|-----###---####------|------------> offset
//     (gone) readable bytes        out of order
//
// Bytes are placed anywhere in [in_order, edge), where edge is the highest released + capacity
// there ever was (a promise is kept when the capacity shrinks); only [released, in_order) is
// readable. room() = capacity - (in_order - released) is what a receive window may promise beyond
// in_order. Placing wakes the reader when in_order moved (or the end became known); releasing wakes
// the writer. Neither is called: they are entries of an Agenda.
//
// The capacity grows with what the stream needs, within its share of the pool (see fair_share.h);
// when the share becomes smaller the capacity follows it as bytes are released.
//
// A Hold is a reference to the chunks under a range: it stays readable after release(). A subflow
// mapping keeps one until its subflow acknowledged it (RFC 8684 M64, M72); it counts against the
// pool, not against the room.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/agenda.h"
#include "stack/base/bytes.h"
#include "stack/base/chunk_pool.h"
#include "stack/base/interval_set.h"
#include "stack/base/ring.h"
#include "stack/base/seq.h"

namespace braid {

class Pipe final : private FairShare::Member {
 public:
  static constexpr std::uint32_t kMaxHold = 64 * 1024;  // bytes

  // A range of the stream that outlives its release. Empty when default-made or moved from.
  class Hold {
   public:
    StreamOffset begin() const { return begin_; }
    StreamOffset end() const { return begin_ + length_; }
    std::uint32_t length() const { return length_; }
    // Bytes [from, from + max_length) cut to the hold's end; `from` must lie in [begin, end].
    Slices peek(StreamOffset from, std::uint32_t max_length) const;
    // Gives up what lies below `offset`.
    void trim_front(StreamOffset offset);

    Hold() = default;
    Hold(const Hold&) = default;
    Hold(Hold&& other) noexcept { swap(other); }
    Hold& operator=(Hold other) noexcept {
      swap(other);
      return *this;
    }
    ~Hold() = default;

   private:
    friend class Pipe;
    void swap(Hold& other) noexcept;

    StreamOffset begin_;
    std::uint32_t length_ = 0;
    std::uint64_t first_chunk_ = 0;  // number of chunks_[0] in the stream
    std::array<ChunkRef, kMaxHold / Chunk::kSize + 1> chunks_;  // from the front; no allocation
  };

  // `capacity`: bytes the writer may be ahead of release().
  Pipe(ChunkPool& pool, std::uint64_t capacity);
  ~Pipe() override;

  // Who is woken; entries outlive the pipe or are cleared with nullptr.
  void set_reader(Agenda::Entry* reader) { reader_ = reader; }
  void set_writer(Agenda::Entry* writer) { writer_ = writer; }

  // Places bytes at `offset`. What is already in order, right of the edge, past the end,
  // or without memory is left out. Returns the range [offset', offset'') that is now certainly held
  // out of these bytes (possibly already before): a prefix of what was offered, after what was old.
  // Bytes already held are never overwritten: the first copy wins (RFC 8684 M51).
  Interval write_at(StreamOffset offset, const Slices& bytes);
  // write_at(in_order(), bytes): for producers that have no offsets. Returns bytes taken.
  std::uint32_t append(const Slices& bytes);

  // Readable bytes from `from` on (released <= from <= in_order), at most max_length, and at most
  // what Slices can hold.
  Slices peek(StreamOffset from, std::uint32_t max_length) const;
  // References [from, from + length), which must be readable; length at most 64 KiB.
  Hold hold(StreamOffset from, std::uint32_t length) const;
  // The reader is done with everything below `offset` (at most in_order). Never moves back.
  void release(StreamOffset offset);

  // The stream ends at `end`: nothing is accepted past it, and what was held out of order there is
  // dropped. A second, different end is ignored, and so is one left of in_order().
  void finish_at(StreamOffset end);
  void finish() { finish_at(in_order_); }
  // Where the stream ends, once known.
  std::optional<StreamOffset> end() const { return end_; }
  // The end is known and everything before it is in order.
  bool complete() const { return end_ && in_order_ == *end_; }

  StreamOffset released() const { return released_; }
  StreamOffset in_order() const { return in_order_; }
  // One past the highest byte held.
  StreamOffset written() const;
  std::uint64_t readable() const { return in_order_ - released_; }
  std::uint64_t capacity() const { return capacity_; }
  // Growing wakes the writer. Shrinking never takes back what was promised: room() is cut, to zero
  // at most, but bytes up to the former edge are still accepted.
  void set_capacity(std::uint64_t capacity);
  std::uint64_t room() const;
  // The capacity becomes `wanted`, as far as max_capacity() allows; never less than it is, and no
  // more while the pool is under pressure.
  void grow(std::uint64_t wanted);
  // The reader has put everything readable on its way and could carry more. When the pipe was more
  // than half full since it last said so, the capacity doubles: a relay's buffer must be as deep as
  // its next leg needs, which the writer's leg cannot know.
  void reader_starved();
  void set_max_capacity(std::uint64_t bytes) { max_capacity_ = bytes; }
  // What was set (6 MiB by default, or the first capacity), but beyond the first capacity not more
  // than this stream's share of the pool.
  std::uint64_t max_capacity() const;
  // Bytes held out of order, as absolute offsets.
  const IntervalSet& out_of_order() const { return out_of_order_; }
  ChunkPool& pool() const { return pool_; }
  void validate() const;

 private:
  class Source;
  std::uint64_t place(Interval gap, Source source, ChunkPool::Urgency urgency);
  void advance_in_order(std::uint64_t to);
  Chunk* chunk_at(std::uint64_t number) const;
  Chunk* chunk_for(std::uint64_t number, ChunkPool::Urgency urgency);
  void drop_released_chunks();
  void raise_edge();
  void give_back() override;

  ChunkPool& pool_;
  const std::uint64_t first_capacity_;
  std::uint64_t capacity_;
  std::uint64_t max_capacity_;
  std::uint64_t fullest_ = 0;  // the most that was readable since reader_starved()
  StreamOffset released_;
  StreamOffset in_order_;
  StreamOffset edge_;  // bytes left of it are accepted; never moves back
  std::optional<StreamOffset> end_;
  IntervalSet out_of_order_;
  // The number of chunks_[0]; chunk n covers [n * kSize, (n+1) * kSize).
  std::uint64_t first_chunk_ = 0;
  // Few; empty references where nothing was placed yet. A relay's pipe is empty after every
  // wake-up: the smallest block stays, so that the next one needs no memory for it.
  Ring<ChunkRef, 4> chunks_;
  Agenda::Entry* reader_ = nullptr;
  Agenda::Entry* writer_ = nullptr;
};

}  // namespace braid
