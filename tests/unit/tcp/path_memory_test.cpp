#include "stack/tcp/path_memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace braid::tcp {
namespace {

const wire::IpAddress kPeer = *wire::IpAddress::parse("203.0.113.5");
const Instant kStart{1000s};

wire::IpAddress host(std::size_t number) {
  return *wire::IpAddress::parse("10." + std::to_string(number >> 16 & 255) + "." +
                                 std::to_string(number >> 8 & 255) + "." +
                                 std::to_string(number & 255));
}

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a new record knows nothing, and nothing measured is no news") {
  PathRecord record;
  record.note_rtt(0s, kStart);
  CHECK(record.min_rtt(kStart) == 0s);
  CHECK(record.mtu(kStart) == 0);
  CHECK_FALSE(record.knows_anything(kStart));
}

TEST_CASE("the least round trip stays while it is fresh; then a longer one is believed") {
  PathRecord record;
  record.note_rtt(20ms, kStart);
  record.note_rtt(90ms, kStart + 599s);
  CHECK(record.min_rtt(kStart + 599s) == 20ms);
  CHECK(record.min_rtt(kStart + 601s) == 0s);
  record.note_rtt(90ms, kStart + 601s);
  CHECK(record.min_rtt(kStart + 601s) == 90ms);
  record.note_rtt(30ms, kStart + 602s);
  CHECK(record.min_rtt(kStart + 602s) == 30ms);
}

TEST_CASE("an MTU is believed for ten minutes, and what was found last") {
  PathRecord record;
  record.note_mtu(1280, kStart);
  record.note_mtu(1400, kStart + 10s);
  CHECK(record.mtu(kStart + 609s) == 1400);
  CHECK(record.mtu(kStart + 611s) == 0);
}

TEST_CASE("a path is an interface and a host, and has one record while it is not forgotten") {
  PathMemory memory;
  const auto record = memory.of(1, kPeer, kStart);
  record->note_mtu(1400, kStart);
  CHECK(memory.of(1, kPeer, kStart) == record);
  CHECK(memory.of(2, kPeer, kStart) != record);
  CHECK(memory.of(1, host(7), kStart) != record);
  memory.forget(1);
  CHECK(memory.of(1, kPeer, kStart)->mtu(kStart) == 0);
  CHECK(memory.size() == 2);
}

TEST_CASE(
    "records nobody uses do not pile up; those in use and, first, those that know something stay") {
  PathMemory memory;
  std::vector<std::shared_ptr<PathRecord>> used;
  for (std::size_t i = 0; i < 100; ++i) used.push_back(memory.of(1, host(i), kStart));
  for (std::size_t i = 100; i < 200; ++i) memory.of(1, host(i), kStart)->note_rtt(20ms, kStart);
  for (std::size_t i = 1000; memory.size() < PathMemory::kSpare; ++i) memory.of(1, host(i), kStart);
  memory.of(1, kPeer, kStart);
  CHECK(memory.size() == 201);
  for (std::size_t i = 0; i < 100; ++i) CHECK(memory.of(1, host(i), kStart) == used[i]);
  // Neither a crowd in use nor a crowd that is remembered makes it grow without end.
  std::size_t most = 0;
  for (std::size_t i = 1000; i < 40'000; ++i) {
    memory.of(1, host(i), kStart)->note_rtt(20ms, kStart);
    most = std::max(most, memory.size());
  }
  CHECK(most <= 3 * PathMemory::kSpare);
  CHECK(memory.of(1, host(50), kStart) == used[50]);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
