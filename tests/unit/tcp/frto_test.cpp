#include "stack/tcp/frto.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;
using Verdict = Frto::Verdict;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("without a timeout nothing is asked") {
  Frto frto;
  CHECK(frto.on_ack({.una = 1000, .nxt = 9000, .advanced = true, .originals = 1000}, kMss) ==
        Verdict::kUnknown);
  CHECK_FALSE(frto.holds_retransmissions());
  CHECK(frto.quota() == 0);
}

TEST_CASE("the ACK of the head lets two new segments out and holds retransmissions back") {
  Frto frto;
  frto.begin();
  CHECK_FALSE(frto.holds_retransmissions());
  CHECK(frto.on_ack({.una = 1000, .nxt = 9000, .advanced = true, .sack = true}, kMss) ==
        Verdict::kUnknown);
  CHECK(frto.holds_retransmissions());
  CHECK(frto.quota() == 2000);
  frto.on_sent(1500);
  CHECK(frto.sent_any());
  CHECK(frto.quota() == 500);
}

TEST_CASE("what the second ACK means (RFC 5682 3.1 step 3)") {
  Frto frto;
  frto.begin();
  frto.on_ack({.una = 1000, .nxt = 9000, .advanced = true, .highest = 1000}, kMss);
  frto.on_sent(2000);
  Verdict expected = Verdict::kUnknown;
  Frto::Facts facts{.una = 1000, .nxt = 11000, .sack = true};
  SUBCASE("an original came by the cumulative ACK: nothing was lost") {
    facts.una = facts.highest = 2000;
    facts.advanced = true;
    facts.originals = 1000;
    expected = Verdict::kSpurious;
  }
  SUBCASE("an original came by SACK, beyond a true hole") {
    facts.highest = 5000;
    facts.originals = 1000;
    facts.duplicate = true;
    expected = Verdict::kSpurious;
  }
  SUBCASE("the new data came, the originals did not") {
    facts.highest = 10000;
    facts.originals = 1000;
    facts.duplicate = true;
    expected = Verdict::kGenuine;
  }
  SUBCASE("a duplicate that tells of nothing") {
    facts.duplicate = true;
    expected = Verdict::kGenuine;
  }
  SUBCASE("only what was sent twice") {
    facts.una = facts.highest = 2000;
    facts.advanced = true;
    expected = Verdict::kGenuine;
  }
  SUBCASE("a window update is no answer") {}
  CHECK(frto.on_ack(facts, kMss) == expected);
  CHECK(frto.holds_retransmissions() == (expected == Verdict::kUnknown));
}

TEST_CASE("an ACK of everything leaves nothing to ask") {
  Frto frto;
  frto.begin();
  CHECK(frto.on_ack({.una = 9000, .nxt = 9000, .advanced = true}, kMss) == Verdict::kGenuine);
  CHECK_FALSE(frto.holds_retransmissions());
}

TEST_CASE("before the head's ACK a duplicate decides only where there is no SACK (2.1 step 2a)") {
  for (const bool sack : {false, true}) {
    Frto frto;
    frto.begin();
    const Frto::Facts duplicate{.una = 0, .nxt = 9000, .duplicate = true, .sack = sack};
    CHECK(frto.on_ack(duplicate, kMss) == (sack ? Verdict::kUnknown : Verdict::kGenuine));
    frto.on_ack({.una = 1000, .nxt = 9000, .advanced = true, .sack = sack}, kMss);
    CHECK(frto.holds_retransmissions() == sack);
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
