#include "stack/cc/reno.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

TEST_SUITE_BEGIN("cc");

TEST_CASE("reno grows by one segment per window delivered, whatever the size of the ACKs") {
  Reno reno(1000);
  reno.on_congestion({.in_flight = 10000});
  REQUIRE(reno.cwnd() == 5000);
  Ack ack{.newly_delivered = 500, .srtt = 20ms, .cwnd_limited = true};
  for (int i = 0; i < 9; ++i) reno.on_ack(ack);
  CHECK(reno.cwnd() == 5000);
  reno.on_ack(ack);
  CHECK(reno.cwnd() == 6000);
  ack.newly_delivered = 6000 + 7000;  // two windows in one ACK
  reno.on_ack(ack);
  CHECK(reno.cwnd() == 8000);
}

TEST_CASE("reno halves what was outstanding, not what it would have allowed") {
  Reno reno(1000);
  reno.on_congestion({.in_flight = 6000});
  CHECK(reno.cwnd() == 3000);
  CHECK(reno.ssthresh() == 3000);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
