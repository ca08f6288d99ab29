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

TEST_CASE("IPv6 carries the same, in segments twenty bytes shorter") {
  PipePair pair;
  pair.connect(wire::Family::kIpv6);
  CHECK(pair.transfer(200'000, 200'000));
  std::uint32_t longest = 0;
  for (const auto& logged : pair.log()) longest = std::max(longest, logged.length);
  CHECK(longest == 1500 - 60 - 12);
}

TEST_CASE("after one end has finished the other goes on for as long as it likes") {
  PipePair pair;
  REQUIRE(pair.establish());
  pair.a.offer(0, true);
  REQUIRE(pair.run([&] { return pair.b.incoming.complete(); }));
  pair.run_for(3600s);
  CHECK(pair.a.state() == State::kFinWait2);
  CHECK(pair.b.state() == State::kCloseWait);
  CHECK(pair.transfer(0, 300'000));
  CHECK(pair.run([&] { return pair.a.closed() && pair.b.closed(); }));
}

TEST_CASE("a reader that stops for an hour finds everything there afterwards") {
  PipePair pair;
  REQUIRE(pair.establish());
  pair.run(
      [&] {
        pair.a.offer(500'000, true);
        return false;
      },
      3600s);
  CHECK(pair.b.incoming.readable() >= 60'000);
  CHECK_FALSE(pair.a.closed());
  CHECK(pair.transfer(500'000, 0));
}

TEST_CASE("a path that drops large packets with a word is learnt, and the transfer goes on") {
  PipePair pair;
  pair.script = [&](Side from, wire::Segment& segment) {
    const auto total = 40 + wire::encoded_length(segment.options) + segment.payload.size();
    if (from != Side::kA || total <= 1300) return TcpPair::Fate::kPass;
    wire::IcmpError error;
    error.kind = wire::IcmpError::Kind::kPacketTooBig;
    error.mtu = 1300;
    error.source = segment.source;
    error.destination = segment.destination;
    error.seq = segment.seq;
    pair.layer(Side::kA).receive_error(TcpPair::kInterface, error, pair.now());
    return TcpPair::Fate::kDrop;
  };
  REQUIRE(pair.establish());
  CHECK(pair.transfer(500'000, 0));
  CHECK(pair.a.stream.connection() != nullptr);
  CHECK(pair.now() < Instant(1s) + 10s);
}

TEST_CASE("the same seed gives the same segments at the same times") {
  const auto run = [](std::uint64_t seed) {
    PipePair pair(seed);
    pair.wire = {.delay = 10ms, .jitter = 5ms, .loss = 0.03, .duplication = 0.01};
    pair.connect();
    CHECK(pair.transfer(100'000, 100'000));
    std::vector<std::pair<Instant, std::string>> trace;
    for (const auto& logged : pair.log()) trace.emplace_back(logged.time, describe(logged.segment));
    return trace;
  };
  CHECK(run(5) == run(5));
  CHECK(run(5) != run(6));
}

TEST_SUITE_END();
