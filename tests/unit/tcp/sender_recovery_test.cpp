// Loss: how it is found, repaired and paid for, and what happens when there was none.
#include <doctest/doctest.h>

#include "stack/base/random.h"
#include "tests/unit/tcp/sender_harness.h"

namespace braid::tcp {
namespace {

using Kind = Sender::Kind;
using Outcome = Sender::TimerOutcome;
using Piece = Leg::Piece;

// Drops the first `attempts` sendings of the segments at these positions.
auto drop_first(std::vector<std::uint64_t> positions, int attempts = 1) {
  return [=](const Piece& piece) {
    return std::find(positions.begin(), positions.end(), piece.begin) != positions.end() &&
           piece.attempt <= attempts;
  };
}

bool delivered(const Leg& leg, std::uint64_t bytes) {
  return leg.next == bytes && leg.sender->snd_una() == bytes;
}

TEST_SUITE_BEGIN("tcp");

TEST_CASE("of an ACK that was overtaken the SACK blocks count, and nothing else") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece&) { return true; };
  leg.offer(10000);
  leg.now += 20ms;
  leg.sender->receive_ack({.ack = 3000}, leg.now);
  const std::uint64_t window = leg.sender->snd_wnd();
  const Interval blocks[] = {{1000, 2000}, {5000, 6000}};
  leg.now += 100ms;
  leg.sender->receive_ack(
      {.ack = 1000, .sack = blocks, .window = 1, .window_update_allowed = true, .ecn_echo = true},
      leg.now);
  CHECK(leg.sender->snd_una() == 3000);
  CHECK(leg.sender->scoreboard().sacked() == 1000);
  CHECK(leg.sender->snd_wnd() == window);
  CHECK(leg.sender->rtt().latest() == Duration(20ms));
  CHECK(leg.controller->events.empty());
  leg.sender->validate();
}

TEST_CASE("a hole is repaired in one round trip, alone, and costs one reduction") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.drop = drop_first({3000});
  leg.offer(20000);
  leg.run(500ms);
  CHECK(delivered(leg, 20000));
  CHECK(leg.count(Kind::kRetransmission) == 1);
  CHECK(leg.log.back().second == Piece{3000, 4000, 2, Kind::kRetransmission});
  CHECK(leg.log.back().first == Instant(1s) + 20ms);  // with the first ACK
  CHECK(leg.controller->events.size() == 1);
  CHECK(leg.controller->events[0].in_flight == 17000);
  CHECK(leg.controller->timeouts.empty());
  CHECK_FALSE(leg.sender->in_recovery());
  CHECK(leg.sender->counters().recoveries == 1);
}

TEST_CASE("several holes of one flight are one congestion event") {
  Leg leg({.cwnd = 40000});
  leg.start();
  leg.drop = drop_first({3000, 7000, 8000, 15000});
  leg.offer(400000);
  leg.run(2s);
  CHECK(delivered(leg, 400000));
  CHECK(leg.count(Kind::kRetransmission) == 4);
  CHECK(leg.controller->events.size() == 1);
  CHECK(leg.controller->timeouts.empty());
}

TEST_CASE("a retransmission that is lost too is found without a timeout") {
  Leg leg({.cwnd = 40000});
  leg.start();
  leg.drop = drop_first({3000}, 2);
  leg.offer(400000);
  leg.run(2s);
  CHECK(delivered(leg, 400000));
  CHECK(leg.attempts[3000] == 3);
  CHECK(leg.controller->timeouts.empty());
}

TEST_CASE("a lost tail is found by the probe and not by a timeout") {
  Leg leg({.cwnd = 40000});
  leg.start();
  leg.drop = drop_first({17000, 18000, 19000});
  leg.offer(20000);
  leg.run(2s);
  CHECK(delivered(leg, 20000));
  CHECK(leg.sender->counters().tail_loss_probes == 1);
  CHECK(leg.controller->timeouts.empty());
  CHECK(leg.log.back().first < Instant(1s) + 150ms);
}

