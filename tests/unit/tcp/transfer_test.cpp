// Whole transfers between two of our own ends, over wires of every kind.
#include <doctest/doctest.h>

#include "tests/support/pipe_end.h"

using namespace braid;
using namespace braid::test;
using tcp::State;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a megabyte each way arrives intact over a clean wire and both ends finish") {
  PipePair pair;
  REQUIRE(pair.establish());
  CHECK(pair.transfer(1'000'000, 1'000'000));
  CHECK(pair.run([&] { return pair.a.closed() && pair.b.closed(); }));
  CHECK(pair.a.stream.close_reason() == tcp::CloseReason::kFinished);
  CHECK(pair.b.stream.close_reason() == tcp::CloseReason::kFinished);
}

TEST_CASE("loss, reordering and duplication cost time but not a byte") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    PipePair pair(seed);
    pair.wire = {.delay = 10ms, .jitter = seed % 2 ? 0ms : 5ms, .loss = 0.02, .duplication = 0.01};
    pair.connect();
    CHECK(pair.transfer(300'000, seed % 3 ? 300'000 : 0));
    CHECK(pair.run([&] { return pair.a.closed() && pair.b.closed(); }, 600s));
  }
}

TEST_SUITE_END();
