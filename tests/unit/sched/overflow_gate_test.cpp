#include "stack/sched/overflow_gate.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace braid::sched {
namespace {

using Load = OverflowGate::Load;

Rate mega(double n) { return Rate::bytes_per_second(static_cast<std::uint64_t>(n * 1e6)); }

// A cheap link of 10 and a dear one of 5 MB/s.
struct Gate {
  OverflowGate gate;
  std::vector<Load> links{{.cost = 1, .capacity = mega(10)}, {.cost = 7, .capacity = mega(5)}};
  Instant now{1s};

  Gate() { run(100ms); }
  // True when something changed meanwhile.
  bool run(Duration time) {
    bool changed = false;
    for (const Instant end = now + time; now < end;) {
      now += 100ms;
      changed |= gate.update(links, now);
    }
    return changed;
  }
  void carry(double cheap, double dear = 0) {
    links[0].rate = mega(cheap);
    links[1].rate = mega(dear);
  }
  std::string reserve() const {  // one letter per link
    std::string text;
    for (std::size_t i = 0; i < links.size(); ++i) text += gate.in_reserve(i) ? 'R' : '-';
    return text;
  }
};

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE(
    "overflow gate: the dear link is in reserve as long as the cheap one is within its share") {
  Gate g;
  CHECK(g.reserve() == "-R");
  g.carry(7.9);
  CHECK_FALSE(g.run(60s));
  CHECK(g.reserve() == "-R");
}

TEST_CASE("overflow gate: beyond the share the dear link opens, but not for a short peak") {
  Gate g;
  g.carry(8.1);
  g.run(400ms);
  CHECK(g.reserve() == "-R");
  SUBCASE("a peak") {
    g.carry(5);
    g.run(100ms);
    g.carry(8.1);
    g.run(400ms);
    CHECK(g.reserve() == "-R");
  }
  SUBCASE("what lasts") {
    CHECK(g.run(200ms));
    CHECK(g.reserve() == "--");
  }
}

TEST_CASE("overflow gate: it closes when the cheap link could carry all of it, for long enough") {
  Gate g;
  g.carry(9);
  g.run(1s);
  REQUIRE(g.reserve() == "--");
  // Together still beyond the cheap link's share: which of them carries it is nothing.
  g.carry(6, 3);
  g.run(60s);
  CHECK(g.reserve() == "--");
  g.carry(6, 1.5);
  g.run(9s);
  CHECK(g.reserve() == "--");
  SUBCASE("a lull that ends") {
    g.carry(8, 3);
    g.run(100ms);
    g.carry(6, 1.5);
    g.run(9s);
    CHECK(g.reserve() == "--");
  }
  SUBCASE("one that lasts") {
    CHECK(g.run(2s));
    CHECK(g.reserve() == "-R");
  }
}

TEST_CASE("overflow gate: share and times are what they were set to") {
  Gate g;
  g.gate.set({.share = 0.5, .open_after = 2s, .close_after = 1s});
  g.carry(5.1);
  g.run(1900ms);
  CHECK(g.reserve() == "-R");
  g.run(200ms);
  CHECK(g.reserve() == "--");
  g.carry(4.9);
  g.run(1100ms);
  CHECK(g.reserve() == "-R");
}

TEST_CASE("overflow gate: a cheap link of unknown capacity suffices, for it never was full") {
  Gate g;
  g.links[0].capacity = Rate();
  g.carry(50);
  g.run(5s);
  CHECK(g.reserve() == "-R");
}

TEST_CASE("overflow gate: when the cheap link is unusable the next one opens at once") {
  Gate g;
  g.links[0].usable = Load::Usable::kNo;
  g.run(100ms);
  CHECK_FALSE(g.gate.in_reserve(1));
  SUBCASE("and is in reserve again when the cheap one is back and suffices") {
    g.links[0].usable = Load::Usable::kYes;
    g.run(11s);
    CHECK(g.reserve() == "-R");
  }
}

TEST_CASE("overflow gate: tiers open one after the other, links of equal cost together") {
  Gate g;
  g.links = {{.cost = 1, .capacity = mega(4)},
             {.cost = 1, .capacity = mega(4)},
             {.cost = 2, .capacity = mega(4)},
             {.cost = 3, .capacity = mega(4)}};
  g.run(100ms);
  CHECK(g.reserve() == "--RR");
  g.links[0].rate = g.links[1].rate = mega(4);
  g.run(700ms);
  CHECK(g.reserve() == "---R");  // the third is not pressed yet
  g.run(5s);
  CHECK(g.reserve() == "---R");
  g.links[2].rate = mega(3);
  g.run(700ms);
  CHECK(g.reserve() == "----");
}

TEST_CASE("overflow gate: changed costs count from the next look on") {
  Gate g;
  g.links[1].cost = 0;
  g.run(11s);
  CHECK(g.reserve() == "R-");
}
TEST_SUITE_END();

}  // namespace braid::sched
