// Timeouts: which of them were in vain, how that is found out, and what they do to the rest.
#include <doctest/doctest.h>

#include "tests/unit/tcp/sender_harness.h"

namespace braid::tcp {
namespace {

using Kind = Sender::Kind;
using Piece = Leg::Piece;

bool delivered(const Leg& leg, std::uint64_t bytes) {
  return leg.next == bytes && leg.sender->snd_una() == bytes;
}

std::uint64_t cwnd(const Leg& leg) { return leg.sender->controller().cwnd(); }

// A radio that pauses until 1 s + `delay` and loses nothing: what leaves before arrives then, in
// order, each segment with an ACK of its own.
auto paused(Leg& leg, Duration delay) {
  return [&leg, delay](std::uint64_t position) {
    const Instant over = Instant(1s) + delay;
    if (leg.now >= over) return Duration(0ms);
    const int copies = leg.attempts[position] - 1;
    const Duration turn = copies > 0 ? Duration(40us * copies) : Duration(position / 1000 * 1us);
    return Duration(over + turn - leg.now);
  };
}

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a path that paused longer than the timeout costs no window") {
  Leg::Options options{.cwnd = 20000, .max_super = 0};
  SUBCASE("timestamps tell at the first ACK (Eifel)") { options.timestamps = true; }
  SUBCASE("F-RTO tells with SACK") {}
  SUBCASE("F-RTO tells without SACK") { options.sack = false; }
  Leg leg(options);
  leg.start();
  leg.lag = paused(leg, 500ms);
  leg.offer(40000);
  leg.run(2s);
  CHECK(delivered(leg, 40000));
  REQUIRE(leg.controller->timeouts.size() == 1);
  CHECK(leg.controller->undone == 1);
  CHECK(cwnd(leg) == 20000);
  CHECK(leg.sender->counters().spurious == 1);
  CHECK_FALSE(leg.sender->in_recovery());
  // The head left a second time (with SACK a tail loss probe before it), nothing else did.
  CHECK(leg.count(Kind::kRetransmission) <= 2);
}

TEST_CASE("a long pause with several timeouts is found out, too") {
  for (const bool timestamps : {true, false}) {
    Leg leg({.cwnd = 20000, .timestamps = timestamps, .max_super = 0});
    leg.start();
    leg.lag = paused(leg, 3s);
    leg.offer(40000);
    leg.run(6s);
    CHECK(delivered(leg, 40000));
    CHECK(leg.sender->counters().timeouts > 1);
    CHECK(leg.controller->timeouts.size() == 1);
    CHECK(leg.controller->undone == 1);
    CHECK(cwnd(leg) == 20000);
  }
}

TEST_CASE("a DSACK on an ACK that was overtaken tells of a recovery in vain, too") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece&) { return true; };  // this test says what arrives
  leg.offer(10000);
  leg.now += 20ms;
  const Interval arrived[] = {{1000, 4000}};
  leg.sender->receive_ack({.ack = 0, .sack = arrived}, leg.now);
  leg.flush();
  REQUIRE(leg.sender->in_recovery());
  REQUIRE(leg.count(Kind::kRetransmission) == 1);
  leg.sender->receive_ack({.ack = 10000}, leg.now);
  leg.offer(11000);
  leg.now += 20ms;
  leg.sender->receive_ack({.ack = 11000}, leg.now);
  REQUIRE(cwnd(leg) == 5000);
  const Interval twice[] = {{0, 1000}};
  leg.sender->receive_ack({.ack = 10000, .sack = twice}, leg.now);
  CHECK(leg.controller->undone == 1);
  CHECK(cwnd(leg) == 10000);
  leg.sender->validate();
}

TEST_CASE("a timeout that was right is never undone") {
  for (const bool sack : {true, false}) {
    for (const bool timestamps : {true, false}) {
      CAPTURE(sack);
      CAPTURE(timestamps);
      Leg leg({.cwnd = 10000, .sack = sack, .timestamps = timestamps, .max_super = 0});
      leg.start();
      leg.drop = [&](const Piece& piece) {
        return leg.now < Instant(1300ms) && piece.begin < 10000;
      };
      leg.offer(40000);
      leg.run(10s);
      CHECK(delivered(leg, 40000));
      CHECK(leg.controller->timeouts.size() >= 1);
      CHECK(leg.controller->undone == 0);
    }
  }
}

