#include "stack/tcp/scoreboard.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <vector>

namespace braid::tcp {
namespace {

using Fate = Scoreboard::Fate;

constexpr std::uint32_t kMss = 1000;

struct Board {
  Scoreboard s;

  void send(std::initializer_list<std::uint64_t> ends) {
    for (const std::uint64_t end : ends) s.append(end, kMss, at(end));
    s.validate();
  }
  // Records are sent at "their end in microseconds", so that a time names a record.
  static Instant at(std::uint64_t end) { return Instant(std::chrono::microseconds(end)); }

  Scoreboard::Delivery ack(std::uint64_t ack, std::vector<Interval> sack = {},
                           Duration min_rtt = 0ms, std::optional<Instant> before = {}) {
    const auto d = s.acknowledge({.ack = ack,
                                  .sack = sack,
                                  .now = Instant(1s),
                                  .min_rtt = min_rtt,
                                  .answers_before = before});
    s.validate();
    return d;
  }
  std::vector<Interval> ranges(Fate fate) const {
    std::vector<Interval> found;
    for (const auto& record : s.records()) {
      if (record.fate == fate) found.push_back({record.begin, record.end});
    }
    return found;
  }
};

using Ranges = std::vector<Interval>;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a cumulative ACK removes whole records and trims the one it cuts") {
  Board b;
  b.send({3000, 6000, 9000});
  const auto d = b.ack(4000);
  CHECK(d.newly_acked == 4000);
  CHECK(d.newly_delivered == 4000);
  CHECK(d.newly_sacked == 0);
  CHECK(b.s.una() == 4000);
  CHECK(b.s.in_flight() == 5000);
  CHECK(b.ranges(Fate::kInFlight) == Ranges{{4000, 6000}, {6000, 9000}});
  CHECK(d.acked_sent_at == Board::at(3000));
  CHECK(d.newest->sent_at == Board::at(6000));
}

TEST_CASE("a SACK block cuts a super-segment into what arrived and what did not") {
  Board b;
  b.send({10000});
  const auto d = b.ack(2000, {{4000, 7000}});
  CHECK(d.newly_acked == 2000);
  CHECK(d.newly_sacked == 3000);
  CHECK(d.newly_delivered == 5000);
  CHECK(b.ranges(Fate::kInFlight) == Ranges{{2000, 4000}, {7000, 10000}});
  CHECK(b.ranges(Fate::kSacked) == Ranges{{4000, 7000}});
  CHECK(b.s.in_flight() == 5000);
  CHECK(b.s.sacked() == 3000);
}

TEST_CASE("SACKed neighbours are joined, and a repeated block delivers nothing new") {
  Board b;
  b.send({1000, 2000, 3000, 4000, 5000});
  b.ack(0, {{1000, 2000}});
  b.ack(0, {{3000, 4000}, {1000, 2000}});
  CHECK(b.ranges(Fate::kSacked) == Ranges{{1000, 2000}, {3000, 4000}});
  const auto d = b.ack(0, {{1000, 4000}});
  CHECK(d.newly_delivered == 1000);
  CHECK(b.ranges(Fate::kSacked) == Ranges{{1000, 4000}});
  CHECK(b.ack(0, {{1000, 4000}}).newly_delivered == 0);
  CHECK(b.s.record_count() == 3);
}

TEST_CASE("what was SACKed is not delivered again when the ACK passes it") {
  Board b;
  b.send({1000, 2000, 3000});
  b.ack(0, {{1000, 3000}});
  const auto d = b.ack(3000);
  CHECK(d.newly_acked == 3000);
  CHECK(d.newly_delivered == 1000);
  CHECK(b.s.empty());
  CHECK(b.s.sacked() == 0);
}

TEST_CASE("blocks below una, beyond nxt, empty or inverted change nothing") {
  Board b;
  b.send({1000, 2000, 3000});
  b.ack(1000);
  const auto d = b.ack(1000, {{0, 1000}, {2000, 3001}, {5000, 6000}, {2000, 2000}, {3000, 2000}});
  CHECK(d.newly_delivered == 0);
  CHECK(b.s.in_flight() == 2000);
}

TEST_CASE("a block that begins below una counts from una on") {
  Board b;
  b.send({1000, 2000, 3000});
  b.ack(1000);
  CHECK(b.ack(1000, {{500, 2000}}).newly_sacked == 1000);
}

TEST_CASE("lost ranges are offered lowest first and are in flight again once sent") {
  Board b;
  b.send({1000, 2000, 3000});
  b.s.mark_all_lost();
  CHECK(b.s.in_flight() == 0);
  CHECK(b.s.lost() == 3000);
  REQUIRE(b.s.lowest_lost() != nullptr);
  CHECK(b.s.lowest_lost()->begin == 0);
  b.s.retransmit(0, 400, kMss, Instant(1s));
  b.s.validate();
  CHECK(b.s.lowest_lost()->begin == 400);
  CHECK(b.s.in_flight() == 400);
  b.s.retransmit(400, 1000, kMss, Instant(1s));
  b.s.retransmit(1000, 2000, kMss, Instant(1s));
  b.s.retransmit(2000, 3000, kMss, Instant(1s));
  CHECK(b.s.lowest_lost() == nullptr);
  CHECK(b.s.in_flight() == 3000);
}

TEST_CASE("a loss below one already retransmitted is found again") {
  Board b;
  b.send({1000, 2000, 3000});
  b.s.mark_all_lost();
  b.s.retransmit(0, 1000, kMss, Instant(1s));
  b.s.retransmit(1000, 2000, kMss, Instant(1s));
  REQUIRE(b.s.lowest_lost()->begin == 2000);
  b.s.mark_lost(*b.s.oldest_in_flight());
  b.s.validate();
  CHECK(b.s.lowest_lost()->begin == 0);
}

TEST_CASE("the oldest in flight is by transmission, not by position") {
  Board b;
  b.send({1000, 2000, 3000});
  b.s.retransmit(0, 1000, kMss, Instant(1s));
  CHECK(b.s.oldest_in_flight()->begin == 1000);
  b.ack(0, {{1000, 3000}});
  CHECK(b.s.oldest_in_flight()->begin == 0);
}

TEST_CASE("the middle of a record can be sent again on its own") {
  Board b;
  b.send({9000});
  b.s.retransmit(3000, 5000, kMss, Instant(1s));
  b.s.validate();
  const auto records = b.s.records();
  REQUIRE(records.size() == 3);
  CHECK_FALSE(records[0].retransmitted);
  CHECK(records[1].retransmitted);
  CHECK_FALSE(records[2].retransmitted);
  CHECK(b.s.in_flight() == 9000);
}

TEST_CASE("an ACK over a retransmission gives no RTT sample (Karn)") {
  Board b;
  b.send({1000, 2000});
  b.s.mark_all_lost();
  b.s.retransmit(0, 1000, kMss, Instant(500ms));
  const auto d = b.ack(2000);
  CHECK_FALSE(d.acked_sent_at.has_value());
}

TEST_CASE("a retransmission acknowledged too soon is not what was delivered last") {
  Board b;
  b.send({1000, 2000});
  b.s.retransmit(0, 1000, kMss, Instant(990ms));
  SUBCASE("its RTT would be below the minimum") {
    CHECK_FALSE(b.ack(1000, {}, 20ms).newest.has_value());
  }
  SUBCASE("the ACK answers something sent before it") {
    CHECK_FALSE(b.ack(1000, {}, 1ms, Instant(990ms)).newest.has_value());
  }
  SUBCASE("neither") {
    const auto d = b.ack(1000, {}, 10ms, Instant(991ms));
    REQUIRE(d.newest.has_value());
    CHECK(d.newest->retransmitted);
    CHECK(d.newest->sent_at == Instant(990ms));
  }
}

TEST_CASE("delivery below something delivered before is reordering, unless it was sent again") {
  Board b;
  b.send({1000, 2000, 3000});
  CHECK_FALSE(b.ack(0, {{2000, 3000}}).reordered);
  SUBCASE("an original") { CHECK(b.ack(0, {{1000, 2000}, {2000, 3000}}).reordered); }
  SUBCASE("a retransmission") {
    b.s.retransmit(1000, 2000, kMss, Instant(1ms));
    CHECK_FALSE(b.ack(0, {{1000, 2000}, {2000, 3000}}).reordered);
  }
  SUBCASE("one ACK for all of it, in order") {
    Board c;
    c.send({1000, 2000, 3000});
    CHECK_FALSE(c.ack(1000, {{2000, 3000}}).reordered);
  }
}

TEST_CASE("an undone judgement puts what was lost back in flight, in its old order") {
  Board b;
  b.send({1000, 2000, 3000, 4000});
  b.s.mark_lost(*b.s.oldest_in_flight());
  b.s.mark_lost(*b.s.oldest_in_flight());
  b.s.retransmit(0, 1000, kMss, Instant(1s));
  b.s.unmark_lost();
  b.s.validate();
  CHECK(b.s.lost() == 0);
  CHECK(b.s.in_flight() == 4000);
  CHECK(b.s.oldest_in_flight()->begin == 1000);
  CHECK(b.s.lowest_lost() == nullptr);
}

TEST_CASE("SACKs that are taken back become losses") {
  Board b;
  b.send({1000, 2000, 3000});
  b.ack(0, {{0, 1000}, {2000, 3000}});
  b.s.forget_sacks();
  b.s.validate();
  CHECK(b.s.sacked() == 0);
  CHECK(b.ranges(Fate::kLost) == Ranges{{0, 1000}, {2000, 3000}});
}

TEST_CASE("only what left in segments larger than the path takes is lost by a smaller MTU") {
  Board b;
  b.s.append(5000, 1400, Instant(1ms));
  b.s.append(6000, 1000, Instant(2ms));
  b.s.append(6500, 1400, Instant(3ms));  // a short segment: it fitted
  b.s.mark_larger_lost(1000);
  b.s.validate();
  CHECK(b.ranges(Fate::kLost) == Ranges{{0, 5000}});
}

TEST_CASE("without SACK the head alone is judged, and cut to a segment") {
  Board b;
  b.send({5000});
  b.s.mark_head_lost(kMss);
  b.s.validate();
  CHECK(b.ranges(Fate::kLost) == Ranges{{0, 1000}});
  b.s.mark_head_lost(kMss);  // it is lost already
  CHECK(b.s.lost() == 1000);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
