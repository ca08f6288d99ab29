#include "stack/tcp/acceptance.h"

#include <doctest/doctest.h>

using namespace braid;
using namespace braid::tcp;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a sequence number is judged by the table of RFC 9293 3.10.7.4") {
  const ReceiveSpace open{.rcv_nxt = 100, .last_ack_sent = 90, .edge = 200};
  SUBCASE("inside the window") {
    CHECK(check_sequence(open, 100, 0) == SequenceVerdict::kAccept);
    CHECK(check_sequence(open, 100, 1) == SequenceVerdict::kAccept);
    CHECK(check_sequence(open, 199, 50) == SequenceVerdict::kAccept);
    CHECK(check_sequence(open, 50, 51) == SequenceVerdict::kAccept);
  }
  SUBCASE("received before") {
    CHECK(check_sequence(open, 50, 50) == SequenceVerdict::kOld);
    CHECK(check_sequence(open, 89, 0) == SequenceVerdict::kOld);
  }
  SUBCASE("a pure ACK overtaken by data is good down to the last ACK sent") {
    CHECK(check_sequence(open, 90, 0) == SequenceVerdict::kAccept);
  }
  SUBCASE("right of the window") {
    CHECK(check_sequence(open, 200, 0) == SequenceVerdict::kAccept);
    CHECK(check_sequence(open, 200, 1) == SequenceVerdict::kAckOnly);
    CHECK(check_sequence(open, 201, 0) == SequenceVerdict::kOutside);
    CHECK(check_sequence(open, 201, 1) == SequenceVerdict::kOutside);
  }
  SUBCASE("a closed window still takes ACKs and hears probes") {
    const ReceiveSpace closed{.rcv_nxt = 100, .last_ack_sent = 100, .edge = 100};
    CHECK(check_sequence(closed, 100, 0) == SequenceVerdict::kAccept);
    CHECK(check_sequence(closed, 100, 1) == SequenceVerdict::kAckOnly);
    CHECK(check_sequence(closed, 99, 1) == SequenceVerdict::kOld);
  }
}

TEST_CASE("only a RST at exactly rcv_nxt resets (RFC 5961 3.2)") {
  const ReceiveSpace space{.rcv_nxt = 100, .last_ack_sent = 100, .edge = 200};
  CHECK(check_reset(space, 100) == ResetVerdict::kReset);
  CHECK(check_reset(space, 101) == ResetVerdict::kChallenge);
  CHECK(check_reset(space, 200) == ResetVerdict::kChallenge);
  CHECK(check_reset(space, 99) == ResetVerdict::kDrop);
  CHECK(check_reset(space, 201) == ResetVerdict::kDrop);
}

TEST_CASE("an acknowledgment must lie between one window before snd_una and snd_nxt") {
  CHECK(check_ack(500, 500, 600, 100) == AckVerdict::kAccept);
  CHECK(check_ack(600, 500, 600, 100) == AckVerdict::kAccept);
  CHECK(check_ack(601, 500, 600, 100) == AckVerdict::kFuture);
  CHECK(check_ack(400, 500, 600, 100) == AckVerdict::kOld);
  CHECK(check_ack(399, 500, 600, 100) == AckVerdict::kAncient);
}

TEST_CASE("a rate limit allows so many in each period and no more") {
  RateLimit limit(2);
  CHECK(limit.allow(Instant(0s)));
  CHECK(limit.allow(Instant(500ms)));
  CHECK_FALSE(limit.allow(Instant(999ms)));
  CHECK(limit.allow(Instant(1s)));
}

TEST_SUITE_END();
