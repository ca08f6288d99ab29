#include "stack/tcp/receive_window.h"

#include <doctest/doctest.h>

#include "stack/base/random.h"

using namespace braid;
using namespace braid::tcp;

namespace {

constexpr auto kScaled = ReceiveWindow::Field::kScaled;
constexpr auto kUnscaled = ReceiveWindow::Field::kUnscaled;

}  // namespace

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a SYN's window is never scaled and never above 65535") {
  ReceiveWindow window(WindowScope::kStream, 8, 1460);
  CHECK(window.announce(0, 1'000'000, kUnscaled) == 65535);
  CHECK(window.edge() == 65535);
}

TEST_CASE("after the SYNs the field counts units of the scale") {
  ReceiveWindow window(WindowScope::kStream, 8, 1460);
  CHECK(window.announce(0, 256 * 100, kScaled) == 100);
  CHECK(window.edge() == 25600);
}

TEST_CASE("the promised edge stands when the room shrinks") {
  ReceiveWindow window(WindowScope::kStream, 0, 1000);
  CHECK(window.announce(0, 10'000, kScaled) == 10'000);
  CHECK(window.announce(4'000, 0, kScaled) == 6'000);
  CHECK(window.edge() == 10'000);
}

TEST_CASE("an edge the scale cannot express is rounded up, not taken back") {
  ReceiveWindow window(WindowScope::kStream, 8, 1460);
  window.announce(0, 2560, kScaled);
  CHECK(window.announce(1, 2559, kScaled) == 10);  // 2559 bytes would be 9 units and a bit
  CHECK(window.edge() == 2561);
}

TEST_CASE("rounding up does not creep: at most one unit is ever promised beyond the room") {
  ReceiveWindow window(WindowScope::kStream, 8, 1460);
  const std::uint64_t end = 25'600;  // the reader never takes a byte
  std::uint64_t position = 0;
  while (position < end) {
    window.announce(position, end - position, kScaled);
    CHECK(window.edge() < end + 256);
    ++position;
  }
  CHECK(window.announce(end, 0, kScaled) == 0);
}

TEST_CASE("a window that opens by less than a segment is not told (silly window)") {
  ReceiveWindow window(WindowScope::kStream, 0, 1000);
  window.announce(0, 10'000, kScaled);
  CHECK(window.announce(10'000, 0, kScaled) == 0);
  CHECK(window.announce(10'000, 999, kScaled) == 0);
  CHECK(window.announce(10'000, 1000, kScaled) == 1000);
}

TEST_CASE("with a buffer smaller than two segments half of it is worth telling") {
  ReceiveWindow window(WindowScope::kStream, 0, 1000);
  window.announce(0, 800, kScaled);
  CHECK(window.announce(800, 399, kScaled) == 0);
  CHECK(window.announce(800, 400, kScaled) == 400);
}

TEST_CASE("an update is due when two segments have become free and the peer may be waiting") {
  ReceiveWindow window(WindowScope::kStream, 0, 1000);
  window.announce(0, 10'000, kScaled);
  SUBCASE("all is full: two segments are worth it, one is not") {
    CHECK_FALSE(window.update_due(10'000, 1'999));
    CHECK(window.update_due(10'000, 2'000));
  }
  SUBCASE("half is still open: the next ACK will say it") {
    CHECK_FALSE(window.update_due(4'000, 10'000));
  }
  SUBCASE("less than half is open") { CHECK(window.update_due(6'000, 10'000)); }
}

TEST_CASE("a shared window is announced as it is, growing and shrinking") {
  ReceiveWindow window(WindowScope::kShared, 0, 1000);
  CHECK(window.announce(0, 10'000, kScaled) == 10'000);
  CHECK(window.announce(5'000, 2'000, kScaled) == 2'000);
  CHECK(window.announce(5'000, 2'100, kScaled) == 2'100);
  // What was promised once stays acceptable.
  CHECK(window.edge() == 10'000);
  CHECK(window.update_due(5'000, 6'000));
  CHECK_FALSE(window.update_due(5'000, 4'000));
}

TEST_CASE("whatever the reader does, the peer never sees the edge move left by a unit") {
  Random random(11);
  for (const std::uint8_t shift : {0, 3, 8}) {
    ReceiveWindow window(WindowScope::kStream, shift, 1460);
    const std::uint64_t unit = std::uint64_t{1} << shift;
    std::uint64_t position = 0, user_edge = 5'000, last = 0;
    for (int step = 0; step < 5'000; ++step) {
      user_edge += random.below(3'000);
      const std::uint64_t field = window.announce(position, user_edge - position, kScaled);
      const std::uint64_t edge = position + field * unit;
      CHECK(edge + unit > last);
      CHECK(edge < user_edge + unit);
      last = edge;
      const std::uint64_t most = std::min(edge, user_edge) - position;
      position += random.below(static_cast<std::uint32_t>(most) + 1);
      window.validate();
    }
  }
}

TEST_SUITE_END();
