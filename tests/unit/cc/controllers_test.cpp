// One suite for every controller the factory makes: what must hold whatever the algorithm.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <type_traits>

#include "stack/base/random.h"
#include "stack/cc/coupled_group.h"
#include "stack/cc/factory.h"

namespace braid::cc {
namespace {

constexpr std::uint32_t kMss = 1000;
constexpr Duration kRtt = 20ms;

struct Bench {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  std::unique_ptr<Controller> controller;
  Instant now{};
  std::uint64_t delivered = 0;
  Duration queue{};  // what the last packets waited

  explicit Bench(std::string_view name)
      : controller(make_controller(*algorithm_by_name(name), kMss, group)) {}

  // As if these bytes had left one round trip ago, with the whole window in flight.
  Ack ack(std::uint64_t bytes) {
    const std::uint64_t window = controller->cwnd();
    const std::uint64_t before = delivered > window ? delivered - window : 0;
    delivered += bytes;
    return {.now = now,
            .newly_delivered = bytes,
            .prior_in_flight = window,
            .in_flight = window - std::min(window, bytes),
            .total_delivered = delivered,
            .srtt = kRtt,
            .min_rtt = kRtt,
            .latest_rtt = kRtt + queue,
            .round_ended = false,
            .cwnd_limited = true,
            .sample = {.rate = Rate::of(window, kRtt),
                       .delivered = window,
                       .interval = kRtt,
                       .prior_delivered = before,
                       .flight_at_send = window}};
  }
  // One round trip in which the whole window was delivered, in ACKs of two segments.
  void round() {
    now += kRtt;
    const std::uint64_t window = controller->cwnd();
    for (std::uint64_t done = 0; done < window; done += 2 * kMss) {
      Ack a = ack(std::min<std::uint64_t>(2 * kMss, window - done));
      a.round_ended = done == 0;
      controller->on_ack(a);
    }
  }
  Congestion congestion() const {
    return {.now = now, .in_flight = controller->cwnd(), .srtt = kRtt};
  }
};

template <typename Body>
void for_each_controller(Body body) {
  for (const std::string_view name : algorithm_names()) {
    CAPTURE(std::string(name));
    Bench bench(name);
    body(bench, *bench.controller);
  }
}

// Those whose window answers to each loss: all but the one that makes a model of the path.
template <typename Body>
void for_each_loss_based(Body body) {
  for_each_controller([&](Bench& bench, Controller& c) {
    if (c.name() != "bbr") body(bench, c);
  });
}

TEST_SUITE_BEGIN("cc");

TEST_CASE("every name makes the controller that bears it, and other names make none") {
  for_each_controller(
      [](Bench&, Controller& c) { REQUIRE(algorithm_by_name(c.name()).has_value()); });
  CHECK(algorithm_names().size() == 7);
  CHECK_FALSE(algorithm_by_name("vegas").has_value());
  CHECK_FALSE(algorithm_by_name("").has_value());
}

TEST_CASE("a connection starts with ten segments, in slow start, unpaced") {
  for_each_controller([](Bench&, Controller& c) {
    CHECK(c.cwnd() == 10 * kMss);
    CHECK(c.ssthresh() == kUnlimited);
    CHECK(c.in_slow_start());
    CHECK(c.pacing_rate(Duration::zero()).is_zero());
  });
}

TEST_CASE("slow start doubles the window in a round trip, and its pace allows for that") {
  for_each_controller([](Bench& b, Controller& c) {
    b.round();
    CHECK(c.cwnd() == 20 * kMss);
    CHECK(c.pacing_rate(kRtt) > Rate::of(c.cwnd() * 5 / 4, kRtt));
  });
  for_each_loss_based([](Bench& b, Controller& c) {
    b.round();
    CHECK(c.pacing_rate(kRtt) == Rate::of(40 * kMss, kRtt));
  });
}

TEST_CASE("an ACK while the application was the limit leaves the window alone") {
  for_each_loss_based([](Bench& b, Controller& c) {
    Ack a = b.ack(5 * kMss);
    a.cwnd_limited = false;
    c.on_ack(a);
    CHECK(c.cwnd() == 10 * kMss);
    c.on_congestion(b.congestion());
    const std::uint64_t after = c.cwnd();
    for (int i = 0; i < 100; ++i) c.on_ack(a);
    CHECK(c.cwnd() == after);
  });
}

TEST_CASE("congestion takes the window down to ssthresh, less than before, and ends slow start") {
  for_each_loss_based([](Bench& b, Controller& c) {
    b.queue = kRtt;
    b.round();
    c.on_congestion(b.congestion());
    CHECK(c.cwnd() == c.ssthresh());
    CHECK(c.cwnd() >= 10 * kMss);
    CHECK(c.cwnd() <= 14 * kMss);
    CHECK_FALSE(c.in_slow_start());
    CHECK(c.pacing_rate(kRtt) == Rate::of(c.cwnd() * 6 / 5, kRtt));
  });
}

TEST_CASE("congestion avoidance grows, but by less than half a window in a round trip") {
  for_each_loss_based([](Bench& b, Controller& c) {
    b.round();
    c.on_congestion(b.congestion());
    std::uint64_t before = c.cwnd();
    for (int i = 0; i < 40; ++i) {
      b.round();
      CHECK(c.cwnd() >= before);
      CHECK(c.cwnd() <= before + before / 2 + kMss);
      before = c.cwnd();
    }
    CHECK(c.cwnd() > 20 * kMss);  // it came back above where the loss was
  });
}

TEST_CASE("the window never grows in fast recovery") {
  for_each_loss_based([](Bench& b, Controller& c) {
    c.on_congestion(b.congestion());
    const std::uint64_t window = c.cwnd();
    Ack a = b.ack(20 * kMss);
    a.in_recovery = true;
    for (int i = 0; i < 50; ++i) c.on_ack(a);
    CHECK(c.cwnd() == window);
  });
}

TEST_CASE("a timeout leaves one segment, and what is delivered then brings the window back") {
  for_each_controller([](Bench& b, Controller& c) {
    b.round();
    c.on_timeout(b.congestion());
    CHECK(c.cwnd() == kMss);
    for (int i = 0; i < 6; ++i) b.round();
    CHECK(c.cwnd() >= 10 * kMss);
  });
}

TEST_CASE("a timeout is followed by slow start up to ssthresh") {
  for_each_loss_based([](Bench& b, Controller& c) {
    b.round();
    c.on_timeout(b.congestion());
    CHECK(c.cwnd() == kMss);
    CHECK(c.ssthresh() >= 10 * kMss);
    CHECK(c.in_slow_start());
    b.round();
    b.round();
    CHECK(c.cwnd() == 4 * kMss);
    for (int i = 0; i < 3; ++i) b.round();
    CHECK(c.cwnd() >= c.ssthresh());
    CHECK(c.cwnd() < c.ssthresh() + 3 * kMss);
  });
}

TEST_CASE("repeated congestion never takes the window below two segments") {
  for_each_controller([](Bench& b, Controller& c) {
    for (int i = 0; i < 30; ++i) c.on_congestion(b.congestion());
    CHECK(c.cwnd() >= 2 * kMss);
  });
  for_each_loss_based([](Bench& b, Controller& c) {
    for (int i = 0; i < 30; ++i) c.on_congestion(b.congestion());
    CHECK(c.cwnd() == 2 * kMss);
    CHECK(c.ssthresh() == 2 * kMss);
  });
}

TEST_CASE("undo gives back what a timeout took") {
  for_each_controller([](Bench& b, Controller& c) {
    b.round();
    const std::uint64_t window = c.cwnd();
    c.on_timeout(b.congestion());
    c.undo();
    CHECK(c.cwnd() == window);
  });
}

struct OfLoss {};
struct OfTimeout {};
TEST_CASE_TEMPLATE("undo gives back exactly what the last event took, once", Event, OfLoss,
                   OfTimeout) {
  for_each_loss_based([](Bench& b, Controller& c) {
    b.round();
    const std::uint64_t window = c.cwnd();
    if (std::is_same_v<Event, OfLoss>) {
      c.on_congestion(b.congestion());
    } else {
      c.on_timeout(b.congestion());
    }
    REQUIRE(c.cwnd() < window);
    c.undo();
    CHECK(c.cwnd() == window);
    CHECK(c.ssthresh() == kUnlimited);
    c.on_congestion(b.congestion());
    c.undo();
    const std::uint64_t again = c.cwnd();
    c.undo();  // nothing left to undo
    CHECK(c.cwnd() == again);
  });
}

TEST_CASE("silence halves the window per timeout, never below the initial one") {
  for_each_loss_based([](Bench& b, Controller& c) {
    b.round();
    b.round();
    b.round();
    REQUIRE(c.cwnd() == 80 * kMss);
    c.on_idle(250ms, 200ms);
    CHECK(c.cwnd() == 40 * kMss);
    c.on_idle(10s, 200ms);
    CHECK(c.cwnd() == 10 * kMss);
  });
}

TEST_CASE("a rising round trip time ends slow start before anything is lost") {
  for_each_loss_based([](Bench& b, Controller& c) {
    for (int i = 0; i < 4; ++i) b.round();
    Duration rtt = kRtt;
    for (int i = 0; i < 12 && c.ssthresh() == kUnlimited; ++i) {
      rtt += 10ms;
      b.now += rtt;
      const std::uint64_t window = c.cwnd();
      for (std::uint64_t done = 0; done < window; done += 2 * kMss) {
        Ack a = b.ack(2 * kMss);
        a.latest_rtt = rtt;
        a.round_ended = done == 0;
        c.on_ack(a);
      }
    }
    CHECK(c.ssthresh() != kUnlimited);
    CHECK_FALSE(c.in_slow_start());
  });
}

TEST_CASE("a smaller segment size is taken over, and the window holds at least one") {
  for_each_controller([](Bench& b, Controller& c) {
    c.on_timeout(b.congestion());
    c.set_mss(1400);
    CHECK(c.cwnd() == 1400);
    c.set_mss(500);
    c.on_timeout(b.congestion());
    CHECK(c.cwnd() == 500);
  });
}

TEST_CASE("a window nobody has used yet is counted in segments of the new size") {
  for (const std::string_view name : algorithm_names()) {
    CAPTURE(name);
    Bench bench(name);
    bench.controller->set_mss(500);
    CHECK(bench.controller->cwnd() == 5'000);
    bench.round();
    const std::uint64_t grown = bench.controller->cwnd();
    bench.controller->set_mss(400);
    CHECK(bench.controller->cwnd() == grown);
  }
}

TEST_CASE("whatever happens, at least a segment may leave, and at some pace") {
  Random random(7);
  for_each_controller([&](Bench& b, Controller& c) {
    std::uint64_t most = 0;  // in flight so far
    for (int i = 0; i < 20'000; ++i) {
      b.now += Duration(random.below(5'000'000));
      most = std::max(most, c.cwnd());
      switch (random.below(12)) {
        case 0:
          c.on_loss({.now = b.now,
                     .bytes = kMss,
                     .flight_at_send = random.below(c.cwnd() + kMss),
                     .lost_since_send = kMss * (1 + random.below(4))});
          c.on_congestion(
              {.now = b.now,
               .kind = random.chance(0.5) ? CongestionKind::kEcn : CongestionKind::kLoss,
               .in_flight = random.below(c.cwnd() + 1),
               .srtt = kRtt});
          break;
        case 1:
          if (random.chance(0.1)) c.on_timeout(b.congestion());
          break;
        case 2:
          if (random.chance(0.2)) c.undo();
          break;
        case 3:
          if (random.chance(0.1)) c.on_idle(Duration(1s), Duration(200ms));
          break;
        default: {
          Ack a = b.ack(1 + random.below(3 * kMss));
          a.latest_rtt = kRtt + Duration(random.below(10'000'000));
          a.round_ended = random.chance(0.1);
          a.in_recovery = random.chance(0.2);
          a.after_timeout = random.chance(0.05);
          a.cwnd_limited = random.chance(0.7);
          if (random.chance(0.1)) a.sample = {};
          c.on_ack(a);
        }
      }
      REQUIRE(c.cwnd() >= kMss);
      REQUIRE(c.cwnd() < 1'000'000'000);
      // A first flight may leave in one go.
      REQUIRE((c.pacing_rate(kRtt) > Rate() || c.ssthresh() == kUnlimited));
    }
  });
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
