#include "stack/cc/round_watch.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

TEST_SUITE_BEGIN("cc");

TEST_CASE("a round is told when the next begins: its least RTT, and whether the window was used") {
  RoundWatch watch;
  CHECK_FALSE(watch.on_ack({.latest_rtt = 30ms}));
  CHECK_FALSE(watch.on_ack({.latest_rtt = 20ms, .cwnd_limited = true}));
  CHECK_FALSE(watch.on_ack({.latest_rtt = 0ms}));                        // an ACK without a sample
  auto round = watch.on_ack({.latest_rtt = 10ms, .round_ended = true});  // belongs to the next
  REQUIRE(round);
  CHECK(round->least_rtt == 20ms);
  CHECK(round->tells_of_queue());
  round = watch.on_ack({.round_ended = true, .cwnd_limited = true});
  REQUIRE(round);
  CHECK(round->least_rtt == 10ms);
  CHECK_FALSE(round->tells_of_queue());  // the window was not used
  round = watch.on_ack({.round_ended = true});
  REQUIRE(round);
  CHECK(round->window == RoundWatch::Window::kUsed);
  CHECK_FALSE(round->tells_of_queue());  // no sample
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