TEST_CASE("the probe is new data when there is some") {
  Leg leg({.cwnd = 5000});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.begin < 5000 && piece.attempt == 1; };
  leg.offer(9000);
  leg.run(60ms);
  CHECK(leg.log.back().second == Piece{5000, 6000, 1, Kind::kNew});
  leg.run(2s);
  CHECK(delivered(leg, 9000));
  CHECK(leg.controller->timeouts.empty());
}

TEST_CASE("a loss that only the probe repaired is paid for when later data is acknowledged") {
  Leg leg({.cwnd = 40000});
  leg.start();
  leg.drop = drop_first({4000});
  leg.offer(5000);
  leg.run(500ms);
  REQUIRE(delivered(leg, 5000));
  REQUIRE(leg.sender->counters().tail_loss_probes == 1);
  CHECK(leg.controller->events.empty());  // a DSACK may still come
  leg.offer(6000);
  leg.run(500ms);
  CHECK(leg.controller->events.size() == 1);
  CHECK(leg.controller->timeouts.empty());
}

TEST_CASE("a probe that was needless costs nothing: its DSACK says so") {
  Leg leg({.cwnd = 40000});
  leg.start();
  leg.lag = [&](std::uint64_t) { return leg.now == Instant(1s) ? Duration(30ms) : Duration(0ms); };
  leg.offer(5000);
  leg.run(500ms);
  REQUIRE(leg.sender->counters().tail_loss_probes == 1);
  leg.offer(6000);
  leg.run(500ms);
  CHECK(leg.controller->events.empty());
}

TEST_CASE("when nothing comes back the timer doubles, one segment leaves each time, then it ends") {
  Leg leg({.cwnd = 10000});
  leg.start();
  leg.drop = [](const Piece&) { return true; };
  leg.offer(10000);
  leg.run(1h);
  CHECK(leg.gave_up);
  CHECK(leg.controller->timeouts.size() == 1);  // one series
  CHECK(leg.sender->consecutive_timeouts() == 6);
  std::vector<Instant> heads;
  for (const auto& [at, piece] : leg.log) {
    if (piece.begin == 0 && piece.kind == Kind::kRetransmission) heads.push_back(at);
  }
  REQUIRE(heads.size() == 5);
  for (std::size_t i = 2; i < heads.size(); ++i) {
    CHECK(heads[i] - heads[i - 1] == 2 * (heads[i - 1] - heads[i - 2]));
  }
  CHECK(leg.attempts[1000] == 1);  // one segment of congestion window
}

TEST_CASE("after a timeout everything is sent again in slow start, SACKed parts excepted") {
  Leg leg({.cwnd = 10000, .sack = true}, cc::Algorithm::kReno);
  leg.start();
  bool dead = true;
  leg.drop = [&](const Piece& piece) { return dead && piece.begin != 5000; };
  leg.mute = true;
  leg.offer(10000);
  leg.run(100ms);
  leg.mute = false;
  leg.run(200ms);
  dead = false;
  leg.run(5s);
  CHECK(delivered(leg, 10000));
  CHECK(leg.attempts[5000] <= 2);
  CHECK(leg.sender->consecutive_timeouts() == 0);
  CHECK_FALSE(leg.sender->in_recovery());
}

TEST_CASE("progress ends a series of timeouts and its backoff") {
  Leg leg({.cwnd = 10000});
  leg.start();
  bool dead = true;
  leg.drop = [&](const Piece&) { return dead; };
  leg.offer(10000);
  leg.run(1500ms);
  REQUIRE(leg.sender->consecutive_timeouts() >= 1);
  REQUIRE(leg.sender->retransmission_timeout() > 400ms);
  dead = false;
  leg.run(10s);
  CHECK(delivered(leg, 10000));
  CHECK(leg.sender->consecutive_timeouts() == 0);
  CHECK(leg.sender->retransmission_timeout() < 400ms);
}

