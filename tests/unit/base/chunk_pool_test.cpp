#include "stack/base/chunk_pool.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace braid;
using Urgency = ChunkPool::Urgency;

TEST_CASE("a budget is rounded down to whole chunks and never exceeded") {
  ChunkPool pool(2 * Chunk::kSize + 1000);
  CHECK(pool.budget_bytes() == 2 * Chunk::kSize);
  CHECK(pool.used_bytes() == 0);
  ChunkRef first = pool.allocate(Urgency::kInOrder);
  ChunkRef second = pool.allocate(Urgency::kInOrder);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(pool.allocate(Urgency::kInOrder));
  second = ChunkRef();
  CHECK(pool.used_bytes() == Chunk::kSize);
  CHECK(pool.allocate(Urgency::kInOrder));
}

TEST_CASE("bytes out of order leave the last eighth to bytes in order") {
  ChunkPool pool(16 * Chunk::kSize);
  std::vector<ChunkRef> held;
  while (ChunkRef chunk = pool.allocate(Urgency::kOutOfOrder)) held.push_back(chunk);
  CHECK(held.size() == 14);
  while (ChunkRef chunk = pool.allocate(Urgency::kInOrder)) held.push_back(chunk);
  CHECK(held.size() == 16);
}

TEST_CASE("even a budget of one chunk is kept for bytes in order") {
  ChunkPool pool(Chunk::kSize);
  CHECK_FALSE(pool.allocate(Urgency::kOutOfOrder));
  CHECK(pool.allocate(Urgency::kInOrder));
}

TEST_CASE("a chunk goes back with its last reference") {
  ChunkPool pool(4 * Chunk::kSize);
  ChunkRef original = pool.allocate(Urgency::kInOrder);
  ChunkRef copy = original;
  CHECK(copy.get() == original.get());
  original = ChunkRef();
  CHECK(pool.used_bytes() == Chunk::kSize);
  ChunkRef moved = std::move(copy);
  CHECK_FALSE(copy);
  CHECK(pool.used_bytes() == Chunk::kSize);
  moved = ChunkRef();
  CHECK(pool.used_bytes() == 0);
}

TEST_CASE("pressure begins above three quarters of the budget") {
  ChunkPool pool(4 * Chunk::kSize);
  std::vector<ChunkRef> held;
  for (int i = 0; i < 3; ++i) held.push_back(pool.allocate(Urgency::kInOrder));
  CHECK_FALSE(pool.under_pressure());
  held.push_back(pool.allocate(Urgency::kInOrder));
  CHECK(pool.under_pressure());
}

TEST_SUITE_END();
