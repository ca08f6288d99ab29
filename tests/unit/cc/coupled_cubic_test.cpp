#include "stack/cc/coupled_cubic.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace braid::cc {
namespace {

constexpr std::uint32_t kMss = 1000;
constexpr Duration kBase = 100ms;

// Two controllers over queues that are told to them: one for both, or one each.
struct Two {
  enum class Queues { kOne, kTwo };
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledCubic a{kMss, group};
  CoupledCubic b{kMss, group};
  Queues queues;
  Instant now{};

  explicit Two(Queues q) : queues(q) {
    for (CoupledCubic* c : {&a, &b}) {
      grow(*c, 143 * kMss);
      lose(*c);  // slow start is over
    }
    now += 10s;
  }
  void grow(CoupledCubic& c, std::uint64_t bytes) {
    while (c.cwnd() < bytes) {
      c.on_ack({.now = now, .newly_delivered = kMss, .srtt = kBase, .cwnd_limited = true});
    }
  }
  // What the queue adds at 1 MB/s to the RTT: one bottleneck holds both windows.
  Duration queue(const CoupledCubic& c) const {
    const std::uint64_t bytes =
        queues == Queues::kOne ? a.cwnd() + b.cwnd() : c.cwnd() + 100 * kMss;
    return std::chrono::microseconds(bytes > 100'000 ? bytes - 100'000 : 0);
  }
  void run(Duration time) {
    for (const Instant end = now + time; now < end; now += 5ms) {
      for (CoupledCubic* c : {&a, &b}) {
        const Duration rtt = kBase + queue(*c);
        const double share = 0.005 / to_seconds(rtt);
        const auto bytes = static_cast<std::uint64_t>(share * static_cast<double>(c->cwnd()));
        c->on_ack({.now = now,
                   .newly_delivered = bytes,
                   .prior_in_flight = c->cwnd(),
                   .srtt = rtt,
                   .min_rtt = kBase,
                   .latest_rtt = rtt,
                   .cwnd_limited = true});
      }
    }
  }
  void lose(CoupledCubic& c) {
    c.on_congestion({.now = now, .in_flight = c.cwnd(), .srtt = kBase});
  }
  void learn() {
    for (int i = 0; i < 6; ++i) {
      run(1s);
      lose(i % 2 == 0 ? a : b);
    }
    run(3s);
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE("on paths of their own two coupled cubics grow exactly as two cubics do") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledCubic coupled(kMss, group);
  CoupledCubic other(kMss, group);
  Cubic alone(kMss);
  constexpr Duration kQueue = 20ms;  // long enough for losses to count, too short to be cut
  Instant now{};
  const auto both = [&](auto event) {
    event(static_cast<Controller&>(coupled));
    event(static_cast<Controller&>(other));
    event(static_cast<Controller&>(alone));
  };
  for (int i = 0; i < 2000; ++i) {
    now += 10ms;
    both([&](Controller& c) {
      c.on_ack({.now = now,
                .newly_delivered = 5 * kMss,
                .prior_in_flight = c.cwnd(),
                .srtt = kBase,
                .min_rtt = kBase,
                .latest_rtt = kBase + kQueue,
                .cwnd_limited = true});
      if (i % 400 == 100) c.on_congestion({.now = now, .in_flight = c.cwnd(), .srtt = kBase});
    });
    REQUIRE(coupled.cwnd() == alone.cwnd());
    REQUIRE(other.cwnd() == alone.cwnd());
  }
}

TEST_CASE("in one queue they are found out, and grow with the steepness of half a flow") {
  Two one(Two::Queues::kOne);
  Two two(Two::Queues::kTwo);
  one.learn();
  two.learn();
  const auto growth = [](Two& net) {
    net.lose(net.a);
    const std::uint64_t start = net.a.cwnd();
    net.run(12s);
    return net.a.cwnd() - start;
  };
  const std::uint64_t coupled = growth(one);
  const std::uint64_t apart = growth(two);
  CHECK(coupled > 0);
  CHECK(apart > 50 * kMss);  // well past its plateau
  CHECK(coupled < apart / 3);
}

TEST_CASE("a subflow that left takes its doubt along: the rest is a whole flow") {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledCubic a(kMss, group);
  { CoupledCubic b(kMss, group); }
  a.on_congestion({.now = Instant(1s), .in_flight = a.cwnd(), .srtt = kBase});
  CHECK(a.cwnd() == 7 * kMss);
}

// One flow on a path of 100 ms and 1 MB/s whose queue holds whatever is more than the path takes,
// and beside it what others keep there.
struct Alone {
  std::shared_ptr<CoupledGroup> group = std::make_shared<CoupledGroup>();
  CoupledCubic c{kMss, group};
  Instant now{};
  Duration others{};
  std::uint64_t product = 100'000;  // bytes in flight that fill the path

