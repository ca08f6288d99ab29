#include "stack/mptcp/mapping_queue.h"

#include <doctest/doctest.h>

#include "tests/support/pipe_end.h"

using namespace braid;
using namespace braid::test;

namespace {

struct Bench {
  Bench() {
    const auto bytes = stream_bytes(0, 100'000);
    pipe.append(Slices(Bytes(bytes)));
  }
  void push(std::uint64_t offset, std::uint32_t length, bool fin = false) {
    queue.push(9000 + offset, pipe.hold(StreamOffset(offset), length), fin, std::nullopt);
    queue.validate();
  }
  ChunkPool pool{4 << 20};
  Pipe pipe{pool, 200'000};
  mptcp::MappingQueue queue;
};

bool is_stream(const Slices& bytes, std::uint64_t from) {
  return bytes == Slices(Bytes(stream_bytes(from, bytes.size())));
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("mappings lie back to back, whatever they map") {
  Bench bench;
  bench.queue.set_start(300);
  bench.push(0, 1000);
  bench.push(50'000, 500);  // something else went elsewhere
  bench.push(0, 200, true);
  CHECK(bench.queue.end() == 2000);
  CHECK(bench.queue.at(299) == nullptr);
  CHECK(bench.queue.at(300)->data_sequence == 9000);
  CHECK(bench.queue.at(1300)->begin == StreamOffset(50'000));
  CHECK(bench.queue.at(1999)->wire_length() == 201);
  CHECK(bench.queue.at(2000) == nullptr);
  CHECK(bench.queue.subflow_sequence(300) == 1);
  CHECK(bench.queue.subflow_sequence(1300) == 1001);
}

TEST_CASE("a byte of the pipe is found where it was mapped first, until that was acknowledged") {
  Bench bench;
  bench.queue.set_start(300);
  bench.push(10'000, 1000);
  bench.push(50'000, 500);
  bench.push(10'000, 200);
  CHECK(bench.queue.position_of(StreamOffset(10'000)) == 300);
  CHECK(bench.queue.position_of(StreamOffset(10'999)) == 1299);
  CHECK(bench.queue.position_of(StreamOffset(50'001)) == 1301);
  CHECK(!bench.queue.position_of(StreamOffset(11'000)));
  while (bench.queue.acked(1300)) {
  }
  CHECK(bench.queue.position_of(StreamOffset(10'100)) == 1900);
}

TEST_CASE("bytes never reach past the end of their mapping") {
  Bench bench;
  bench.push(0, 1000);
  bench.push(1000, 1000);
  const Slices bytes = bench.queue.peek(400, 5000);
  CHECK(bytes.size() == 600);
  CHECK(is_stream(bytes, 400));
  CHECK(bench.queue.peek(1000, 10).size() == 10);
  CHECK(bench.queue.peek(2000, 10).empty());
}

TEST_CASE(
    "a mapping's bytes outlive their release from the pipe until the subflow has them "
    "acknowledged") {
  Bench bench;
  bench.push(0, 40'000);
  bench.push(40'000, 60'000);
  bench.pipe.release(StreamOffset(100'000));  // M64, M72: DATA_ACKed over another path
  CHECK(is_stream(bench.queue.peek(39'000, 1000), 39'000));
  const std::size_t before = bench.pool.used_bytes();
  CHECK_FALSE(bench.queue.acked(20'000));
  CHECK(bench.pool.used_bytes() < before);
  CHECK(is_stream(bench.queue.peek(20'000, 1000), 20'000));
  const auto first = bench.queue.acked(41'000);
  REQUIRE(first);
  CHECK(first->begin == StreamOffset(0));
  CHECK(first->length == 40'000);
  CHECK_FALSE(bench.queue.acked(41'000));
  CHECK(bench.queue.size() == 1);
  CHECK(bench.queue.acked(100'000));
  CHECK(bench.queue.empty());
  CHECK(bench.pool.used_bytes() == 0);
  bench.queue.validate();
}

TEST_SUITE_END();
