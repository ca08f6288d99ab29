// ChunkPool: the one global budget of stream memory, handed out as fixed chunks.
//
// Every Pipe and every Hold draws from one pool, so "how much do we buffer" has one answer and one
// limit. Chunks are counted references: a pipe and the subflow mappings over it share them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "stack/base/fair_share.h"

namespace braid {

class ChunkPool;

struct Chunk {
  static constexpr std::size_t kSize = 16 * 1024;  // bytes
  ChunkPool* pool = nullptr;
  std::uint32_t references = 0;
  std::array<std::uint8_t, kSize> bytes;
};

// One counted reference; empty when default-made. Not for threads.
class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(Chunk* chunk) : chunk_(chunk) {
    if (chunk_) ++chunk_->references;
  }
  ChunkRef(const ChunkRef& o) : ChunkRef(o.chunk_) {}
  ChunkRef(ChunkRef&& o) noexcept : chunk_(std::exchange(o.chunk_, nullptr)) {}
  ChunkRef& operator=(ChunkRef o) noexcept {
    std::swap(chunk_, o.chunk_);
    return *this;
  }
  ~ChunkRef();

  explicit operator bool() const { return chunk_ != nullptr; }
  Chunk* operator->() const { return chunk_; }
  Chunk* get() const { return chunk_; }

 private:
  Chunk* chunk_ = nullptr;
};

class ChunkPool {
 public:
  // `budget_bytes` is rounded down to whole chunks. Nothing is allocated before it is used.
  explicit ChunkPool(std::size_t budget_bytes);
  ~ChunkPool();  // every reference must be gone
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // Bytes that arrive out of order may not take the last eighth of the budget: in-order bytes,
  // which can be delivered and so give memory back, come first.
  enum class Urgency { kInOrder, kOutOfOrder };
  // An empty reference when the budget (for this urgency) is used up.
  ChunkRef allocate(Urgency urgency);

  std::size_t budget_bytes() const { return limit_ * Chunk::kSize; }
  std::size_t used_bytes() const { return used_ * Chunk::kSize; }
  // More than three quarters in use: receive rooms stop growing.
  bool under_pressure() const { return used_ * 4 > limit_ * 3; }
  // What the streams that draw from here may promise.
  FairShare& shares() { return shares_; }

 private:
  friend class ChunkRef;
  void put_back(Chunk* chunk);

  std::size_t limit_;
  std::size_t used_ = 0;
  FairShare shares_;
  std::vector<std::unique_ptr<Chunk>> spare_;  // a few, kept to save malloc work
};

}  // namespace braid
