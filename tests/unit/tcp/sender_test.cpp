// What leaves and when, with an orderly path: windows, segment cutting, FIN, pacing, persist.
#include "stack/tcp/sender.h"

#include <doctest/doctest.h>

#include "tests/unit/tcp/sender_harness.h"

namespace braid::tcp {
namespace {

using Kind = Sender::Kind;
using Outcome = Sender::TimerOutcome;
constexpr std::uint32_t kMss = Leg::kMss;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("nothing leaves and nothing is budgeted before the handshake is done") {
  Leg leg(Leg::Options{});
  leg.sender->set_end(5000, false);
  CHECK_FALSE(leg.sender->plan(leg.now).has_value());
  CHECK(leg.sender->budget(leg.now) == 0);
  CHECK(leg.sender->next_deadline() == kNever);
}

TEST_CASE("one plan covers many segments, up to the congestion window") {
  Leg leg({.cwnd = 10000});
  leg.start();
  leg.sender->set_end(100000, false);
  const auto plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->position == 0);
  CHECK(plan->max_length == 10000);
  CHECK(plan->kind == Kind::kNew);
  CHECK_FALSE(plan->fin);
  leg.sender->sent(*plan, plan->max_length, false, leg.now);
  CHECK_FALSE(leg.sender->plan(leg.now).has_value());
  CHECK(leg.sender->in_flight() == 10000);
  CHECK(leg.sender->snd_nxt() == 10000);
}

TEST_CASE("a plan is cut to full segments of a super-segment, the tail leaves as it is") {
  Leg leg({.cwnd = 100000, .max_super = 4500});
  leg.start();
  leg.sender->set_end(6300, false);
  auto plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->max_length == 4000);
  leg.sender->sent(*plan, 4000, false, leg.now);
  plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->max_length == 2300);
}

TEST_CASE("a max_super_payload of nothing means plain segments") {
  Leg leg({.max_super = 0});
  leg.start();
  leg.sender->set_end(5000, false);
  CHECK(leg.sender->plan(leg.now)->max_length == kMss);
}

TEST_CASE("a user who answers with less is asked for the rest") {
  Leg leg(Leg::Options{});
  leg.start();
  leg.sender->set_end(5000, false);
  leg.sender->sent(*leg.sender->plan(leg.now), 700, false, leg.now);
  const auto plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->position == 700);
  CHECK(plan->max_length == 4300);
}

TEST_CASE("less than a segment of congestion window waits while something is in flight") {
  Leg leg({.cwnd = 2500});
  leg.start();
  leg.offer(10000);
  CHECK(leg.sender->snd_nxt() == 2000);
  leg.run(25ms);
  CHECK(leg.sender->snd_una() == 2000);
  CHECK(leg.sender->snd_nxt() == 4000);
}

TEST_CASE("the FIN rides on the last byte, and alone when the bytes are gone already") {
  Leg leg(Leg::Options{});
  leg.start();
  SUBCASE("with the bytes") {
    leg.offer(1500, true);
    CHECK(leg.pieces() ==
          std::vector<Leg::Piece>{{0, 1000, 1, Kind::kNew}, {1000, 1501, 1, Kind::kNew}});
  }
  SUBCASE("later") {
    leg.offer(1500, false);
    leg.offer(1500, true);
    CHECK(leg.pieces().back() == Leg::Piece{1500, 1501, 1, Kind::kNew});
  }
  CHECK(leg.sender->fin_sent());
  CHECK_FALSE(leg.sender->fin_acked());
  leg.run(1s);
  CHECK(leg.sender->fin_acked());
  CHECK(leg.fin_acked);
  CHECK(leg.sender->next_deadline() == kNever);
}

TEST_CASE("a FIN the window has no room for does not hold back the bytes before it") {
  Leg leg({.window = 1500});
  leg.start();
  leg.offer(1500, true);
  CHECK(leg.sender->snd_nxt() == 1500);
  leg.run(1s);
  CHECK(leg.sender->fin_acked());
}

TEST_CASE("a user who gives less than the plan sends no FIN with it") {
  Leg leg(Leg::Options{});
  leg.start();
  leg.sender->set_end(1500, true);
  leg.sender->sent(*leg.sender->plan(leg.now), 1000, false, leg.now);
  const auto plan = leg.sender->plan(leg.now);
  CHECK(plan->max_length == 500);
  CHECK(plan->fin);
}

