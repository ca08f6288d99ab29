#include "stack/mptcp/data_receiver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace braid::mptcp {
namespace {

constexpr std::uint64_t kIdsn = 0xffffffff'fffffff0;  // wraps in mid stream
constexpr std::uint64_t kCapacity = 100;

Slices slices(std::string_view text) {
  return Slices(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

struct Fixture {
  ChunkPool pool{1 << 20};
  Pipe pipe{pool, kCapacity};
  DataSequence sequence{kIdsn, StreamOffset(0)};
  DataReceiver receiver{pipe, sequence};

  std::uint64_t dsn(std::uint64_t offset) const { return sequence.dsn(StreamOffset(offset)); }
  Interval place(std::uint64_t offset, std::string_view text) {
    const Interval held = receiver.place(dsn(offset), slices(text));
    receiver.validate();
    return held;
  }
  std::string readable() const {
    const auto bytes = pipe.peek(pipe.released(), 1000).to_vector();
    return std::string(bytes.begin(), bytes.end());
  }
  // The offset just right of what a DATA_ACK sent now would allow.
  std::uint64_t told_edge() {
    return receiver.promise_window() + sequence.offset(receiver.data_ack()).value();
  }
};

}  // namespace

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("bytes of any subflow land where their DSN says, and DATA_ACK counts what is in order") {
  Fixture f;
  CHECK(f.receiver.data_ack() == kIdsn + 1);
  CHECK(f.place(5, "world") == Interval{0, 5});
  CHECK(f.receiver.data_ack() == kIdsn + 1);
  CHECK(f.receiver.out_of_order());
  CHECK(f.place(0, "hello") == Interval{0, 5});
  CHECK(f.receiver.data_ack() == kIdsn + 11);
  CHECK_FALSE(f.receiver.out_of_order());
  CHECK(f.readable() == "helloworld");
}

TEST_CASE("the window doubles when bytes that wait for a slower path fill more than half of it") {
  Fixture f;
  f.place(40, "0123456789");  // reaches the middle
  CHECK(f.pipe.capacity() == kCapacity);
  f.place(50, "x");
  CHECK(f.pipe.capacity() == 2 * kCapacity);
  CHECK(f.told_edge() == 2 * kCapacity);

  SUBCASE("but not beyond the pipe's maximum") {
    f.pipe.set_max_capacity(300);
    f.place(101, "y");
    CHECK(f.pipe.capacity() == 300);
    f.place(160, "z");
    CHECK(f.pipe.capacity() == 300);
  }
  SUBCASE("nor while memory is scarce") {
    Pipe other(f.pool, 1 << 20);
    const std::vector<std::uint8_t> much((1 << 20) - 4 * Chunk::kSize);
    for (std::size_t at = 0; at < much.size(); at += 65536) {
      other.append(Slices(Bytes(much).subspan(at, std::min<std::size_t>(65536, much.size() - at))));
    }
    REQUIRE(f.pool.under_pressure());
    f.place(101, "y");
    CHECK(f.pipe.capacity() == 2 * kCapacity);
    CHECK(f.place(60, "taken all the same") == Interval{0, 18});
  }
}

TEST_CASE("a reader that leaves bytes lying does not widen the window") {
  Fixture f;
  f.place(0, std::string(60, 'a'));
  f.place(61, std::string(30, 'b'));  // ten more than half, but most of it is in order
  CHECK(f.pipe.capacity() == kCapacity);
}

TEST_CASE("DATA_ACK goes on over the wrap of the DSN") {
  Fixture f;
  f.place(0, "0123456789abcdefghijkl");
  CHECK(f.receiver.data_ack() == 7);
  CHECK(f.place(22, "xyz") == Interval{0, 3});
  CHECK(f.receiver.data_ack() == 10);
}

TEST_CASE("the first copy of a byte wins (RFC 8684 M51)") {
  Fixture f;
  f.place(0, "abc");
  CHECK(f.place(0, "XYZdef") == Interval{0, 6});
  f.place(8, "ij");
  CHECK(f.place(6, "ghXY") == Interval{0, 4});
  CHECK(f.readable() == "abcdefghij");
}

TEST_CASE("old bytes count as held, wherever in the past they lie") {
  Fixture f;
  f.place(0, "abcdef");
  f.pipe.release(StreamOffset(4));
  CHECK(f.place(0, "abcd") == Interval{0, 4});
  CHECK(f.receiver.place(f.dsn(0) - 1000, slices("zz")) == Interval{0, 2});
  CHECK(f.receiver.place(f.dsn(6) - (std::uint64_t{1} << 63), slices("zz")) == Interval{0, 2});
  CHECK(f.readable() == "ef");
}

TEST_CASE("what lies right of the window is left out (RFC 8684 M62)") {
  Fixture f;
  const std::string long_text(120, 'x');
  SUBCASE("in part") {
    CHECK(f.place(0, long_text) == Interval{0, kCapacity});
    CHECK(f.receiver.data_ack() == f.dsn(kCapacity));
    CHECK(f.receiver.window() == 0);
  }
  SUBCASE("wholly, at the edge and far from it") {
    CHECK(f.place(kCapacity, "x") == Interval{0, 0});
    CHECK(f.place(kCapacity - 1, "xy") == Interval{0, 1});
    CHECK(f.place(std::uint64_t{1} << 62, "x") == Interval{0, 0});
    CHECK(f.readable().empty());
  }
  SUBCASE("in part, with an old beginning") {
    f.place(0, "ab");
    CHECK(f.place(1, long_text) == Interval{0, kCapacity - 1});
  }
}

TEST_CASE("the window follows the reader") {
  Fixture f;
  CHECK(f.told_edge() == 100);
  f.place(0, "0123456789");
  CHECK(f.receiver.window() == 90);
  CHECK(f.told_edge() == 100);
  f.pipe.release(StreamOffset(4));
  CHECK(f.receiver.window() == 94);
  CHECK(f.told_edge() == 104);
}

TEST_CASE("a promised edge stays when the room shrinks, and its bytes are taken (RFC 8684 M66)") {
  Fixture f;
  CHECK(f.told_edge() == 100);
  f.pipe.set_capacity(20);
  f.pipe.set_max_capacity(20);
  CHECK(f.told_edge() == 100);
  CHECK(f.place(99, "z") == Interval{0, 1});
  f.place(0, std::string(50, 'a'));
  CHECK(f.told_edge() == 100);
  f.pipe.release(StreamOffset(50));
  CHECK(f.told_edge() == 100);
  f.place(50, std::string(49, 'b'));
  f.pipe.release(StreamOffset(100));
  CHECK(f.told_edge() == 120);
}

TEST_CASE("a window that was only looked at is no promise") {
  Fixture f;
  f.pipe.set_capacity(300);
  CHECK(f.receiver.window() == 300);
  f.pipe.set_capacity(20);
  CHECK(f.receiver.window() == 100);  // what the handshake told
}

TEST_CASE("a DATA_FIN is acknowledged with one octet, after all data (RFC 8684 M78, M80)") {
  Fixture f;
  f.place(0, "abc");
  SUBCASE("it comes last") {
    CHECK(f.receiver.data_fin(f.dsn(3)));
    CHECK(f.receiver.fin_received());
    CHECK(f.receiver.data_ack() == f.dsn(3) + 1);
  }
  SUBCASE("it comes before the last data") {
    CHECK(f.receiver.data_fin(f.dsn(6)));
    CHECK_FALSE(f.receiver.fin_received());
    CHECK(f.receiver.data_ack() == f.dsn(3));
    CHECK(f.place(3, "def") == Interval{0, 3});
    CHECK(f.receiver.fin_received());
    CHECK(f.receiver.data_ack() == f.dsn(6) + 1);
  }
  CHECK(f.pipe.complete());
  CHECK(f.told_edge() == 100);
}

TEST_CASE("a DATA_FIN without any data ends an empty stream") {
  Fixture f;
  CHECK(f.receiver.data_fin(f.dsn(0)));
  CHECK(f.receiver.fin_received());
  CHECK(f.receiver.data_ack() == kIdsn + 2);
}

TEST_CASE("a repeated DATA_FIN is nothing new") {
  Fixture f;
  CHECK(f.receiver.data_fin(f.dsn(3)));
  CHECK_FALSE(f.receiver.data_fin(f.dsn(3)));
  f.place(0, "abc");
  CHECK_FALSE(f.receiver.data_fin(f.dsn(3)));
  CHECK(f.receiver.data_ack() == f.dsn(4));
}

TEST_CASE("a DATA_FIN that contradicts the stream is ignored") {
  Fixture f;
  f.place(0, "abcdef");
  f.place(10, "k");
  SUBCASE("left of what is in order") { CHECK_FALSE(f.receiver.data_fin(f.dsn(5))); }
  SUBCASE("left of what waits out of order") { CHECK_FALSE(f.receiver.data_fin(f.dsn(8))); }
  SUBCASE("right of the window") { CHECK_FALSE(f.receiver.data_fin(f.dsn(101))); }
  SUBCASE("far away") { CHECK_FALSE(f.receiver.data_fin(f.dsn(0) + (std::uint64_t{1} << 63))); }
  CHECK(f.pipe.end() == std::nullopt);
  CHECK(f.receiver.data_fin(f.dsn(100)));  // the octet after the last one the window allows
  CHECK_FALSE(f.receiver.data_fin(f.dsn(99)));
  CHECK(f.pipe.end() == StreamOffset(100));
}

TEST_CASE("nothing is taken past the DATA_FIN") {
  Fixture f;
  f.receiver.data_fin(f.dsn(4));
  CHECK(f.place(2, "cdEF") == Interval{0, 2});
  CHECK(f.place(4, "X") == Interval{0, 0});
  CHECK(f.place(0, "abcdXX") == Interval{0, 4});
  CHECK(f.readable() == "abcd");
  CHECK(f.place(4, "X") == Interval{0, 0});
}

TEST_CASE("a closed window stays closed behind a DATA_FIN") {
  Fixture f;
  f.place(0, std::string(kCapacity, 'x'));
  CHECK(f.receiver.data_fin(f.dsn(kCapacity)));
  CHECK(f.receiver.data_ack() == f.dsn(kCapacity + 1));
  CHECK(f.receiver.promise_window() == 0);
}

TEST_CASE("without memory bytes are not held, and the window says nothing of it") {
  ChunkPool pool(Chunk::kSize);
  Pipe pipe(pool, 4 * Chunk::kSize);
  const DataSequence sequence(7, StreamOffset(0));
  DataReceiver receiver(pipe, sequence);
  const std::string text(Chunk::kSize + 10, 'x');
  CHECK(receiver.place(8, slices(text)) == Interval{0, Chunk::kSize});
  CHECK(receiver.data_ack() == 8 + Chunk::kSize);
  CHECK(receiver.place(8 + Chunk::kSize, slices("y")) == Interval{0, 0});
  pipe.release(pipe.in_order());
  CHECK(receiver.place(8 + Chunk::kSize, slices("y")) == Interval{0, 1});
}

TEST_CASE("a stream whose head came in a SYN goes on where the pipe stands (RFC 8684 M36)") {
  ChunkPool pool(1 << 20);
  Pipe pipe(pool, 100);
  pipe.append(slices("head"));
  DataReceiver receiver(pipe, DataSequence(500, StreamOffset(4)));
  CHECK(receiver.data_ack() == 501);
  CHECK(receiver.promise_window() == 96);
  CHECK(receiver.place(501, slices("tail")) == Interval{0, 4});
  CHECK(pipe.in_order() == StreamOffset(8));
}
TEST_SUITE_END();

}  // namespace braid::mptcp
