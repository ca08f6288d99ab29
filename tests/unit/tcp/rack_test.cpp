#include "stack/tcp/rack.h"

#include <doctest/doctest.h>

#include <vector>

namespace braid::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;
using Verdict = TailLossProbe::Verdict;

// A flight of one-segment records sent a millisecond apart from 1 s on, and RACK over it.
struct Flight {
  Scoreboard board;
  Rack rack;
  Rack::Facts facts{.srtt = 100ms, .min_rtt = 80ms, .mss = kMss};

  explicit Flight(int records) {
    for (int i = 1; i <= records; ++i) {
      board.append(static_cast<std::uint64_t>(i) * kMss, kMss, Instant(1s) + (i - 1) * 1ms);
    }
  }
  // Acknowledges at `now` and returns when to look again.
  Instant ack(std::uint64_t ack, std::vector<Interval> sack, Instant now) {
    rack.on_delivered(board.acknowledge({.ack = ack, .sack = sack, .now = now}), now);
    const Instant next = rack.detect(board, facts, now);
    board.validate();
    return next;
  }
};

TEST_SUITE_BEGIN("tcp");

TEST_CASE("three SACKed segments beyond a hole make it lost at once on an orderly path") {
  Flight f(5);
  CHECK(f.ack(0, {{1000, 2000}}, Instant(1101ms)) != kNever);
  CHECK(f.board.lost() == 0);
  f.ack(0, {{1000, 3000}}, Instant(1102ms));
  CHECK(f.board.lost() == 0);
  f.ack(0, {{1000, 4000}}, Instant(1103ms));
  CHECK(f.board.lost() == 1000);
  CHECK(f.board.lowest_lost()->begin == 0);
}

TEST_CASE("with fewer, the hole is lost a quarter of the minimum RTT later") {
  Flight f(5);
  const Instant next = f.ack(0, {{1000, 2000}}, Instant(1101ms));
  // Sent at 1 s; the newest delivered took 100 ms; patience of 80 / 4 = 20 ms.
  CHECK(next == Instant(1120ms));
  f.rack.detect(f.board, f.facts, Instant(1119ms));
  CHECK(f.board.lost() == 0);
  CHECK(f.rack.detect(f.board, f.facts, Instant(1120ms)) == kNever);
  CHECK(f.board.lost() == 1000);
}

TEST_CASE("what was sent after the newest delivered is never judged") {
  Flight f(5);
  f.ack(2000, {}, Instant(1101ms));
  f.rack.detect(f.board, f.facts, Instant(100s));
  CHECK(f.board.lost() == 0);
}

TEST_CASE("the part of a super-segment before a SACKed part is judged, the part after is not") {
  Scoreboard board;
  Rack rack;
  board.append(10000, kMss, Instant(1s));
  const std::vector<Interval> sack{{4000, 8000}};
  rack.on_delivered(board.acknowledge({.ack = 0, .sack = sack, .now = Instant(1100ms)}),
                    Instant(1100ms));
  rack.detect(board, {.srtt = 100ms, .min_rtt = 80ms, .mss = kMss}, Instant(1100ms));
  CHECK(board.lost() == 4000);
  CHECK(board.lowest_lost()->end == 4000);
  CHECK(board.oldest_in_flight()->begin == 8000);
}

TEST_CASE("once the path has reordered, three SACKed segments do not hurry the verdict") {
  Flight f(6);
  f.ack(0, {{1000, 2000}}, Instant(1101ms));
  f.ack(2000, {}, Instant(1102ms));  // the hole filled itself
  REQUIRE(f.rack.reordering_seen());
  const Instant next = f.ack(2000, {{3000, 6000}}, Instant(1105ms));
  CHECK(f.board.lost() == 0);
  CHECK(next == Instant(1002ms) + 100ms + 20ms);
}

TEST_CASE("each round trip with a DSACK widens the window by a quarter of the minimum RTT") {
  Flight f(6);
  f.ack(0, {{1000, 2000}}, Instant(1101ms));
  f.ack(2000, {}, Instant(1102ms));
  REQUIRE(f.rack.reordering_window(f.board, f.facts) == 20ms);
  f.rack.on_dsack(2000, 6000);
  CHECK(f.rack.reordering_window(f.board, f.facts) == 40ms);
  f.rack.on_dsack(3000, 6000);  // the same round trip
  CHECK(f.rack.reordering_window(f.board, f.facts) == 40ms);
  f.rack.on_dsack(6000, 9000);
  CHECK(f.rack.reordering_window(f.board, f.facts) == 60ms);
  for (int i = 0; i < 10; ++i) f.rack.on_dsack(9000 + i * 1000, 10000 + i * 1000);
  CHECK(f.rack.reordering_window(f.board, f.facts) == 100ms);  // never above srtt
  for (int i = 0; i < 16; ++i) f.rack.on_recovery_end();
  CHECK(f.rack.reordering_window(f.board, f.facts) == 20ms);
}

