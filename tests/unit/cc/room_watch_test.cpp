#include "stack/cc/room_watch.h"

#include <doctest/doctest.h>

namespace braid::cc {
namespace {

constexpr Duration kPath = 200ms;

enum class Window : std::uint8_t { kUsed, kIdle };

// One round trip of four ACKs, and the first of the next; whether there is room then.
bool round(RoomWatch& watch, Duration rtt, Window window = Window::kUsed) {
  for (int i = 0; i < 4; ++i) {
    watch.on_ack({.newly_delivered = 1000,
                  .min_rtt = kPath,
                  .latest_rtt = rtt,
                  .round_ended = i == 0,
                  .cwnd_limited = window == Window::kUsed});
  }
  RoomWatch next = watch;
  next.on_ack({.newly_delivered = 1000, .min_rtt = kPath, .round_ended = true});
  return next.has_room();
}

TEST_SUITE_BEGIN("cc");

TEST_CASE("two rounds without a queue, and there is room, until there is a queue") {
  RoomWatch watch;
  CHECK_FALSE(round(watch, kPath));
  CHECK(round(watch, kPath + 3ms));  // a 64th of the path's is none
  CHECK(round(watch, kPath));
  CHECK_FALSE(round(watch, kPath + 4ms));
  CHECK_FALSE(round(watch, kPath));
  CHECK(round(watch, kPath));
  watch.forget();
  CHECK_FALSE(round(watch, kPath));
}

TEST_CASE("where the window was not used, or nothing measured, an empty queue says nothing") {
  RoomWatch watch;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(round(watch, kPath, Window::kIdle));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(round(watch, 0ms));
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
