#include "stack/cc/hystart.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

void round(HyStart& hystart, Duration rtt, int samples) {
  for (int i = 0; i < samples; ++i) {
    hystart.on_ack({.newly_delivered = 1000, .latest_rtt = rtt, .round_ended = i == 0}, 1000);
  }
}

TEST_SUITE_BEGIN("cc");

TEST_CASE("a rise of an eighth over the last round slows growth to a quarter") {
  HyStart hystart;
  round(hystart, 80ms, 8);
  round(hystart, 89ms, 8);  // less than an eighth
  CHECK_FALSE(hystart.conservative());
  CHECK(hystart.growth(1000) == 1000);
  round(hystart, 101ms, 8);
  CHECK(hystart.conservative());
  CHECK(hystart.growth(1000) == 250);
  CHECK_FALSE(hystart.finished());
}

TEST_CASE("one ACK of a super-segment stands for those it spared") {
  HyStart hystart;
  round(hystart, 80ms, 8);
  hystart.on_ack({.newly_delivered = 15'000, .latest_rtt = 100ms, .round_ended = true}, 1000);
  CHECK_FALSE(hystart.conservative());
  hystart.on_ack({.newly_delivered = 2000, .latest_rtt = 100ms}, 1000);
  CHECK(hystart.conservative());
}

TEST_CASE("seven samples are no proof") {
  HyStart hystart;
  round(hystart, 80ms, 8);
  round(hystart, 200ms, 7);
  CHECK_FALSE(hystart.conservative());
}

TEST_CASE("five conservative rounds end slow start") {
  HyStart hystart;
  round(hystart, 80ms, 8);
  round(hystart, 100ms, 8);
  for (int i = 0; i < 4; ++i) round(hystart, 100ms, 8);
  CHECK_FALSE(hystart.finished());
  round(hystart, 100ms, 1);
  CHECK(hystart.finished());
}

TEST_CASE("an RTT that falls again was a false alarm") {
  HyStart hystart;
  round(hystart, 80ms, 8);
  round(hystart, 100ms, 8);
  REQUIRE(hystart.conservative());
  round(hystart, 81ms, 8);
  CHECK_FALSE(hystart.conservative());
  CHECK_FALSE(hystart.finished());
}

TEST_CASE("on a short path a rise below four milliseconds is noise") {
  HyStart hystart;
  round(hystart, 5ms, 8);
  round(hystart, 8ms, 8);
  CHECK_FALSE(hystart.conservative());
  round(hystart, 13ms, 8);
  CHECK(hystart.conservative());
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