TEST_CASE("budget is what both windows leave beyond what is queued") {
  Leg leg({.cwnd = 20000, .window = 15000});
  leg.start();
  CHECK(leg.sender->budget(leg.now) == 15000);
  leg.sender->set_end(4000, false);
  CHECK(leg.sender->budget(leg.now) == 11000);
  leg.flush();
  CHECK(leg.sender->budget(leg.now) == 11000);
  leg.offer(50000);
  CHECK(leg.sender->budget(leg.now) == 0);
}

TEST_CASE("an ACK that opens room says so, one that opens none does not") {
  Leg leg({.cwnd = 4000});
  leg.start();
  leg.offer(4000);
  const auto ack = [&](std::uint64_t position) {
    return leg.sender->receive_ack(
        {.ack = position, .window = 1 << 20, .window_update_allowed = true}, leg.now);
  };
  const auto opened = ack(2000);
  CHECK(opened.newly_acked == 2000);
  CHECK(opened.budget_grew);
  CHECK_FALSE(ack(2000).budget_grew);
}

TEST_CASE("a SYN payload the peer left behind is sent again at once") {
  Leg leg(Leg::Options{});
  leg.sender->start(0, 600, 60000, {}, leg.now);
  leg.sender->set_end(2000, false);
  auto plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->position == 0);
  CHECK(plan->max_length == 600);
  CHECK(plan->kind == Kind::kRetransmission);
  leg.sender->sent(*plan, 600, false, leg.now);
  plan = leg.sender->plan(leg.now);
  CHECK(plan->position == 600);
  CHECK(plan->kind == Kind::kNew);
  CHECK(leg.controller->events.empty());
}

TEST_CASE("a SYN payload that was taken is not sent again") {
  Leg leg(Leg::Options{});
  leg.sender->start(600, 600, 60000, {}, leg.now);
  CHECK(leg.sender->next_deadline() == kNever);
  leg.sender->set_end(700, false);
  CHECK(leg.sender->plan(leg.now)->position == 600);
}

TEST_CASE("a small window is not filled with a small segment while more will open") {
  Leg leg({.window = 10000});
  leg.start();
  leg.offer(5600);
  leg.window = 10000;
  leg.run(100ms);
  // Acknowledged to 5600; now the peer offers 300 bytes of its 10000.
  leg.set_window(300);
  leg.run(100ms);
  leg.offer(9000);
  CHECK(leg.sender->snd_nxt() == 5600);
  SUBCASE("the override timer ends the wait") {
    leg.run(600ms);
    CHECK(leg.sender->snd_nxt() > 5600);
    CHECK(leg.sender->snd_una() >= 5900);
  }
  SUBCASE("half of the largest window ever seen is worth it") {
    leg.set_window(999);
    leg.run(50ms);
    CHECK(leg.sender->snd_nxt() == 5600);
    leg.set_window(5000);
    leg.run(15ms);
    CHECK(leg.sender->snd_nxt() == 9000);
  }
}

TEST_CASE("a peer whose window is always small gets small segments") {
  Leg leg({.window = 300});
  leg.start();
  leg.offer(900);
  CHECK(leg.sender->snd_nxt() == 300);
  leg.run(100ms);
  CHECK(leg.sender->snd_una() == 900);
}

TEST_CASE("a window that shrinks below what is in flight stops sending and breaks nothing") {
  Leg leg({.cwnd = 50000, .window = 10000});
  leg.start();
  leg.offer(40000);
  CHECK(leg.sender->snd_nxt() == 10000);
  leg.sender->receive_ack({.ack = 2000, .window = 3000, .window_update_allowed = true}, leg.now);
  leg.flush();
  CHECK(leg.sender->snd_nxt() == 10000);
  CHECK(leg.sender->budget(leg.now) == 0);
  CHECK(leg.sender->next_deadline() != kNever);
}

TEST_CASE("a closed window is probed with one byte, ever more rarely, for as long as ACKs come") {
  Leg leg({.window = 2000});
  leg.start();
  leg.offer(2000);
  leg.run(5ms);
  leg.window = 0;
  leg.run(50ms);
  REQUIRE(leg.sender->snd_una() == 2000);
  leg.offer(10000);
  CHECK(leg.sender->snd_nxt() == 2000);
  leg.run(20min);
  CHECK_FALSE(leg.gave_up);
  const std::size_t probes = leg.count(Kind::kWindowProbe);
  CHECK(probes >= 20 + 8 - 3);  // about one a minute after the first nine
  CHECK(probes <= 30);
  for (const auto& [at, piece] : leg.log) {
    if (piece.kind == Kind::kWindowProbe) CHECK((piece.begin == 2000 && piece.end == 2001));
  }
  leg.set_window(60000);
  leg.run(100ms);
  CHECK(leg.sender->snd_una() == 10000);
  CHECK(leg.controller->timeouts.empty());
  CHECK(leg.controller->events.empty());
}

