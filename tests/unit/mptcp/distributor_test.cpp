// What the distributor does with several subflows: overtaking, penalties, copies, change of
// scheduler.
#include <doctest/doctest.h>

#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

// A quick path 1 of 2 MB/s, and a slow path 2 with a deep queue; both joined.
bool join_quick_and_slow(MptcpPair& pair) {
  pair.wires[1] = {.delay = 10ms, .rate = 2'000'000};
  pair.wires[2] = {.delay = 100ms, .rate = 100'000, .queue = 3s};
  if (!pair.establish()) return false;
  pair.a.offer(1, false);
  return pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 10s);
}

// How long a short download takes from the SYN on; path 1 alone when there is no other.
Duration short_download(const std::vector<MptcpPair::Wire>& wires, std::uint64_t bytes) {
  MptcpPair pair(46, static_cast<std::uint32_t>(wires.size()));
  for (std::size_t i = 0; i < wires.size(); ++i) {
    pair.wires[static_cast<std::uint32_t>(i) + 1] = wires[i];
  }
  const Instant start = pair.now();
  CHECK(pair.establish());
  pair.b.offer(bytes, false);
  CHECK(pair.run([&] { return !pair.a.drain() || pair.a.drained == bytes; }, 10s));
  if (wires.size() > 1) CHECK(pair.a.bytes_in(2) > 0);
  return pair.now() - start;
}

const mptcp::Connection::Counters& counters(const MptcpPair::End& end) {
  return end.connection->counters();
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("a download's last bytes do not wait for the slow path: the quick one takes them over") {
  MptcpPair pair(41);
  REQUIRE(join_quick_and_slow(pair));
  const Instant start = pair.now();
  CHECK(pair.transfer(1, 10'000'000, 60s));
  // The quick path alone needs a good five seconds. The slow path's queue is worth seconds more.
  CHECK(pair.now() - start < 6s);
  CHECK(pair.a.bytes_in(2) > 100'000);
  CHECK(counters(pair.b).overtaking_bytes > 0);
  CHECK(counters(pair.b).overtaking_bytes < 1'000'000);
  CHECK(counters(pair.b).copied_bytes == 0);
}

// A joined path's handshake tells a round trip, and nothing of what its queue takes to empty.
TEST_CASE("a short download does not wait for what a much slower path of the same RTT was given") {
  const MptcpPair::Wire quick{.rate = 1'000'000, .queue = 1s};
  const MptcpPair::Wire slow{.rate = 40'000, .queue = 1s};
  const Duration alone = short_download({quick}, 100'000);
  CHECK(short_download({quick, slow}, 100'000) < alone * 11 / 10);
}

TEST_CASE("a short download does not wait for the repetitions of what a slow path has lost") {
  const MptcpPair::Wire quick{.delay = 50ms, .rate = 950'000, .queue = 200ms};
  const MptcpPair::Wire slow{.delay = 5ms, .rate = 48'000, .queue = 130ms};
  const Duration alone = short_download({quick}, 100'000);
  CHECK(short_download({quick, slow}, 100'000) < alone * 11 / 10);
}

TEST_CASE("where both paths are alike nothing is taken over but the last flight") {
  MptcpPair pair(42);
  for (auto& [path, wire] : pair.wires) wire = {.delay = 20ms, .rate = 1'000'000};
  REQUIRE(pair.establish());
  CHECK(pair.transfer(1, 6'000'000, 60s));
  CHECK(pair.a.bytes_in(2) > 1'000'000);
  CHECK(counters(pair.b).overtaking_bytes < 200'000);
  CHECK(counters(pair.b).penalties == 0);
}

TEST_CASE(
    "a slow path that holds up a small window is penalised, and the quick one is not held up") {
  MptcpPair pair(43);
  pair.a.config.max_receive_buffer = 128 * 1024;
  pair.a.incoming.set_max_capacity(128 * 1024);
  REQUIRE(join_quick_and_slow(pair));
  const Instant start = pair.now();
  CHECK(pair.transfer(1, 10'000'000, 60s));
  CHECK(counters(pair.b).penalties > 0);
  CHECK(counters(pair.b).overtaking_bytes > 0);
  CHECK(pair.now() - start < 9s);  // the window held by the slow path would make it a minute
}

TEST_CASE("a long path that holds up a short one, but carries more itself, is not penalised") {
  MptcpPair pair(43);
  pair.wires[1] = {.delay = 10ms, .rate = 150'000};
  pair.wires[2] = {.delay = 100ms, .rate = 1'500'000, .queue = 300ms};
  pair.a.config.max_receive_buffer = 256 * 1024;
  pair.a.incoming.set_max_capacity(256 * 1024);
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  REQUIRE(
      pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 10s));
  CHECK(pair.transfer(1, 10'000'000, 60s));
  CHECK(counters(pair.b).overtaking_bytes > 0);  // it does hold up the short one
  CHECK(counters(pair.b).penalties == 0);
  CHECK(pair.a.bytes_in(2) > 5 * pair.a.bytes_in(1));
}

TEST_CASE("redundant: both paths carry every byte, and the loss of one path delays nothing") {
  MptcpPair pair(44);
  pair.b.config.policy = sched::Policy::kRedundant;
  for (auto& [path, wire] : pair.wires) wire = {.delay = 20ms, .rate = 1'000'000};
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  REQUIRE(pair.run([&] { return pair.a.open_subflows() == 2; }, 10s));
  bool cut = false;
  const Instant start = pair.now();
  CHECK(pair.run(
      [&] {
        pair.a.offer(1, true);
        pair.b.offer(3'000'000, true);
        if (!pair.a.drain() || !pair.b.drain()) return true;
        if (pair.a.drained > 1'500'000 && !cut) pair.wires[1].up = !(cut = true);
        return pair.a.drained == 3'000'000;
      },
      20s));
  CHECK(pair.a.drained == 3'000'000);
  CHECK(counters(pair.b).copied_bytes > 1'000'000);
  CHECK(pair.now() - start < 4s);
}

TEST_CASE("a scheduler is changed in the middle of a transfer") {
  MptcpPair pair(45);
  for (auto& [path, wire] : pair.wires) wire = {.delay = 20ms, .rate = 1'000'000};
  REQUIRE(pair.establish());
  bool changed = false;
  CHECK(pair.run(
      [&] {
        pair.a.offer(1, true);
        pair.b.offer(4'000'000, true);
        if (!pair.a.drain() || !pair.b.drain()) return true;
        if (pair.a.drained > 1'000'000 && !changed) {
          CHECK(counters(pair.b).copied_bytes == 0);
          pair.b.connection->set_policy(sched::Policy::kRedundant);
          changed = true;
        }
        return pair.a.drained == 4'000'000;
      },
      60s));
  CHECK(pair.a.drained == 4'000'000);
  CHECK(counters(pair.b).copied_bytes > 500'000);
}
TEST_SUITE_END();