  Alone() {
    while (c.cwnd() < 143 * kMss) {
      c.on_ack({.now = now, .newly_delivered = kMss, .srtt = kBase, .cwnd_limited = true});
    }
    c.on_congestion({.now = now, .in_flight = c.cwnd(), .srtt = kBase});
    now += 10s;
  }
  std::uint64_t sent = 0;  // in the round before, which is answered in this one

  Duration queue() const { return others + kBase * (sent - std::min(sent, product)) / product; }
  // Whether the window is smaller after it.
  bool round() {
    const Duration rtt = kBase + queue();
    sent = c.cwnd();
    for (int i = 0; i < 10; ++i) {
      now += rtt / 10;
      c.on_ack({.now = now,
                .newly_delivered = c.cwnd() / 10,
                .prior_in_flight = c.cwnd(),
                .srtt = rtt,
                .min_rtt = kBase,
                .latest_rtt = rtt,
                .round_ended = i == 0,
                .cwnd_limited = true});
    }
    return c.cwnd() < sent;
  }
};

TEST_CASE("slow start is over when a round past what the first flight told has met a queue") {
  CoupledCubic c(kMss, std::make_shared<CoupledGroup>());
  constexpr std::uint64_t kProduct = 100 * kMss;  // at one segment a millisecond
  Instant now{};
  int rounds = 0;
  for (; c.in_slow_start() && rounds < 10; ++rounds) {
    now += kBase;
    const std::uint64_t window = c.cwnd();
    for (std::uint64_t acked = 0; acked < window; acked += 2 * kMss) {
      now += 2ms;
      const auto waited = std::chrono::microseconds(c.cwnd() - std::min(c.cwnd(), kProduct));
      c.on_ack({.now = now,
                .newly_delivered = 2 * kMss,
                .srtt = kBase,
                .min_rtt = kBase,
                .latest_rtt = kBase + waited,
                .round_ended = acked == 0,
                .cwnd_limited = true});
    }
  }
  CHECK(rounds <= 6);  // 10, 40, 80, past it, and a whole round there
  CHECK(c.cwnd() > kProduct);
  CHECK(c.cwnd() <= 2 * kProduct + 2 * kMss);
}

TEST_CASE("a queue of its own is kept short without a loss, and the path full") {
  Alone net;
  Duration longest{};
  std::uint64_t least = kUnlimited;
  while (net.c.cwnd() < 100 * kMss) net.round();
  for (int i = 0; i < 600; ++i) {
    net.round();
    longest = std::max(longest, net.queue());
    least = std::min(least, net.c.cwnd());
  }
  CHECK(longest > kBase / QueueGuard::kTargetPart);
  CHECK(longest < kBase / 2);
  CHECK(least >= 100 * kMss);
}

TEST_CASE(
    "a path that becomes three times as wide is filled within two seconds, when delay took the "
    "window") {
  for (const bool lost : {false, true}) {
    CAPTURE(lost);
    Alone net;
    int cuts = 0;
    for (int i = 0; i < 600 && cuts < 2; ++i) cuts += net.round();
    REQUIRE(cuts == 2);
    for (int i = 0; i < 4; ++i) net.round();  // the guard has seen what the cut did
    if (lost) net.c.on_congestion({.now = net.now, .in_flight = net.c.cwnd(), .srtt = kBase});
    net.product = 300'000;
    for (int i = 0; i < 20; ++i) net.round();
    CHECK((net.c.cwnd() > 280 * kMss) == !lost);
    CHECK(net.queue() < kBase / 2);
  }
}

TEST_CASE("the window stands still until the guard knows whose the queue is") {
  Alone net;
  while (net.c.cwnd() < 100 * kMss) net.round();
  net.others = 80ms;
  bool cut = false;
  for (int i = 0; i < 10 && !cut; ++i) cut = net.round();
  REQUIRE(cut);
  const std::uint64_t before = net.sent;
  const std::uint64_t kept = net.c.cwnd();
  for (int i = 0; i < 2; ++i) {
    net.round();
    CHECK(net.c.cwnd() == kept);
  }
  net.round();
  CHECK(net.c.cwnd() >= before);
}

TEST_CASE("a queue of others does not take the window away") {
  Alone net;
  while (net.c.cwnd() < 100 * kMss) net.round();
  const std::uint64_t before = net.c.cwnd();
  net.others = 80ms;
  std::uint64_t sum = 0;
  for (int i = 0; i < 100; ++i) {
    net.round();
    sum += net.c.cwnd();
  }
  CHECK(sum / 100 > before * 19 / 20);
}

TEST_CASE(
    "a loss where no queue stands costs a tenth of the window, beside a queue the usual part") {
  for (const Duration queue : {0ms, 60ms}) {
    CAPTURE(queue.count());
    Alone net;
    net.others = queue;
    for (int i = 0; i < 2; ++i) net.round();
    const std::uint64_t before = net.c.cwnd();
    net.c.on_congestion({.now = net.now, .in_flight = before, .srtt = kBase});
    const double left = static_cast<double>(net.c.cwnd()) / static_cast<double>(before);
    CHECK(left == doctest::Approx(queue == 0ms ? 0.9 : 0.7).epsilon(0.001));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
