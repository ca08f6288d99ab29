#include "stack/tcp/path_mtu.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

using Change = PathMtu::Change;
using Source = PathMtu::Source;
using wire::Family;

constexpr Instant kStart{100s};

// A path that carries packets up to `limit`: probes until nothing is left to probe, small packets
// arriving all the while. Returns how many probes that took.
int search(PathMtu& path, std::uint32_t limit, Instant now) {
  int probes = 0;
  while (const std::uint32_t probe = path.next_probe(now)) {
    REQUIRE(++probes < 100);
    path.arrived(600);
    if (probe <= limit)
      path.probe_arrived(now);
    else
      path.probe_lost(now);
    path.validate();
  }
  return probes;
}

// The head is lost in full size, twice, and small packets pass then.
void suspect(PathMtu& path) {
  path.timed_out(path.size(), 1);
  path.timed_out(path.size(), 2);
  path.arrived(1000);
}

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a path is held to carry what its interface does until it shows otherwise") {
  PathMtu path(Family::kIpv4, 1500, 0);
  CHECK(path.size() == 1500);
  CHECK(path.believed() == 1500);
  CHECK(path.source() == Source::kInterface);
  CHECK(path.next_probe(kStart) == 0);
  CHECK(path.next_probe(kStart + 24h) == 0);
}

TEST_CASE(
    "a size that never arrived is suspected at the first timeout, a proven one at the second") {
  PathMtu fresh(Family::kIpv4, 1500, 0);
  CHECK(fresh.timed_out(1500, 1) == Change::kResized);
  CHECK(fresh.size() == 1200);
  CHECK(fresh.believed() == 1500);

  PathMtu proven(Family::kIpv4, 1500, 0);
  proven.arrived(1500);
  CHECK(proven.timed_out(1500, 1) == Change::kNone);
  CHECK(proven.size() == 1500);
  CHECK(proven.timed_out(1500, 2) == Change::kResized);
  CHECK(proven.size() == 1200);
}

TEST_CASE("a proven size is suspected at the first timeout when what arrived last was small") {
  PathMtu path(Family::kIpv4, 1500, 0);
  path.arrived(1500);
  path.arrived(400);
  CHECK(path.timed_out(1500, 1) == Change::kResized);
}

TEST_CASE("small packets that are lost accuse nothing") {
  PathMtu path(Family::kIpv4, 1500, 0);
  for (std::uint32_t i = 1; i < 10; ++i) CHECK(path.timed_out(1200, i) == Change::kNone);
  CHECK(path.size() == 1500);
}

TEST_CASE("in an outage nothing is probed, and nothing is concluded") {
  PathMtu path(Family::kIpv4, 1500, 0);
  for (std::uint32_t i = 1; i < 15; ++i) {
    path.timed_out(path.size(), i);
    path.validate();
    CHECK(path.next_probe(kStart) == 0);
    CHECK(path.believed() == 1500);
  }
  CHECK(path.size() == 576);  // smaller and smaller, for the path may be a very narrow one
  path.arrived(576);
  CHECK(path.next_probe(kStart) == 1500);
  CHECK(path.probe_arrived(kStart) == Change::kResized);
  CHECK(path.size() == 1500);
  CHECK(path.source() == Source::kInterface);
  CHECK(path.next_probe(kStart) == 0);
}

TEST_CASE("congestion that takes two probes of three changes nothing") {
  PathMtu path(Family::kIpv4, 1500, 0);
  suspect(path);
  CHECK(path.probe_lost(kStart) == Change::kNone);
  CHECK(path.probe_lost(kStart) == Change::kNone);
  CHECK(path.believed() == 1500);
  CHECK(path.probe_arrived(kStart) == Change::kResized);
  CHECK(path.size() == 1500);
}

TEST_CASE("a full packet from before the trial that arrives late ends it") {
  PathMtu path(Family::kIpv4, 1500, 0);
  suspect(path);
  CHECK(path.arrived(1500) == Change::kResized);
  CHECK(path.size() == 1500);
  CHECK(path.next_probe(kStart) == 0);
}

TEST_CASE("three probes lost while small packets pass: larger ones do not") {
  PathMtu path(Family::kIpv4, 1500, 0);
  suspect(path);
  path.probe_lost(kStart);
  path.probe_lost(kStart);
  CHECK(path.probe_lost(kStart) == Change::kFound);
  CHECK(path.believed() == 1200);
  CHECK(path.source() == Source::kProbing);
}

