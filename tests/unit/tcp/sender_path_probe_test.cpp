// Path MTU probes as the sender makes them: out of data that has to leave, and never congestion.
#include <doctest/doctest.h>

#include "tests/unit/tcp/sender_harness.h"

namespace braid::tcp {
namespace {

using Kind = Sender::Kind;
using Piece = Leg::Piece;
using Fate = Sender::ProbeFate;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a probe is the next data in one larger segment, with more behind it") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.sender->want_path_probe(1400);
  leg.offer(20000);
  REQUIRE(leg.log.size() > 2);
  const Piece first = leg.log[0].second;
  CHECK(first.begin == 0);
  CHECK(first.end >= 1400);
  CHECK(first.end <= 1440);  // the fewer options it carries the more it holds
  CHECK(leg.log[1].second.end - leg.log[1].second.begin == 1000);
  CHECK(leg.sender->take_probe_fate() == Fate::kNone);
  leg.run(1s);
  CHECK(leg.sender->take_probe_fate() == Fate::kArrived);
  CHECK(leg.sender->take_probe_fate() == Fate::kNone);
  CHECK(leg.largest_segment == first.end);
  CHECK(leg.next == 20000);
}

TEST_CASE("without enough data no probe leaves") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.sender->want_path_probe(1400);
  leg.offer(1399);
  CHECK(leg.log[0].second == Piece{0, 1000, 1, Kind::kNew});
  leg.run(1s);
  CHECK(leg.next == 1399);
  CHECK(leg.sender->take_probe_fate() == Fate::kNone);
}

TEST_CASE("a probe that is lost alone is sent again in usual segments and costs no window") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.end - piece.begin > 1000; };
  leg.sender->want_path_probe(1400);
  leg.offer(30000);
  leg.run(2s);
  CHECK(leg.next == 30000);
  CHECK(leg.sender->take_probe_fate() == Fate::kLost);
  CHECK(leg.controller->events.empty());
  CHECK(leg.controller->timeouts.empty());
  CHECK(leg.attempts[0] == 2);
}

TEST_CASE("a probe that is lost with others costs what they cost") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) {
    return piece.end - piece.begin > 1000 ||
           (piece.begin > 2000 && piece.begin < 5000 && piece.attempt == 1);
  };
  leg.sender->want_path_probe(1400);
  leg.offer(30000);
  leg.run(2s);
  CHECK(leg.next == 30000);
  CHECK(leg.sender->take_probe_fate() == Fate::kLost);
  CHECK(leg.controller->events.size() == 1);
}

TEST_CASE("a probe that waits for its ACK is not followed by another") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.mute = true;
  leg.sender->want_path_probe(1400);
  leg.offer(4000);
  leg.sender->want_path_probe(1400);
  leg.offer(9000);
  int large = 0;
  for (const Piece& piece : leg.pieces()) large += piece.end - piece.begin > 1000 ? 1 : 0;
  CHECK(large == 1);
}

TEST_CASE("without SACK a probe is judged, too") {
  Leg leg({.cwnd = 10000, .sack = false, .max_super = 0});
  leg.start();
  bool narrow = false;
  SUBCASE("it arrives") {}
  SUBCASE("it is lost") { narrow = true; }
  leg.drop = [&](const Piece& piece) { return narrow && piece.end - piece.begin > 1000; };
  leg.sender->want_path_probe(1400);
  leg.offer(20000);
  leg.run(2s);
  CHECK(leg.next == 20000);
  CHECK(leg.sender->take_probe_fate() == (narrow ? Fate::kLost : Fate::kArrived));
}

TEST_CASE("when the timeout turns out to be about the size, the window comes back") {
  Leg leg({.cwnd = 10000, .max_super = 0});
  leg.start();
  leg.drop = [](const Piece& piece) { return piece.end - piece.begin > 600; };
  leg.offer(10000);
  leg.run(350ms);
  REQUIRE(leg.controller->timeouts.size() == 1);
  CHECK(leg.sender->head_segment() == 1000);
  leg.sender->set_mss(600, leg.now);
  CHECK(leg.sender->controller().cwnd() == 10000);
  leg.flush();
  leg.run(2s);
  CHECK(leg.next == 10000);
  CHECK(leg.controller->undone == 1);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
