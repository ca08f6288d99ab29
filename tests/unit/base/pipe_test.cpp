#include "stack/base/pipe.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace braid;

namespace {

constexpr std::uint64_t kChunk = Chunk::kSize;

// The byte every test expects at an offset.
std::uint8_t byte_at(std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 31 + (offset >> 8) * 7);
}

std::vector<std::uint8_t> stream(std::uint64_t begin, std::uint64_t end) {
  std::vector<std::uint8_t> out;
  for (std::uint64_t i = begin; i < end; ++i) out.push_back(byte_at(i));
  return out;
}

struct Fixture {
  ChunkPool pool{64 * kChunk};
  Agenda agenda;
  Agenda::Entry reader;
  Agenda::Entry writer;
  Pipe pipe{pool, 10 * kChunk};

  Fixture() {
    reader.join(agenda);
    writer.join(agenda);
    pipe.set_reader(&reader);
    pipe.set_writer(&writer);
  }

  Interval write(std::uint64_t begin, std::uint64_t end) {
    const std::vector<std::uint8_t> bytes = stream(begin, end);
    const Interval out = pipe.write_at(StreamOffset(begin), Slices(Bytes(bytes)));
    pipe.validate();
    return out;
  }
  void release(std::uint64_t offset) {
    pipe.release(StreamOffset(offset));
    pipe.validate();
  }
  bool reads(std::uint64_t begin, std::uint64_t end) {
    const auto length = static_cast<std::uint32_t>(end - begin);
    return pipe.peek(StreamOffset(begin), length).to_vector() == stream(begin, end);
  }
  // Whether the entry woke since it was last asked.
  bool reader_woke() { return took(reader); }
  bool writer_woke() { return took(writer); }

