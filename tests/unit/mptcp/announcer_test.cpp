#include "stack/mptcp/announcer.h"

#include <doctest/doctest.h>

namespace braid::mptcp {
namespace {

constexpr MptcpKey kLocal = 0x0706050403020100;
constexpr MptcpKey kRemote = 0x1716151413121110;
constexpr Duration kRto = 200ms;

struct Fixture {
  Announcer announcer;
  Instant now{};
  Fixture() { announcer.announce(5, *wire::IpAddress::parse("192.0.2.7"), 0); }
  std::size_t said() { return announcer.due(kLocal, kRemote, kRto, now).size(); }
};

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("an announcement is repeated until it is echoed, and not for ever") {
  Announcer announcer;
  announcer.announce(5, *wire::IpAddress::parse("192.0.2.7"), 0);
  const auto first = announcer.due(0x1716151413121110, 0x0706050403020100, 100ms, Instant());
  REQUIRE(first.size() == 1);
  // The vector of the checklist (proxy-discussion 1.4, 12).
  CHECK(first[0] == wire::AddAddr{.address_id = 5,
                                  .address = *wire::IpAddress::parse("192.0.2.7"),
                                  .truncated_hmac = 0x94b96ea1822b6f52});
  CHECK(announcer.next_deadline() == Instant() + 100ms);
  SUBCASE("echoed") {
    announcer.echoed(4);
    CHECK(announcer.next_deadline() == Instant() + 100ms);
    announcer.echoed(5);
    CHECK(announcer.next_deadline() == kNever);
  }
  SUBCASE("never echoed") {
    std::size_t sent = 1;
    while (announcer.next_deadline() != kNever) {
      sent += announcer.due(1, 2, 100ms, announcer.next_deadline()).size();
    }
    CHECK(sent == Announcer::kMaxRepeats + 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "what fell silent unheard is said again on a new subflow") {
  for (int i = 0; i < 10; ++i, now += 100s) said();
  announcer.start_over();
  CHECK(announcer.next_deadline() <= now);
  CHECK(said() == 1);
  CHECK(announcer.next_deadline() == now + kRto);
}

TEST_CASE_FIXTURE(Fixture, "an echo ends it, also for new subflows") {
  REQUIRE(said() == 1);
  announcer.echoed(5);
  announcer.start_over();
  CHECK(said() == 0);
  CHECK(announcer.next_deadline() == kNever);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::mptcp
