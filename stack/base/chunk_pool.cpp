#include "stack/base/chunk_pool.h"

#include "stack/base/ensure.h"

namespace braid {
namespace {

// 1 MiB: little enough to keep while idle. While busy, as many again as are in use, so that a
// stream whose buffers fill and empty with every wake-up does not meet malloc each time.
constexpr std::size_t kIdleSpareChunks = 64;

}  // namespace

ChunkRef::~ChunkRef() {
  if (chunk_ != nullptr && --chunk_->references == 0) chunk_->pool->put_back(chunk_);
}

ChunkPool::ChunkPool(std::size_t budget_bytes)
    : limit_(budget_bytes / Chunk::kSize), shares_(limit_ * Chunk::kSize) {}

ChunkPool::~ChunkPool() { ENSURE(used_ == 0); }

ChunkRef ChunkPool::allocate(Urgency urgency) {
  // The reserve is rounded up: however small the budget, in-order bytes can always move.
  const std::size_t reserve = urgency == Urgency::kOutOfOrder ? (limit_ + 7) / 8 : 0;
  if (used_ + reserve >= limit_) return ChunkRef();
  std::unique_ptr<Chunk> chunk;
  if (spare_.empty()) {
    chunk = std::make_unique_for_overwrite<Chunk>();
    chunk->pool = this;
  } else {
    chunk = std::move(spare_.back());
    spare_.pop_back();
  }
  ++used_;
  return ChunkRef(chunk.release());  // its reference count owns it until put_back
}

void ChunkPool::put_back(Chunk* chunk) {
  std::unique_ptr<Chunk> owned(chunk);
  ENSURE(used_ > 0);
  --used_;
  spare_.push_back(std::move(owned));
  while (spare_.size() > kIdleSpareChunks + used_) spare_.pop_back();
}

}  // namespace braid