 private:
  bool took(Agenda::Entry& entry) {
    const bool was_ready = entry.is_ready();
    entry.leave();
    entry.join(agenda);
    return was_ready;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "bytes in order are readable at once and wake the reader") {
  CHECK(write(0, 1000) == Interval{0, 1000});
  CHECK(pipe.in_order().value() == 1000);
  CHECK(pipe.readable() == 1000);
  CHECK(reads(0, 1000));
  CHECK(reads(400, 700));
  CHECK(reader_woke());
  CHECK_FALSE(writer_woke());
}

TEST_CASE_FIXTURE(Fixture, "bytes out of order become readable when the gap closes") {
  CHECK(write(500, 900) == Interval{500, 900});
  CHECK(pipe.readable() == 0);
  CHECK(pipe.written().value() == 900);
  CHECK(pipe.out_of_order().ranges() == std::vector<Interval>{{500, 900}});
  CHECK_FALSE(reader_woke());
  CHECK(write(0, 500) == Interval{0, 500});
  CHECK(pipe.in_order().value() == 900);
  CHECK(pipe.out_of_order().empty());
  CHECK(reads(0, 900));
  CHECK(reader_woke());
}

TEST_CASE_FIXTURE(Fixture, "the first copy of a byte wins") {
  write(100, 200);
  std::vector<std::uint8_t> forged(300, 0xee);
  CHECK(pipe.write_at(StreamOffset(0), Slices(Bytes(forged))) == Interval{0, 300});
  CHECK(pipe.in_order().value() == 300);
  std::vector<std::uint8_t> expected(300, 0xee);
  const std::vector<std::uint8_t> first_copy = stream(100, 200);
  std::copy(first_copy.begin(), first_copy.end(), expected.begin() + 100);
  CHECK(pipe.peek(StreamOffset(0), 300).to_vector() == expected);
}

TEST_CASE_FIXTURE(Fixture, "what is old, right of the edge or past the end is left out") {
  write(0, 1000);
  CHECK(write(0, 500) == Interval{500, 500});
  CHECK(write(800, 1200) == Interval{1000, 1200});
  SUBCASE("partly right of the edge") {
    CHECK(write(10 * kChunk - 10, 10 * kChunk + 10) == Interval{10 * kChunk - 10, 10 * kChunk});
  }
  SUBCASE("wholly right of the edge") {
    CHECK(write(10 * kChunk + 5, 10 * kChunk + 10).size() == 0);
    CHECK(pipe.written().value() == 1200);
  }
  SUBCASE("past the end") {
    pipe.finish_at(StreamOffset(1300));
    CHECK(write(1250, 1400) == Interval{1250, 1300});
    CHECK_FALSE(pipe.complete());
    CHECK(write(1200, 1250) == Interval{1200, 1250});
    CHECK(pipe.complete());
  }
  SUBCASE("at the end of all numbers") {
    const std::vector<std::uint8_t> bytes(100);
    CHECK(pipe.write_at(StreamOffset(~std::uint64_t{0} - 5), Slices(Bytes(bytes))).size() == 0);
  }
}

TEST_CASE_FIXTURE(Fixture, "bytes already held count as held in the answer") {
  write(100, 200);
  CHECK(write(100, 200) == Interval{100, 200});
  CHECK(write(50, 250) == Interval{50, 250});
}

TEST_CASE("without memory a prefix is taken, and in-order bytes come first") {
  ChunkPool pool(2 * kChunk);
  Pipe pipe(pool, 100 * kChunk);
  const std::vector<std::uint8_t> bytes = stream(0, 3 * kChunk);
  CHECK(pipe.write_at(StreamOffset(10), Slices(Bytes(bytes).subspan(10))) == Interval{10, kChunk});
  CHECK(pipe.write_at(StreamOffset(0), Slices(Bytes(bytes))) == Interval{0, 2 * kChunk});
  pipe.validate();
  CHECK(pipe.peek(StreamOffset(0), 3 * kChunk).to_vector() == stream(0, 2 * kChunk));
  pipe.release(StreamOffset(kChunk));
  CHECK(pipe.write_at(StreamOffset(0), Slices(Bytes(bytes))).size() == kChunk);
  pipe.validate();
}

TEST_CASE_FIXTURE(Fixture, "chunks go back as soon as nothing in them is needed") {
  write(0, 3 * kChunk + 100);
  CHECK(pool.used_bytes() == 4 * kChunk);
  release(kChunk - 1);
  CHECK(pool.used_bytes() == 4 * kChunk);
  release(kChunk);
  CHECK(pool.used_bytes() == 3 * kChunk);
  release(3 * kChunk + 50);
  CHECK(pool.used_bytes() == kChunk);
  release(3 * kChunk + 100);
  CHECK(pool.used_bytes() == 0);  // an idle pipe holds nothing
  CHECK(write(3 * kChunk + 100, 3 * kChunk + 200).size() == 100);
  CHECK(reads(3 * kChunk + 100, 3 * kChunk + 200));
  CHECK(pool.used_bytes() == kChunk);
}

TEST_CASE_FIXTURE(Fixture, "a released chunk stays while bytes wait out of order in it") {
  write(0, 100);
  write(200, 300);
  release(100);
  CHECK(pool.used_bytes() == kChunk);
  write(100, 200);
  CHECK(reads(100, 300));
}

TEST_CASE_FIXTURE(Fixture, "chunks go back although others wait far out of order") {
  write(0, 2 * kChunk);
  write(4 * kChunk, 4 * kChunk + 10);
  release(2 * kChunk);
  CHECK(pool.used_bytes() == kChunk);
}

TEST_CASE_FIXTURE(Fixture, "releasing makes room and wakes the writer") {
  write(0, 1000);
  CHECK(pipe.room() == 10 * kChunk - 1000);
  release(600);
  CHECK(pipe.room() == 10 * kChunk - 400);
  CHECK(pipe.readable() == 400);
  CHECK(writer_woke());
  release(600);
  release(10);  // never moves back
  CHECK_FALSE(writer_woke());
  CHECK(pipe.released().value() == 600);
}

TEST_CASE_FIXTURE(Fixture, "bytes out of order take no room") {
  write(5000, 6000);
  CHECK(pipe.room() == 10 * kChunk);
}

TEST_CASE_FIXTURE(Fixture, "a hold outlives the release of its bytes") {
  write(0, 5 * kChunk);
  Pipe::Hold hold = pipe.hold(StreamOffset(kChunk - 10), 2 * kChunk);
  release(5 * kChunk);
  CHECK(pool.used_bytes() == 4 * kChunk - kChunk);  // the three chunks under the hold
  CHECK(hold.peek(hold.begin(), 2 * kChunk).to_vector() == stream(kChunk - 10, 3 * kChunk - 10));
  CHECK(hold.peek(StreamOffset(2 * kChunk), 10).to_vector() == stream(2 * kChunk, 2 * kChunk + 10));
  CHECK(hold.peek(hold.end(), 10).empty());

  hold.trim_front(StreamOffset(2 * kChunk + 5));
  CHECK(pool.used_bytes() == kChunk);
  CHECK(hold.length() == kChunk - 15);
  CHECK(hold.peek(hold.begin(), 100000).to_vector() == stream(2 * kChunk + 5, 3 * kChunk - 10));
  hold.trim_front(StreamOffset(0));  // never moves back
  CHECK(hold.begin().value() == 2 * kChunk + 5);

  Pipe::Hold moved = std::move(hold);
  CHECK(hold.length() == 0);
  CHECK(moved.length() == kChunk - 15);
  moved.trim_front(StreamOffset(100 * kChunk));
  CHECK(moved.length() == 0);
  CHECK(pool.used_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a hold of 64 KiB may begin anywhere in a chunk") {
  write(0, 6 * kChunk);
  const Pipe::Hold hold = pipe.hold(StreamOffset(kChunk - 1), Pipe::kMaxHold);
  release(6 * kChunk);
  const std::vector<std::uint8_t> bytes = hold.peek(hold.begin(), Pipe::kMaxHold).to_vector();
  CHECK(bytes == stream(kChunk - 1, kChunk - 1 + Pipe::kMaxHold));
}

TEST_CASE_FIXTURE(Fixture, "bytes written beside a hold leave its bytes alone") {
  write(0, 100);
  const Pipe::Hold hold = pipe.hold(StreamOffset(0), 100);
  release(100);
  write(100, 200);
  CHECK(hold.peek(hold.begin(), 100).to_vector() == stream(0, 100));
  CHECK(reads(100, 200));
}

TEST_CASE_FIXTURE(Fixture, "the end is known once, and completes the stream when all is in order") {
  write(0, 100);
  reader_woke();
  pipe.finish_at(StreamOffset(150));
  CHECK(reader_woke());
  CHECK_FALSE(pipe.complete());
  pipe.finish_at(StreamOffset(120));
  CHECK(pipe.end() == StreamOffset(150));
  write(100, 150);
  CHECK(pipe.complete());
}

TEST_CASE_FIXTURE(Fixture, "finish ends the stream where it stands") {
  write(0, 100);
  pipe.finish();
  CHECK(pipe.complete());
  CHECK(write(100, 200).size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "an end left of what is in order is ignored") {
  write(0, 100);
  pipe.finish_at(StreamOffset(99));
  CHECK_FALSE(pipe.end());
}

TEST_CASE_FIXTURE(Fixture, "bytes waiting past the end are dropped with their chunks") {
  write(0, 10);
  write(100, 200);
  write(3 * kChunk, 4 * kChunk);
  pipe.finish_at(StreamOffset(150));
  pipe.validate();
  CHECK(pipe.written().value() == 150);
  CHECK(pool.used_bytes() == kChunk);
}

TEST_CASE_FIXTURE(Fixture, "a promised edge is kept when the capacity shrinks") {
  write(0, 100);
  writer_woke();
  pipe.set_capacity(50);
  CHECK(pipe.room() == 0);
  CHECK_FALSE(writer_woke());
  CHECK(write(100, 200).size() == 100);
  CHECK(write(10 * kChunk - 5, 10 * kChunk + 5).size() == 5);
  release(180);
  CHECK(pipe.room() == 30);
  writer_woke();
  pipe.set_capacity(20 * kChunk);
  CHECK(writer_woke());
  CHECK(pipe.room() == 20 * kChunk - 20);
}

TEST_CASE_FIXTURE(Fixture, "append continues where the stream is in order") {
  const std::vector<std::uint8_t> bytes = stream(0, 11 * kChunk);
  CHECK(pipe.append(Slices(Bytes(bytes))) == 10 * kChunk);
  CHECK(pipe.append(Slices(Bytes(bytes))) == 0);
  // Slices hold eight pieces, so one look shows at most eight chunks.
  CHECK(pipe.peek(StreamOffset(0), 11 * kChunk).size() == 8 * kChunk);
}

TEST_CASE_FIXTURE(Fixture, "a run of slices is placed across chunk borders") {
  const std::vector<std::uint8_t> bytes = stream(0, 2 * kChunk);
  const std::vector<std::uint8_t> second(bytes.begin() + 5000, bytes.end());
  Slices slices(Bytes(bytes).first(5000));
  slices.append(Bytes(second));
  REQUIRE(slices.list().size() == 2);
  CHECK(pipe.write_at(StreamOffset(0), slices).size() == 2 * kChunk);
  CHECK(reads(0, 2 * kChunk));
}

TEST_CASE_FIXTURE(Fixture,
                  "a starved reader doubles the capacity of a pipe that was full, up to the most") {
  Pipe relay(pool, 2 * kChunk);
  relay.set_max_capacity(5 * kChunk);
  const std::vector<std::uint8_t> bytes = stream(0, 2 * kChunk);
  relay.reader_starved();
  CHECK(relay.capacity() == 2 * kChunk);  // it was never full
  relay.append(Slices(Bytes(bytes)));
  relay.release(StreamOffset(2 * kChunk));
  relay.reader_starved();
  CHECK(relay.capacity() == 4 * kChunk);
  relay.reader_starved();
  CHECK(relay.capacity() == 4 * kChunk);  // nothing new since
  relay.append(Slices(Bytes(bytes)));
  relay.append(Slices(Bytes(bytes)));
  relay.reader_starved();
  CHECK(relay.capacity() == 5 * kChunk);
}

TEST_CASE("a relay's buffer grows to at most a quarter of the budget, or what it began with") {
  ChunkPool pool(64 * kChunk);
  CHECK(Pipe(pool, 10 * kChunk).max_capacity() == 16 * kChunk);
  CHECK(Pipe(pool, 20 * kChunk).max_capacity() == 20 * kChunk);
  ChunkPool large(1ULL << 30);
  CHECK(Pipe(large, 10 * kChunk).max_capacity() == 6ULL << 20);
}

TEST_CASE("under pressure no buffer grows") {
  ChunkPool pool(4 * kChunk);
  Pipe pipe(pool, 100);
  Pipe hungry(pool, 4 * kChunk);
  const std::vector<std::uint8_t> bytes = stream(0, 4 * kChunk);
  hungry.append(Slices(Bytes(bytes)));
  REQUIRE(pool.under_pressure());
  pipe.grow(200);
  CHECK(pipe.capacity() == 100);
  hungry.release(StreamOffset(4 * kChunk));
  pipe.grow(200);
  CHECK(pipe.capacity() == 200);
  pipe.grow(150);
  CHECK(pipe.capacity() == 200);
}

TEST_SUITE_END();