TEST_CASE("probes nobody answers end the connection") {
  Leg leg({.window = 2000});
  leg.start();
  leg.offer(2000);
  leg.run(5ms);
  leg.window = 0;
  leg.run(50ms);
  leg.offer(10000);
  leg.mute = true;
  leg.run(1h);
  CHECK(leg.gave_up);
}

TEST_CASE("a probe the peer accepts counts as sent") {
  Leg leg({.window = 2000});
  leg.start();
  leg.offer(2000);
  leg.run(5ms);
  leg.window = 0;
  leg.run(50ms);
  leg.offer(3000);
  leg.promised = 2001;  // room for the probe alone, but nobody said so
  leg.run(400ms);
  CHECK(leg.sender->snd_una() > 2000);
}

TEST_CASE("a lone FIN probes a closed window itself") {
  Leg leg({.window = 2000});
  leg.start();
  leg.offer(2000);
  leg.run(5ms);
  leg.window = 0;
  leg.run(50ms);
  leg.offer(2000, true);
  leg.run(1s);
  CHECK(leg.count(Kind::kWindowProbe) >= 1);
  CHECK(leg.pieces().back() == Leg::Piece{2000, 2001, leg.attempts[2000], Kind::kWindowProbe});
}

TEST_CASE("pacing spreads a window over its round trip, and names the next moment") {
  Leg leg({.cwnd = 100000});
  leg.controller->rate = Rate::bytes_per_second(1'000'000);  // 1000 bytes a millisecond
  leg.start();
  leg.offer(100000);
  // The initial window of ten segments leaves at once, then two bursts' worth of credit.
  CHECK(leg.sender->snd_nxt() >= 10000);
  CHECK(leg.sender->snd_nxt() <= 14000);
  CHECK(leg.sender->next_deadline() < leg.now + 5ms);
  const std::uint64_t at_start = leg.sender->snd_nxt();
  leg.run(9ms);
  CHECK(leg.sender->snd_nxt() - at_start >= 7000);
  CHECK(leg.sender->snd_nxt() - at_start <= 11000);
}

TEST_CASE("silence longer than a timeout is told to the controller, once") {
  Leg leg(Leg::Options{});
  leg.start();
  leg.offer(1000);
  leg.run(3s);
  leg.offer(2000);
  leg.offer(3000);
  REQUIRE(leg.controller->idles.size() == 1);
  CHECK(leg.controller->idles[0] == 3s);
}

TEST_CASE("only a window that was used is reported as the limit") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.offer(5000);
  leg.run(50ms);
  REQUIRE_FALSE(leg.controller->acks.empty());
  CHECK_FALSE(leg.controller->acks.back().cwnd_limited);
  leg.offer(200000);
  leg.run(50ms);
  CHECK(leg.controller->acks.back().cwnd_limited);
  CHECK(leg.controller->acks.back().srtt == 20ms);
  CHECK(leg.controller->acks.back().min_rtt == 20ms);
}

TEST_CASE("ECN echoes reduce once in a round trip, and ask for one CWR") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.offer(400000);
  CHECK_FALSE(leg.sender->take_cwr());
  leg.ecn_echo = true;
  leg.run(21ms);
  CHECK(leg.controller->events.size() == 1);
  CHECK(leg.controller->events[0].kind == cc::CongestionKind::kEcn);
  CHECK(leg.sender->take_cwr());
  CHECK_FALSE(leg.sender->take_cwr());
  leg.run(15ms);
  CHECK(leg.controller->events.size() == 1);
  leg.run(100ms);  // it is still echoed after our CWR arrived: one more per round trip
  CHECK(leg.controller->events.size() >= 3);
  CHECK(leg.controller->events.size() <= 7);
}

TEST_CASE("a smaller path MTU sends again what was too large, and blames nobody") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.drop = [](const Leg::Piece& piece) { return piece.end - piece.begin > 500; };
  leg.offer(4000);
  leg.sender->set_mss(500, leg.now);
  const auto plan = leg.sender->plan(leg.now);
  REQUIRE(plan.has_value());
  CHECK(plan->position == 0);
  CHECK(plan->kind == Kind::kRetransmission);
  CHECK(leg.controller->events.empty());
  CHECK(leg.sender->mss() == 500);
}

TEST_CASE("a changed option length cuts new data differently and sends nothing again") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.offer(4000);
  leg.sender->set_mss(900, leg.now, Sender::MssReason::kOptions);
  CHECK_FALSE(leg.sender->plan(leg.now).has_value());
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