TEST_CASE("without SACK three duplicate ACKs repair a hole, and a partial ACK shows the next") {
  Leg leg({.cwnd = 20000, .sack = false, .max_super = 0});
  leg.start();
  leg.drop = drop_first({3000, 6000});
  leg.offer(20000);
  leg.run(150ms);
  CHECK(delivered(leg, 20000));
  CHECK(leg.count(Kind::kRetransmission) == 2);
  CHECK(leg.controller->events.size() == 1);
  CHECK(leg.controller->timeouts.empty());
}

TEST_CASE("two duplicate ACKs, and ones that only carry an MPTCP signal, repair nothing") {
  Leg leg({.cwnd = 10000, .sack = false});
  leg.start();
  leg.offer(10000);
  Sender::AckInput dup{.ack = 0, .window = 1 << 20, .window_update_allowed = true};
  SUBCASE("two") {
    leg.sender->receive_ack(dup, leg.now);
    leg.sender->receive_ack(dup, leg.now);
  }
  SUBCASE("signals (RFC 8684 M13)") {
    dup.signalling_only = true;
    for (int i = 0; i < 10; ++i) leg.sender->receive_ack(dup, leg.now);
  }
  SUBCASE("segments with data") {
    dup.carries_data = true;
    for (int i = 0; i < 10; ++i) leg.sender->receive_ack(dup, leg.now);
  }
  SUBCASE("window updates") {
    for (int i = 0; i < 10; ++i) {
      dup.window += 1000;
      leg.sender->receive_ack(dup, leg.now);
    }
  }
  CHECK(leg.controller->events.empty());
  CHECK_FALSE(leg.sender->plan(leg.now).has_value());
  leg.sender->validate();
}

TEST_CASE("three duplicate ACKs without SACK begin recovery") {
  Leg leg({.cwnd = 10000, .sack = false});
  leg.start();
  leg.offer(10000);
  const Sender::AckInput dup{.ack = 0, .window = 1 << 20, .window_update_allowed = true};
  for (int i = 0; i < 3; ++i) leg.sender->receive_ack(dup, leg.now);
  CHECK(leg.controller->events.size() == 1);
  const auto plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->position == 0);
  CHECK(plan->max_length == Leg::kMss);
  CHECK(plan->kind == Kind::kRetransmission);
}

TEST_CASE("a segment that was only late undoes the reduction, by its timestamp") {
  Leg leg({.cwnd = 20000, .timestamps = true, .max_super = 0});
  leg.start();
  leg.lag = [&](std::uint64_t position) {
    return position == 3000 && leg.attempts[3000] == 1 ? Duration(15ms) : Duration(0ms);
  };
  leg.offer(20000);
  leg.run(500ms);
  REQUIRE(delivered(leg, 20000));
  REQUIRE(leg.controller->events.size() == 1);
  CHECK(leg.controller->undone == 1);
  CHECK(leg.sender->counters().spurious == 1);
}

TEST_CASE("a segment that was only late undoes the reduction, by the DSACK of its copy") {
  Leg leg({.cwnd = 20000, .timestamps = false, .max_super = 0});
  leg.start();
  leg.lag = [&](std::uint64_t position) {
    return position == 3000 && leg.attempts[3000] == 1 ? Duration(15ms) : Duration(0ms);
  };
  leg.offer(20000);
  leg.run(500ms);
  REQUIRE(delivered(leg, 20000));
  REQUIRE(leg.controller->events.size() == 1);
  CHECK(leg.controller->undone == 1);
}

TEST_CASE("a true loss is never undone") {
  for (const bool timestamps : {false, true}) {
    Leg leg({.cwnd = 20000, .timestamps = timestamps, .max_super = 0});
    leg.start();
    leg.drop = drop_first({3000});
    leg.offer(20000);
    leg.run(500ms);
    REQUIRE(delivered(leg, 20000));
    CHECK(leg.controller->undone == 0);
  }
}