TEST_CASE("the search ends at the largest common size that passes") {
  for (const std::uint32_t limit : {1200U, 1300U, 1400U, 1430U, 1480U, 1492U, 1499U}) {
    CAPTURE(limit);
    PathMtu path(Family::kIpv4, 1500, 0);
    suspect(path);
    CHECK(search(path, limit, kStart) <= 15);
    CHECK(path.believed() <= limit);
    CHECK(path.believed() + 60 > limit);
    CHECK(path.source() == Source::kProbing);
  }
}

TEST_CASE("IPv6 goes no lower than 1280, IPv4 no lower than 576") {
  PathMtu six(Family::kIpv6, 1500, 0);
  PathMtu four(Family::kIpv4, 1500, 0);
  for (std::uint32_t i = 1; i < 15; ++i) {
    six.timed_out(six.size(), i);
    four.timed_out(four.size(), i);
  }
  CHECK(six.size() == 1280);
  CHECK(four.size() == 576);
  CHECK(six.told(500, kStart) == Change::kFound);
  CHECK(six.size() == 1280);
}

TEST_CASE("a head lost three times in the size held to pass goes on in a smaller one") {
  PathMtu path(Family::kIpv4, 1500, 0);
  suspect(path);
  REQUIRE(path.size() == 1200);
  SUBCASE("in a trial, though small packets pass") {
    CHECK(path.timed_out(1200, 2) == Change::kNone);
    CHECK(path.timed_out(1200, 3) == Change::kResized);
    CHECK(path.size() == 1006);
    CHECK(path.timed_out(1006, 4) == Change::kResized);
    CHECK(path.size() == 576);
    CHECK(path.timed_out(576, 5) == Change::kNone);
  }
  SUBCASE("after the verdict") {
    search(path, 1200, kStart);
    REQUIRE(path.size() == 1200);
    CHECK(path.timed_out(1200, 2) == Change::kNone);
    CHECK(path.timed_out(1200, 3) == Change::kResized);
    CHECK(path.size() == 1006);
  }
}

TEST_CASE("what was found is doubted after ten minutes, from the top") {
  PathMtu path(Family::kIpv4, 1500, 0);
  suspect(path);
  search(path, 1400, kStart);
  REQUIRE(path.believed() == 1400);
  CHECK(path.next_probe(kStart + 599s) == 0);
  SUBCASE("the route has changed") {
    CHECK(path.next_probe(kStart + 601s) == 1500);
    CHECK(path.probe_arrived(kStart + 601s) == Change::kResized);
    CHECK(path.believed() == 1500);
  }
  SUBCASE("it has not") {
    CHECK(search(path, 1400, kStart + 601s) > 0);
    CHECK(path.believed() == 1400);
    CHECK(path.next_probe(kStart + 1000s) == 0);
  }
}

TEST_CASE("a router's word counts at once, and is tried again after ten minutes") {
  PathMtu path(Family::kIpv4, 1500, 0);
  CHECK(path.told(1400, kStart) == Change::kFound);
  CHECK(path.size() == 1400);
  CHECK(path.source() == Source::kRouter);
  CHECK(path.told(1450, kStart) == Change::kNone);
  CHECK(path.next_probe(kStart + 601s) == 1500);
  SUBCASE("the same word about the probe ends the search") {
    CHECK(path.told(1400, kStart + 601s) == Change::kNone);
    CHECK(path.next_probe(kStart + 601s) == 0);
    CHECK(path.size() == 1400);
  }
  SUBCASE("another word about the probe is what is tried next") {
    path.told(1450, kStart + 601s);
    CHECK(path.next_probe(kStart + 601s) == 1450);
    path.probe_arrived(kStart + 601s);
    CHECK(path.size() == 1450);
  }
}

TEST_CASE("a router that does not say how much is taken to mean the next common size") {
  PathMtu path(Family::kIpv4, 1500, 0);
  CHECK(path.told(0, kStart) == Change::kFound);
  CHECK(path.size() == 1492);
}

TEST_CASE("what others have found is where a connection begins") {
  PathMtu path(Family::kIpv4, 1500, 1400);
  CHECK(path.size() == 1400);
  CHECK(path.source() == Source::kShared);
  CHECK(path.next_probe(kStart) == 0);
  CHECK(path.next_probe(kStart + 601s) == 1500);
  PathMtu larger(Family::kIpv4, 1500, 9000);
  CHECK(larger.size() == 1500);
}

TEST_CASE("nothing larger than the peer takes is tried") {
  PathMtu path(Family::kIpv4, 1500, 0);
  path.set_ceiling(1440);
  CHECK(path.size() == 1440);
  CHECK(path.next_probe(kStart + 24h) == 0);
  suspect(path);
  search(path, 1400, kStart);
  CHECK(path.believed() == 1400);
  CHECK(path.next_probe(kStart + 24h) == 1440);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
