#include "stack/tcp/rtt.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

TEST_SUITE_BEGIN("tcp");

TEST_CASE("without a sample the timeout is one second and nothing is known") {
  const Rtt rtt;
  CHECK_FALSE(rtt.has_sample());
  CHECK(rtt.timeout() == 1s);
  CHECK(rtt.min_rtt() == Duration::zero());
}

TEST_CASE("after a lost SYN the timeout is three seconds until the first sample (RFC 6298 5.7)") {
  Rtt rtt;
  rtt.syn_was_lost();
  CHECK(rtt.timeout() == 3s);
  rtt.sample(20ms);
  CHECK(rtt.timeout() == 220ms);
}

TEST_CASE("the first sample sets srtt to itself and rttvar to half of it") {
  Rtt rtt;
  rtt.sample(400ms);
  CHECK(rtt.srtt() == 400ms);
  CHECK(rtt.rttvar() == 200ms);
  CHECK(rtt.timeout() == 1200ms);
}

TEST_CASE("later samples move srtt by an eighth and rttvar by a quarter of the error") {
  Rtt rtt;
  rtt.sample(400ms);
  rtt.sample(480ms);
  CHECK(rtt.srtt() == 410ms);
  CHECK(rtt.rttvar() == 170ms);
}

TEST_CASE("a path without variance keeps 200 ms above its RTT") {
  Rtt rtt;
  for (int i = 0; i < 100; ++i) rtt.sample(30ms);
  CHECK(rtt.srtt() == 30ms);
  CHECK(rtt.timeout() == 230ms);
}

TEST_CASE("the timeout never exceeds sixty seconds") {
  Rtt rtt;
  rtt.sample(50s);
  CHECK(rtt.timeout() == 60s);
}

TEST_CASE("a sample of nothing counts as a microsecond, so that zero still means none") {
  Rtt rtt;
  rtt.sample(Duration::zero());
  rtt.sample_minimum(Duration::zero(), Instant(5s));
  CHECK(rtt.has_sample());
  CHECK(rtt.srtt() == 1us);
  CHECK(rtt.min_rtt() == 1us);
}

TEST_CASE("the minimum forgets what is older than its window, and only that") {
  Rtt rtt;
  rtt.sample_minimum(10ms, Instant(5s));
  rtt.sample_minimum(30ms, Instant(20s));
  CHECK(rtt.min_rtt() == 10ms);
  CHECK(rtt.latest() == 30ms);
  rtt.sample_minimum(40ms, Instant(55s));
  CHECK(rtt.min_rtt() == 10ms);
  rtt.sample_minimum(50ms, Instant(72s));
  CHECK(rtt.min_rtt() == 30ms);
  rtt.sample_minimum(60ms, Instant(1000s));  // a long silence: nothing old is left
  CHECK(rtt.min_rtt() == 60ms);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