TEST_CASE("a path that stalls and then delivers everything undoes its timeout") {
  Leg leg({.cwnd = 10000, .timestamps = true});
  leg.start();
  leg.lag = [&](std::uint64_t) { return std::max<Duration>(Instant(1500ms) - leg.now, 0ms); };
  leg.offer(10000);
  leg.run(5s);
  CHECK(delivered(leg, 10000));
  REQUIRE(leg.controller->timeouts.size() == 1);
  CHECK(leg.controller->undone == 1);
}

TEST_CASE("a reordering path stops being mistaken for a lossy one") {
  Leg leg({.cwnd = 20000, .timestamps = true, .max_super = 0});
  leg.start();
  leg.lag = [&](std::uint64_t position) {  // every seventh segment is 4 ms late
    return position / 1000 % 7 == 3 && leg.attempts[position] == 1 ? Duration(4ms) : Duration(0ms);
  };
  leg.offer(4'000'000);
  leg.run(20s);
  REQUIRE(delivered(leg, 4'000'000));
  CHECK(leg.count(Kind::kRetransmission) < 20);  // of some 570 that were late
  CHECK(leg.controller->timeouts.empty());
}

TEST_CASE("a peer that takes its SACKs back still gets its bytes") {
  Leg leg({.cwnd = 10000});
  leg.start();
  leg.drop = [&](const Piece& piece) { return piece.begin == 0 && leg.now < Instant(1500ms); };
  leg.offer(10000);
  leg.run(100ms);
  REQUIRE(leg.sender->in_recovery());
  leg.received = IntervalSet();  // it forgets what it had told of
  leg.latest = {};
  leg.run(60s);
  CHECK(delivered(leg, 10000));
}

TEST_CASE("the FIN is repaired like a byte") {
  Leg leg({.cwnd = 10000});
  leg.start();
  SUBCASE("alone") {
    leg.offer(3000);
    leg.drop = drop_first({3000});
    leg.offer(3000, true);
  }
  SUBCASE("with the last bytes") {
    leg.drop = drop_first({2000});
    leg.offer(3000, true);
  }
  leg.run(5s);
  CHECK(leg.sender->fin_acked());
  CHECK(leg.next == 3001);
  CHECK(leg.sender->next_deadline() == kNever);
}

TEST_CASE("recovery sends no faster than PRR allows") {
  Leg leg({.cwnd = 40000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.begin < 20000 && piece.attempt == 1; };
  leg.offer(100000);
  leg.run(29ms);  // the ACKs of the second half of the flight are in
  std::size_t in_recovery = 0;
  for (const auto& [at, piece] : leg.log) in_recovery += at >= Instant(1s) + 20ms ? 1 : 0;
  CHECK(in_recovery >= 10);
  CHECK(in_recovery <= 22);
  leg.run(5s);
  CHECK(delivered(leg, 100000));
}

TEST_CASE("any mixture of loss, delay and duplicates ends with every byte delivered") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Leg::Options options{.sack = random.chance(0.8), .timestamps = random.chance(0.5)};
    options.max_super = random.chance(0.3) ? 0 : 1000 + random.below(40000);
    options.window = 3000 + random.below(100000);
    Leg leg(options, random.chance(0.5) ? cc::Algorithm::kCubic : cc::Algorithm::kReno);
    const double loss = 0.15 * random.unit();
    leg.drop = [&](const Piece&) { return random.chance(loss); };
    leg.lag = [&](std::uint64_t) {
      return random.chance(0.1) ? Duration(1ms) * random.below(40) : Duration(0ms);
    };
    leg.start();
    std::uint64_t end = 0;
    for (int part = 0; part < 20; ++part) {
      end += random.below(20000);
      leg.offer(end, part == 19);
      leg.run(random.below(200) * 1ms);
    }
    leg.run(30min);
    CHECK(leg.next == end + 1);
    CHECK(leg.sender->fin_acked());
    CHECK(leg.sender->next_deadline() == kNever);
    CHECK(leg.sender->in_flight() == 0);
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
