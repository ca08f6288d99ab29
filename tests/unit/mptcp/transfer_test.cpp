#include <doctest/doctest.h>

#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

// Established, and joined over every uplink.
bool join_all(MptcpPair& pair) {
  if (!pair.establish()) return false;
  pair.a.offer(1, false);
  return pair.run(
      [&] {
        return pair.a.open_subflows() == pair.a.local_paths.size() &&
               pair.b.open_subflows() == pair.a.local_paths.size();
      },
      10s);
}

bool both_finished(MptcpPair& pair) {
  return pair.run([&] { return pair.a.status().closed && pair.b.status().closed; }, 30s) &&
         pair.a.status().closed == tcp::CloseReason::kFinished &&
         pair.b.status().closed == tcp::CloseReason::kFinished;
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("a connection over one path carries both directions and ends finished") {
  MptcpPair pair(1, 1);
  pair.connect();
  CHECK(pair.transfer(300'000, 200'000));
  CHECK(both_finished(pair));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.b.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("a second subflow joins over the second uplink and both carry data") {
  MptcpPair pair(2);
  REQUIRE(join_all(pair));
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  const Instant start = pair.now();
  CHECK(pair.transfer(1, 6'000'000, 60s));
  CHECK(pair.a.bytes_in(1) > 2'000'000);
  CHECK(pair.a.bytes_in(2) > 2'000'000);
  CHECK(pair.now() - start < 4500ms);  // one path alone would need more than six seconds
  CHECK(both_finished(pair));
}

TEST_CASE("an upload uses both uplinks") {
  MptcpPair pair(3);
  REQUIRE(join_all(pair));
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  const Instant start = pair.now();
  CHECK(pair.transfer(6'000'000, 0, 60s));
  CHECK(pair.now() - start < 4500ms);
  CHECK(both_finished(pair));
}

TEST_CASE("streams arrive intact over lossy, reordering, duplicating paths") {
  auto checksums = mptcp::Checksums::kWhenPeerAsks;
  SUBCASE("without checksums") {}
  SUBCASE("with checksums") { checksums = mptcp::Checksums::kRequired; }
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    MptcpPair pair(seed, 3);
    for (auto& [path, wire] : pair.wires) {
      wire.loss = 0.02 * static_cast<double>(path);
      wire.jitter = 5ms * path;
      wire.duplication = 0.01;
      wire.rate = 2'000'000;
    }
    pair.a.config.checksums = checksums;
    pair.connect();
    CHECK(pair.transfer(700'000, 900'000, 300s));
    CHECK(both_finished(pair));
    CHECK(pair.a.connection->counters().checksum_failures == 0);
    CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  }
}

TEST_CASE("what a path carried when it died arrives over the other one") {
  MptcpPair pair(4);
  REQUIRE(join_all(pair));
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  bool intact = true;
  const auto progress = [&](std::uint64_t bytes) {
    return [&, bytes] {
      pair.b.offer(4'000'000, true);
      intact = intact && pair.a.drain();
      return pair.a.drained >= bytes || !intact;
    };
  };
  REQUIRE(pair.run(progress(1'000'000)));
  for (const std::uint32_t dying : {1u, 2u}) {
    SUBCASE(dying == 1 ? "the first uplink dies" : "the second uplink dies") {
      pair.wires[dying].up = false;
      CHECK(pair.run(progress(4'000'000), 30s));
      CHECK(intact);
      CHECK(pair.a.incoming.complete());
      CHECK(pair.b.connection->counters().reinjected_bytes > 0);
    }
  }
}

TEST_CASE("a path that comes back carries data again") {
  MptcpPair pair(5);
  REQUIRE(join_all(pair));
  for (auto& [path, wire] : pair.wires) wire.rate = 500'000;
  bool intact = true;
  const auto progress = [&](std::uint64_t bytes) {
    return [&, bytes] {
      pair.b.offer(20'000'000, false);
      intact = intact && pair.a.drain();
      return pair.a.drained >= bytes || !intact;
    };
  };
  REQUIRE(pair.run(progress(500'000)));
  pair.wires[2].up = false;
  pair.run(progress(UINT64_MAX), 8s);
  pair.wires[2].up = true;
  pair.run(progress(UINT64_MAX), 10s);
  const std::uint64_t before = pair.a.drained;
  pair.run(progress(UINT64_MAX), 4s);
  CHECK(intact);
  CHECK(pair.a.drained - before > 3'000'000);  // 2,000,000 would be one uplink alone
}

TEST_CASE("a transfer survives each uplink going down in turn") {
  MptcpPair pair(6);
  for (auto& [path, wire] : pair.wires) {
    wire.rate = 500'000;
    wire.loss = 0.01;
  }
  REQUIRE(join_all(pair));
  bool intact = true;
  for (int round = 0; round < 10 && pair.a.drained < 8'000'000; ++round) {
    const auto step = [&] {
      pair.b.offer(8'000'000, true);
      pair.a.offer(1'000'000, true);
      intact = intact && pair.a.drain() && pair.b.drain();
      return pair.a.drained == 8'000'000 && pair.b.drained == 1'000'000;
    };
    const std::uint32_t path = 1 + static_cast<std::uint32_t>(round) % 2;
    pair.wires[path].up = false;
    if (pair.run(step, 2s)) break;
    pair.wires[path].up = true;
    if (pair.run(step, 5s)) break;
  }
  CHECK(intact);
  CHECK(pair.a.drained == 8'000'000);
  CHECK(pair.b.drained == 1'000'000);
  CHECK(both_finished(pair));
}

TEST_CASE("a slow reader holds the sender back, and lets it go on") {
  MptcpPair pair(7);
  REQUIRE(join_all(pair));
  pair.run(
      [&] {
        pair.b.offer(2'000'000, true);
        return false;
      },
      3s);
  CHECK(pair.a.incoming.capacity() - pair.a.incoming.readable() < 1460);  // a runt may be held back
  CHECK(pair.b.outgoing.released().value() == pair.a.incoming.in_order().value());
  bool intact = true;
  CHECK(pair.run(
      [&] {
        pair.b.offer(2'000'000, true);
        intact = intact && pair.a.drain(20'000);
        return pair.a.drained == 2'000'000;
      },
      60s));
  CHECK(intact);
}

TEST_CASE("the data stream may end in one direction and go on in the other") {
  MptcpPair pair(8);
  pair.connect();
  bool intact = true;
  REQUIRE(pair.run(
      [&] {
        pair.a.offer(10'000, true);
        intact = intact && pair.b.connection && pair.b.drain();
        return pair.b.incoming.complete();
      },
      5s));
  pair.run_for(2s);
  CHECK_FALSE(pair.a.status().closed);
  CHECK_FALSE(pair.b.status().closed);
  CHECK(pair.transfer(10'000, 500'000));
  CHECK(both_finished(pair));
}

TEST_CASE("an abort reaches the peer over every subflow as a reset") {
  MptcpPair pair(9);
  REQUIRE(join_all(pair));
  pair.a.connection->abort(pair.now());
  CHECK(pair.a.status().closed == tcp::CloseReason::kAborted);
  REQUIRE(pair.run([&] { return pair.b.status().closed.has_value(); }, 1s));
  CHECK(pair.b.status().closed == tcp::CloseReason::kReset);
  int resets = 0;
  for (const auto& logged : pair.log()) {
    if (logged.from != Side::kA || !logged.segment.flags.rst) continue;
    ++resets;
    CHECK(logged.segment.options.find<wire::MpFastclose>() != nullptr);
    CHECK(logged.segment.options.find<wire::MpTcprst>() != nullptr);
  }
  CHECK(resets == 2);
  CHECK(pair.a.mptcp.size() == 0);
}

TEST_CASE("a DATA_FIN is repeated on every path, for one that is dead looks as well as ever") {
  MptcpPair pair(32);
  pair.wires[2].delay = 40ms;
  REQUIRE(pair.establish());
  const auto exchanged = [&] {
    pair.a.offer(50'000, false);
    pair.b.offer(50'000, false);
    return pair.a.drain() && pair.b.drain() && pair.a.drained == 50'000 &&
           pair.b.drained == 50'000 && pair.b.open_subflows() == 2;
  };
  REQUIRE(pair.run(exchanged, 10s));
  pair.run_for(2s);  // everything is acknowledged
  std::uint32_t dead = 0;
  SUBCASE("the first") { dead = 1; }
  SUBCASE("the second") { dead = 2; }
  pair.wires[dead].up = false;
  pair.b.outgoing.finish();
  CHECK(pair.run([&] { return pair.a.incoming.complete(); }, 10s));
}

TEST_CASE("a window that closed on every path opens again though the paths that hear of it die") {
  MptcpPair pair(31);
  REQUIRE(pair.establish());
  constexpr std::uint64_t kBytes = 400'000;
  // Nobody reads at b: its window closes, and both paths have heard so.
  pair.run(
      [&] {
        pair.a.offer(kBytes, true);
        return false;
      },
      5s);
  REQUIRE(pair.a.open_subflows() == 2);
  REQUIRE(pair.b.drained == 0);
  std::uint32_t dead = 0;
  SUBCASE("the first") { dead = 1; }
  SUBCASE("the second") { dead = 2; }
  pair.wires[dead].up = false;
  CHECK(pair.run(
      [&] {
        pair.a.offer(kBytes, true);
        REQUIRE(pair.b.drain());
        return pair.b.drained == kBytes;
      },
      20s));
}

TEST_CASE("an owner that goes away early leaves nothing behind") {
  MptcpPair pair(10);
  REQUIRE(join_all(pair));
  SUBCASE("in mid transfer") {
    pair.b.offer(500'000, false);
    pair.run_for(15ms);
    pair.b.connection.reset();
    pair.run_for(2s);
    CHECK(pair.a.status().closed == tcp::CloseReason::kReset);
  }
  SUBCASE("as soon as the data level is done") {
    bool gone = false;
    pair.a.offer(1, true);
    CHECK(pair.run(
        [&] {
          pair.a.drain();
          pair.b.drain();
          pair.b.offer(1000, true);
          if (pair.b.connection && pair.b.status().closed) {
            pair.b.connection.reset();
            CHECK(pair.b.mptcp.closing() == 1);
            gone = true;
          }
          return gone && pair.a.status().closed;
        },
        10s));
    CHECK(pair.a.status().closed == tcp::CloseReason::kFinished);
    pair.run_for(5s);
  }
  CHECK(pair.b.mptcp.size() == 0);
  CHECK(pair.b.mptcp.closing() == 0);
}

TEST_SUITE_END();