TEST_CASE("a retransmission that is lost again is judged by what left after it") {
  Flight f(4);
  f.ack(0, {{1000, 4000}}, Instant(1103ms));
  REQUIRE(f.board.lost() == 1000);
  f.board.retransmit(0, 1000, kMss, Instant(1104ms));
  f.board.append(5000, kMss, Instant(1105ms));
  f.facts.in_recovery = true;
  f.ack(0, {{1000, 5000}}, Instant(1206ms));
  CHECK(f.board.lost() == 1000);
}

TEST_CASE("a timeout loses the head and what is overdue, and spares what left a moment ago") {
  Flight f(5);
  f.ack(1000, {}, Instant(1100ms));  // an RTT of 100 ms
  f.board.append(6000, kMss, Instant(1990ms));
  f.rack.on_timeout(f.board, f.facts, Instant(2000ms));
  CHECK(f.board.lost() == 4000);
  CHECK(f.board.oldest_in_flight()->begin == 5000);
  // A head that has just left again is lost, too: it is what the timer is about.
  f.board.retransmit(1000, 2000, kMss, Instant(2000ms));
  f.rack.on_timeout(f.board, f.facts, Instant(2001ms));
  CHECK(f.board.first()->fate == Scoreboard::Fate::kLost);
  f.board.validate();
}

TEST_CASE("the tail loss probe leaves after two RTTs, later for a lone segment") {
  CHECK(TailLossProbe::timeout(100ms, 200ms, 5000, kMss) == 202ms);
  CHECK(TailLossProbe::timeout(100ms, 200ms, 1000, kMss) == 400ms);
  CHECK(TailLossProbe::timeout(100ms, 40ms, 1000, kMss) == 240ms);
  CHECK(TailLossProbe::timeout(0ms, 200ms, 5000, kMss) == 1s);
}

TEST_CASE("a DSACK of the probe's copy is the probe's") {
  TailLossProbe probe;
  probe.sent(5000, TailLossProbe::Kind::kRetransmission);
  CHECK(probe.explains({4000, 5000}));
  CHECK_FALSE(probe.explains({3000, 4000}));
  probe.sent(6000, TailLossProbe::Kind::kNewData);
  CHECK_FALSE(probe.explains({5000, 6000}));
}

TEST_CASE("what the ACK after a tail loss probe means") {
  TailLossProbe probe;
  SUBCASE("before the probe's end: nothing yet") {
    probe.sent(5000, TailLossProbe::Kind::kRetransmission);
    CHECK(probe.on_ack(4000, {}, false) == Verdict::kNothing);
    CHECK(probe.outstanding());
  }
  SUBCASE("new data arrived: all is well") {
    probe.sent(5000, TailLossProbe::Kind::kNewData);
    CHECK(probe.on_ack(6000, {}, false) == Verdict::kNothing);
    CHECK_FALSE(probe.outstanding());
  }
  SUBCASE("a retransmission that arrived twice: nothing was lost") {
    probe.sent(5000, TailLossProbe::Kind::kRetransmission);
    CHECK(probe.on_ack(5000, {}, false) == Verdict::kNothing);
    CHECK(probe.outstanding());
    CHECK(probe.on_ack(5000, Interval{4000, 5000}, false) == Verdict::kNothing);
    CHECK_FALSE(probe.outstanding());
  }
  SUBCASE("later data is acknowledged and no DSACK came: the probe repaired a loss") {
    probe.sent(5000, TailLossProbe::Kind::kRetransmission);
    CHECK(probe.on_ack(5000, {}, false) == Verdict::kNothing);
    CHECK(probe.on_ack(6000, {}, false) == Verdict::kRepairedLoss);
    CHECK_FALSE(probe.outstanding());
  }
  SUBCASE("a bare duplicate: the original had arrived") {
    probe.sent(5000, TailLossProbe::Kind::kRetransmission);
    CHECK(probe.on_ack(5000, {}, true) == Verdict::kNothing);
    CHECK_FALSE(probe.outstanding());
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
