#include <doctest/doctest.h>

#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

TEST_SUITE("mptcp") {

TEST_CASE("a connection over one path carries both directions and ends finished") {
  MptcpPair pair(1, 1);
  pair.connect();
  CHECK(pair.transfer(300'000, 200'000));
  CHECK(pair.run([&] { return pair.a.status().closed && pair.b.status().closed; }, 5s));
  CHECK(pair.a.status().closed == tcp::CloseReason::kFinished);
  CHECK(pair.b.status().closed == tcp::CloseReason::kFinished);
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.b.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("a second subflow joins over the second uplink and both carry data") {
  MptcpPair pair(2);
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  REQUIRE(pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 5s));
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  bool intact = true;
  CHECK(pair.run([&] {
    pair.b.offer(3'000'000, true);
    intact = intact && pair.a.drain();
    return pair.a.drained == 3'000'000;
  }, 60s));
  CHECK(intact);
  CHECK(pair.a.bytes_in(1) > 1'000'000);
  CHECK(pair.a.bytes_in(2) > 1'000'000);
}

}  // TEST_SUITE
