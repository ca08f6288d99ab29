#include "gateway/path_health.h"

#include <doctest/doctest.h>

namespace braid::gateway {
namespace {

constexpr Instant at(Duration d) { return Instant(d); }

TEST_SUITE_BEGIN("gateway");
TEST_CASE("a path never heard of is neither alive nor dead") {
  const PathHealth health;
  CHECK(!health.heard_since(at(0s)));
  CHECK(!health.is_dead(at(0s)));
  CHECK(health.patience(at(0s)) == 100ms);
}

TEST_CASE("patience is twice the round trip, and at least 100 ms") {
  PathHealth health;
  health.measured(30ms, at(0s));
  CHECK(health.patience(at(0s)) == 100ms);
  health.measured(300ms, at(0s));
  CHECK(health.patience(at(0s)) == 600ms);
  CHECK(health.verdict_after(at(0s)) == 900ms);
}

TEST_CASE("MPTCP found blocked is tried again after a minute, then ever later, until it passes") {
  PathHealth health;
  CHECK(!health.blocks_capable(at(0s)));
  health.found_capable_blocked(at(0s));
  CHECK(health.blocks_capable(at(59s)));
  CHECK(!health.blocks_capable(at(60s)));
  CHECK(!health.is_dead(at(1s)));
  health.found_capable_blocked(at(60s));
  CHECK(health.blocks_capable(at(179s)));
  CHECK(!health.blocks_capable(at(180s)));
  for (int i = 0; i < 20; ++i) health.found_capable_blocked(at(1000s));
  CHECK(health.blocks_capable(at(4599s)));
  CHECK(!health.blocks_capable(at(4600s)));
  health.capable_passed();
  CHECK(!health.blocks_capable(at(1001s)));
  health.found_capable_blocked(at(2000s));
  CHECK(!health.blocks_capable(at(2060s)));
  health.found_capable_blocked(at(2060s));
  health.forget();
  CHECK(!health.blocks_capable(at(2061s)));
}

TEST_CASE("each unanswered Info request in a row doubles the quarantine, up to a minute") {
  PathHealth health;
  health.probe_failed(at(0s));
  CHECK(health.dead_until() == at(1s));
  CHECK(health.is_dead(at(999ms)));
  CHECK(!health.is_dead(at(1s)));
  health.probe_failed(at(1s));
  CHECK(health.dead_until() == at(3s));
  for (int i = 0; i < 20; ++i) health.probe_failed(at(10s));
  CHECK(health.dead_until() == at(70s));
}

TEST_CASE(
    "a path that failed is doubtful until it answers, and is asked again after its quarantine") {
  PathHealth health;
  CHECK(!health.is_doubtful());
  CHECK(health.next_question(at(0s)) <= at(0s));
  health.probe_failed(at(0s));
  CHECK(!health.is_dead(at(30s)));
  CHECK(health.is_doubtful());
  CHECK(health.next_question(at(0s)) == at(1s));
  health.asked(at(38s));
  health.heard(at(39s));
  CHECK(health.next_question(at(0s)) == at(38s) + PathHealth::kIdle);
  CHECK(!health.is_dead(at(39s)));
  CHECK(health.is_doubtful());  // a join's answer says nothing about SYNs with payload
  CHECK(!health.proven_since(at(39s)));
  health.found_deaf(at(39s));
  CHECK(health.next_question(at(0s)) == at(40s));
  health.asked(at(40s));  // and refused: neither an answer nor a failure
  CHECK(health.next_question(at(0s)) == at(40s) + PathHealth::kIdle);
  health.answered(at(40s));
  CHECK(!health.is_doubtful());
  CHECK(health.next_question(at(0s)) == at(40s) + PathHealth::kIdle);
}

TEST_CASE("only an answered Convert message proves that a path is not deaf") {
  PathHealth health;
  health.heard(at(10s));
  CHECK(!health.proven_since(at(10s)));
  health.found_deaf(at(10s));
  CHECK(health.is_deaf(at(10s)));
  CHECK(!health.is_dead(at(10s)));
  health.heard(at(10500ms));
  CHECK(health.is_deaf(at(10500ms)));
  health.found_deaf(at(11s));
  CHECK(health.deaf_until() == at(13s));
  health.answered(at(12s));
  CHECK(health.hears(at(12s)));
  CHECK(health.proven_since(at(12s)));
  CHECK(!health.proven_since(at(12001ms)));  // nothing came in since
  health.heard(at(30s));
  CHECK(!health.proven_since(at(30s)));  // the answer is too long ago
  health.found_deaf(at(30s));
  CHECK(health.deaf_until() == at(31s));  // a first failure again
}

TEST_CASE(
    "each unanswered question is given twice the time, so that a slow path is measured at last") {
  PathHealth health;
  CHECK(health.verdict_after(at(0s)) == 200ms);
  health.probe_failed(at(0s));
  health.heard(at(286ms));  // the answer, late: it does not make the path any quicker
  CHECK(health.verdict_after(at(0s)) == 400ms);
  health.found_deaf(at(1s));
  CHECK(health.verdict_after(at(0s)) == 800ms);
  for (int i = 0; i < 10; ++i) health.probe_failed(at(2s));
  CHECK(health.verdict_after(at(0s)) == 800ms);
  health.answered(at(3s));
  CHECK(health.verdict_after(at(0s)) == 200ms);
}

TEST_CASE("a suspected path is asked, unless it was heard or asked since") {
  PathHealth health;
  health.heard(at(10s));
  health.suspected(at(9s), at(11s));
  CHECK(!health.is_suspect());  // another connection has heard of it
  health.suspected(at(10s), at(11s));
  CHECK(health.is_suspect());
  CHECK(health.next_question(at(11s)) <= at(11s));
  health.asked(at(11s));
  CHECK(!health.is_suspect());
  health.suspected(at(10s), at(11100ms));
  CHECK(!health.is_suspect());  // the question is under way
  health.suspected(at(10s), at(12s));
  CHECK(health.is_suspect());
  health.heard(at(12s));
  CHECK(!health.is_suspect());
}

TEST_CASE("a lost path stays so until it is heard, and is asked all the time while it is missed") {
  PathHealth health;
  health.probe_failed(at(5s));
  CHECK(!health.is_lost());  // no connection misses anything: it may be deaf
  health.answered(at(6s));
  CHECK(health.revivals() == 1);
  health.suspected(at(6s), at(10s));
  health.asked(at(10s));
  health.probe_failed(at(10200ms));
  CHECK(health.is_lost());
  CHECK(health.next_question(at(10200ms)) == at(11200ms));  // its quarantine
  health.missed(at(10300ms));
  CHECK(health.next_question(at(10300ms)) == at(10s) + PathHealth::kEager);
  for (int i = 0; i < 9; ++i) health.probe_failed(at(11s));
  health.asked(at(30s));
  CHECK(health.next_question(at(30s)) > at(60s));  // nobody has missed it for long
  CHECK(health.is_lost());
  health.heard(at(90s));
  CHECK(!health.is_lost());
  CHECK(health.revivals() == 2);
}

TEST_CASE("a subflow's round trip stands for the path's while it is fresh, then its least") {
  PathHealth health;
  CHECK(health.rtt(at(0s)) == 0s);
  tcp::Connection::PathInfo info;
  info.srtt = 120ms;
  info.min_rtt = 20ms;
  info.last_received = at(10s);
  health.learnt(info, at(10s));
  CHECK(health.rtt(at(10500ms)) == 120ms);
  CHECK(health.rtt(at(12s)) == 20ms);
  // An older view of it changes nothing, a newer one does.
  info.srtt = 500ms;
  info.last_received = at(9s);
  health.learnt(info, at(12s));
  CHECK(health.rtt(at(10500ms)) == 120ms);
  health.measured(25ms, at(20s));
  CHECK(health.rtt(at(20s)) == 25ms);
  CHECK(health.rtt(at(30s)) == 20ms);
}

TEST_CASE("a larger least round trip is a queue's, until the smaller one is five minutes old") {
  PathHealth health;
  health.measured(20ms, at(1s));
  tcp::Connection::PathInfo info;
  info.srtt = info.min_rtt = 260ms;
  info.last_received = at(100s);
  health.learnt(info, at(100s));
  CHECK(health.rtt(at(100s)) == 260ms);
  CHECK(health.rtt(at(110s)) == 20ms);
  info.last_received = at(400s);
  health.learnt(info, at(400s));
  CHECK(health.rtt(at(410s)) == 260ms);
}

TEST_CASE("anything heard ends the quarantine and forgets the failures") {
  PathHealth health;
  health.probe_failed(at(0s));
  health.probe_failed(at(0s));
  health.heard(at(500ms));
  CHECK(!health.is_dead(at(500ms)));
  CHECK(health.heard_since(at(500ms)));
  CHECK(!health.heard_since(at(501ms)));
  health.probe_failed(at(1s));
  CHECK(health.dead_until() == at(2s));
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
