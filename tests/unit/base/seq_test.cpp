#include "stack/base/seq.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace braid;

TEST_CASE("sequence numbers compare across the wrap") {
  const SeqNum before(0xfffffff0);
  const SeqNum after = before + 0x20;
  CHECK(after.value() == 0x10);
  CHECK(before < after);
  CHECK(after > before);
  CHECK(after - before == 0x20);
  CHECK(before - after == -0x20);
  CHECK(after - 0x20U == before);
  CHECK(before <= before);
  CHECK(before >= before);
}

TEST_CASE("stream offsets do not wrap") {
  const StreamOffset low(5);
  const StreamOffset high = low + (std::uint64_t{1} << 40);
  CHECK(low < high);
  CHECK(high - low == std::uint64_t{1} << 40);
  CHECK(high - (std::uint64_t{1} << 40) == low);
}

TEST_SUITE_END();
