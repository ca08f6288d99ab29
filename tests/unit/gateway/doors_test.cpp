#include "gateway/doors.h"

#include <doctest/doctest.h>

#include "tests/unit/gateway/fake_door.h"

namespace braid::gateway {
namespace {

const wire::Segment kSegment{.source = {*wire::IpAddress::parse("192.0.2.1"), 1000},
                             .destination = {*wire::IpAddress::parse("192.0.2.2"), 80},
                             .flags = {.syn = true}};

TEST_SUITE_BEGIN("gateway");
TEST_CASE("a segment leaves by the door of its interface, and is counted there") {
  FakeDoor one, two;
  Doors doors;
  doors.set(1, &one);
  doors.set(2, &two);
  doors.send(2, kSegment);
  CHECK(one.packets.empty());
  REQUIRE(two.packets.size() == 1);
  CHECK(doors.counters(2).packets == 1);
  CHECK(doors.counters(2).bytes == two.packets[0].size());
  CHECK(doors.counters(1).packets == 0);
}

TEST_CASE("IPv4 packets bear identifications that differ") {
  FakeDoor door;
  Doors doors;
  doors.set(0, &door);
  doors.send(0, kSegment);
  doors.send(0, kSegment);
  REQUIRE(door.packets.size() == 2);
  const auto identification = [](const auto& packet) { return load_be16(&packet[4]); };
  CHECK(identification(door.packets[0]) != identification(door.packets[1]));
}

TEST_CASE("what a device refuses, or a device that is gone, is a local loss") {
  FakeDoor door;
  Doors doors;
  doors.set(1, &door);
  door.answer = Door::Sent::kLost;
  doors.send(1, kSegment);
  door.answer = Door::Sent::kBusy;
  doors.send(1, kSegment);
  CHECK(doors.counters(1).lost == 2);
  doors.set(1, nullptr);
  doors.send(1, kSegment);
  CHECK(doors.counters(1).lost == 3);
  CHECK(doors.counters(1).packets == 0);
}

TEST_CASE("a busy device is not ready; none at all is, so that its senders' time runs out") {
  FakeDoor door;
  Doors doors;
  doors.set(1, &door);
  CHECK(doors.ready(1));
  door.is_ready = false;
  CHECK(!doors.ready(1));
  doors.set(1, nullptr);
  CHECK(doors.ready(1));
  CHECK(doors.ready(7));
  CHECK(doors.get(7) == nullptr);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