TEST_CASE("F-RTO sends two new segments in place of retransmissions") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.lag = paused(leg, 500ms);
  leg.offer(40000);
  leg.run(Instant(1s) + 521ms - leg.now);  // the ACKs of the first segments are in
  std::vector<Piece> fresh;
  for (const Piece& piece : leg.pieces()) {
    if (piece.begin >= 10000 && piece.kind == Kind::kNew) fresh.push_back(piece);
  }
  REQUIRE(fresh.size() >= 2);
  CHECK(leg.attempts[1000] == 1);
  CHECK(leg.attempts[2000] == 1);
}

TEST_CASE("with nothing new to send a timeout is repaired as usual") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.drop = [&](const Piece& piece) { return piece.attempt == 1 && piece.begin < 10000; };
  leg.offer(10000);
  leg.run(5s);
  CHECK(delivered(leg, 10000));
}

TEST_CASE("a timeout of the head leaves alone what left a moment ago (RFC 8985 6.3)") {
  Leg leg({.cwnd = 50000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.begin == 0 && piece.attempt <= 4; };
  leg.offer(3000);
  for (int i = 1; i < 60; ++i) {  // one more segment each 20 ms: the ACKs never stop
    leg.run(20ms);
    leg.offer(3000 + static_cast<std::uint64_t>(i) * 1000);
  }
  leg.run(5s);
  CHECK(delivered(leg, 62000));
  for (const auto& [position, attempts] : leg.attempts) {
    if (position >= 3000) CHECK(attempts == 1);
  }
}

TEST_CASE("the timer counts from the sending of a short tail, not from the last ACK (RFC 7765)") {
  Leg leg({.cwnd = 10000, .sack = false, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.begin == 2000 && piece.attempt == 1; };
  leg.lag = [](std::uint64_t position) {
    return position == 1000 ? Duration(100ms) : Duration(0ms);
  };
  leg.offer(3000);
  leg.run(2s);
  CHECK(delivered(leg, 3000));
  // Sent at 1 s. Counted from the ACK, which comes at 1120 ms, it would be later than 1420 ms.
  Instant again = kNever;
  for (const auto& [at, piece] : leg.log) {
    if (piece.begin == 2000 && piece.attempt == 2) again = at;
  }
  CHECK(again < Instant(1400ms));
}

TEST_CASE("after a lost SYN the first timeout is three seconds, until something was measured") {
  for (const auto syn : {Sender::Setup::Syn::kAnswered, Sender::Setup::Syn::kRepeated}) {
    Sender sender({.mss = 1000, .controller = std::make_unique<FixedWindow>(10000), .syn = syn});
    sender.start(0, 0, 65535, std::nullopt, Instant(1s));
    const bool repeated = syn == Sender::Setup::Syn::kRepeated;
    CHECK(sender.retransmission_timeout() == (repeated ? Duration(3s) : Duration(1s)));
    sender.sample_rtt(50ms, Instant(1s));
    CHECK(sender.retransmission_timeout() == 250ms);
  }
}

TEST_CASE("one tail loss probe for each RTT measured") {
  Leg leg({.cwnd = 40000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.attempt == 1; };  // repaired by copies alone
  leg.offer(1000);
  leg.run(1s);
  REQUIRE(delivered(leg, 1000));
  REQUIRE(leg.sender->counters().tail_loss_probes == 1);
  leg.offer(2000);
  leg.run(5s);
  CHECK(delivered(leg, 2000));
  CHECK(leg.sender->counters().tail_loss_probes == 1);
  CHECK(leg.sender->counters().timeouts == 1);
}

TEST_CASE("the DSACK of a tail loss probe does not widen the reordering window") {
  Leg leg({.cwnd = 40000, .max_super = 0});
  leg.start();
  leg.lag = [&](std::uint64_t) { return leg.now == Instant(1s) ? Duration(30ms) : Duration(0ms); };
  leg.offer(5000);
  leg.run(500ms);
  REQUIRE(leg.sender->counters().tail_loss_probes == 1);
  // A hole that three segments show is lost at once: on an orderly path there is no window.
  leg.drop = [](const Piece& piece) { return piece.begin == 5000 && piece.attempt == 1; };
  const Instant start = leg.now;
  leg.offer(15000);
  leg.run(500ms);
  REQUIRE(delivered(leg, 15000));
  CHECK(leg.log.back().first == start + 20ms);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
