#include "stack/mptcp/data_sequence.h"

#include <doctest/doctest.h>

namespace braid::mptcp {

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("IDSN + 1 is the first byte of the stream") {
  const DataSequence sequence(1000, StreamOffset(0));
  CHECK(sequence.dsn(StreamOffset(0)) == 1001);
  CHECK(sequence.offset(1001) == StreamOffset(0));
  CHECK(sequence.offset(1101) == StreamOffset(100));
}

TEST_CASE("stream bytes in a SYN lie outside the data sequence space (RFC 8684 M36)") {
  const DataSequence sequence(1000, StreamOffset(300));
  CHECK(sequence.dsn(StreamOffset(300)) == 1001);
  CHECK(sequence.offset(1001) == StreamOffset(300));
}

TEST_CASE("a DSN wraps at 2^64 in mid stream and offsets do not") {
  const DataSequence sequence(0xffffffffffffffff - 10, StreamOffset(0));
  CHECK(sequence.dsn(StreamOffset(9)) == 0xffffffffffffffff);
  CHECK(sequence.dsn(StreamOffset(10)) == 0);
  CHECK(sequence.offset(5) == StreamOffset(15));
  CHECK(sequence.distance(5, StreamOffset(0)) == 15);
  CHECK(sequence.distance(0xffffffffffffffff, StreamOffset(15)) == -6);
}

TEST_CASE("a DSN left of the stream has a negative distance") {
  const DataSequence sequence(1000, StreamOffset(0));
  CHECK(sequence.distance(1000, StreamOffset(0)) == -1);
  CHECK(sequence.distance(0, StreamOffset(50)) == -1051);
}

TEST_CASE("a 32-bit DSN means the nearest 64-bit one (RFC 8684 M54)") {
  const std::uint64_t idsn = 0x11111111'fffffff0;
  const DataSequence sequence(idsn, StreamOffset(0));
  SUBCASE("right of the reference, over a wrap of the low half") {
    CHECK(sequence.promote(0x00000005, StreamOffset(0)) == 0x11111112'00000005);
  }
  SUBCASE("left of the reference, over a wrap of the low half") {
    CHECK(sequence.promote(0xfffffff1, StreamOffset(0x20)) == 0x11111111'fffffff1);
  }
  SUBCASE("the reference itself") {
    CHECK(sequence.promote(0xfffffff1, StreamOffset(0)) == 0x11111111'fffffff1);
  }
  SUBCASE("just under half a turn away it is to the right, at half a turn to the left") {
    const std::uint64_t reference = sequence.dsn(StreamOffset(0));
    const auto low = static_cast<std::uint32_t>(reference);
    CHECK(sequence.promote(low + 0x7fffffff, StreamOffset(0)) == reference + 0x7fffffff);
    CHECK(sequence.promote(low + 0x80000000, StreamOffset(0)) == reference - 0x80000000);
  }
}
TEST_SUITE_END();

}  // namespace braid::mptcp
