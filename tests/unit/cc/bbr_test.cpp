#include "stack/cc/bbr.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <set>

#include "stack/base/random.h"

namespace braid::cc {
namespace {

constexpr std::uint32_t kMss = 1000;

// A paced sender over one bottleneck: rate, least RTT, queue, and loss by chance. Every segment is
// answered for itself; what finds the queue full, or is unlucky, is told as lost an RTT later.
struct Path {
  double rate = 1'250'000;  // bytes per second
  Duration base = 40ms;
  std::uint64_t queue_limit = 100'000;  // bytes
  double loss = 0;

  Bbr bbr{kMss};
  Random random{5};
  Instant now{1s};
  std::set<Bbr::State> seen;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t most_queued = 0;  // bytes, since last asked
  std::uint64_t most_in_flight = 0;

  struct Segment {
    Instant answered;
    Instant sent;
    Instant delivered_at;
    std::uint64_t delivered;
    std::uint64_t flight;
    std::uint64_t lost_then;
    bool dropped;
  };
  std::deque<Segment> flying;
  Instant free_at{1s};  // of the bottleneck
  Instant next_send{1s};
  Instant last_delivery{1s};
  Duration srtt{};

  std::uint64_t in_flight() const { return flying.size() * kMss; }

  void send() {
    const Rate pace = bbr.pacing_rate(srtt);
    next_send = std::max(next_send, now) + (pace.is_zero() ? 0ns : pace.time_for(kMss));
    const Instant start = std::max(free_at, now);
    const auto queued = static_cast<std::uint64_t>(to_seconds(start - now) * rate);
    const bool dropped = queued + kMss > queue_limit || random.chance(loss);
    if (!dropped) free_at = start + Duration(static_cast<std::int64_t>(kMss / rate * 1e9));
    most_queued = std::max(most_queued, queued);
    const Instant answered =
        std::max((dropped ? start : free_at) + base, flying.empty() ? now : flying.back().answered);
    flying.push_back({answered, now, last_delivery, delivered, in_flight() + kMss, lost, dropped});
    most_in_flight = std::max(most_in_flight, in_flight());
  }
  void answer() {
    const Segment s = flying.front();
    flying.pop_front();
    if (s.dropped) {
      lost += kMss;
      bbr.on_loss({.now = now,
                   .bytes = kMss,
                   .flight_at_send = s.flight,
                   .lost_since_send = lost - s.lost_then});
      return;
    }
    delivered += kMss;
    const Duration rtt = now - s.sent;
    srtt = srtt == 0ns ? rtt : srtt + (rtt - srtt) / 8;
    const Duration interval = now - s.delivered_at;
    bbr.on_ack({.now = now,
                .newly_delivered = kMss,
                .prior_in_flight = in_flight() + kMss,
                .in_flight = in_flight(),
                .total_delivered = delivered,
                .srtt = srtt,
                .min_rtt = base,
                .latest_rtt = rtt,
                .cwnd_limited = in_flight() + 3 * kMss > bbr.cwnd(),
                .sample = {.rate = Rate::of(delivered - s.delivered, interval),
                           .delivered = delivered - s.delivered,
                           .interval = interval,
                           .prior_delivered = s.delivered,
                           .flight_at_send = s.flight,
                           .lost = lost - s.lost_then}});
    last_delivery = now;
    seen.insert(bbr.state());
  }
  void run(Duration time) {
    const Instant end = now + time;
    while (true) {
      const bool room = in_flight() + kMss <= bbr.cwnd();
      const Instant send_at = room ? std::max(next_send, now) : kNever;
      const Instant answer_at = flying.empty() ? kNever : flying.front().answered;
      const Instant next = std::min(send_at, answer_at);
      if (next > end) break;
      now = std::max(now, next);
      if (answer_at <= send_at) {
        answer();
      } else {
        send();
      }
    }
    now = end;
  }
  // Bytes per second over `time`.
  double goodput(Duration time) {
    const std::uint64_t before = delivered;
    run(time);
    return static_cast<double>(delivered - before) / to_seconds(time);
  }
};

TEST_SUITE_BEGIN("cc");

TEST_CASE("bbr finds the path's rate and least round trip, and leaves startup for it") {
  Path path;
  path.run(1s);
  CHECK(path.seen.count(Bbr::State::kDrain) == 1);
  CHECK(path.bbr.state() != Bbr::State::kStartup);
  CHECK(path.bbr.bandwidth() == doctest::Approx(path.rate).epsilon(0.05));
  CHECK(path.bbr.min_rtt() >= path.base);
  CHECK(path.bbr.min_rtt() < path.base + 2ms);
}

TEST_CASE("bbr fills the path, and its queue never holds more than the path does") {
  Path path;
  path.run(3s);
  path.most_queued = 0;
  CHECK(path.goodput(20s) > 0.96 * path.rate);
  CHECK(path.most_queued < 50'000);  // of 100'000, and that only while it probes
}

TEST_CASE(
    "bbr goes through all phases of probing, and does not probe for the RTT it keeps meeting") {
  Path path;
  path.run(20s);
  using State = Bbr::State;
  for (const State state : {State::kDown, State::kCruise, State::kRefill, State::kUp}) {
    CHECK(path.seen.count(state) == 1);
  }
  CHECK(path.seen.count(State::kProbeRtt) == 0);
}

TEST_CASE("one percent of loss by chance costs bbr next to nothing, ten percent is too much") {
  Path path;
  path.loss = 0.01;
  path.run(3s);
  CHECK(path.goodput(20s) > 0.85 * path.rate);
  Path bad;
  bad.loss = 0.1;
  bad.run(3s);
  CHECK(bad.goodput(20s) < 0.6 * bad.rate);
}

TEST_CASE(
    "a queue too short for what startup sends sets an upper bound, and the path is still filled") {
  Path path;
  path.queue_limit = 10'000;
  path.run(5s);
  CHECK(path.bbr.inflight_hi() < kUnlimited);
  const std::uint64_t lost_before = path.lost;
  const std::uint64_t delivered_before = path.delivered;
  CHECK(path.goodput(20s) > 0.85 * path.rate);
  const double share = static_cast<double>(path.lost - lost_before) /
                       static_cast<double>(path.delivered - delivered_before);
  CHECK(share < 0.02);
}

TEST_CASE("more bandwidth is found by probing, less is taken over within two cycles") {
  Path path;
  path.run(5s);
  path.rate = 2'500'000;
  path.run(12s);
  CHECK(path.bbr.bandwidth() > 2'300'000);
  path.rate = 625'000;
  path.run(12s);
  CHECK(path.bbr.bandwidth() < 750'000);
  CHECK(path.goodput(5s) > 0.9 * 625'000);
}

TEST_CASE("a longer way is noticed: half the window for 200 ms shows the new least RTT") {
  Path path;
  path.run(5s);
  path.base = 80ms;
  path.run(20s);
  CHECK(path.seen.count(Bbr::State::kProbeRtt) == 1);
  CHECK(path.bbr.min_rtt() >= 80ms);
  CHECK(path.bbr.min_rtt() < 90ms);
  CHECK(path.goodput(10s) > 0.9 * path.rate);
}

TEST_CASE("bbr never has more in flight than twice the product and a little") {
  Path path;
  path.queue_limit = 10'000'000;
  path.run(3s);
  path.most_in_flight = 0;
  path.run(20s);
  const double product = path.rate * to_seconds(path.base);
  CHECK(static_cast<double>(path.most_in_flight) < 2.5 * product);
}

TEST_CASE("an ECN echo takes bbr's window down for the time until the next probe") {
  Path path;
  path.run(5s);
  const std::uint64_t before = path.bbr.cwnd();
  path.bbr.on_congestion(
      {.now = path.now, .kind = CongestionKind::kEcn, .in_flight = path.in_flight()});
  CHECK(path.bbr.cwnd() <= before * 7 / 10 + 1);
  CHECK(path.bbr.inflight_lo() < kUnlimited);
  path.run(5s);
  CHECK(path.goodput(5s) > 0.9 * path.rate);
}

TEST_CASE("the window a timeout took is back when what was lost is repaired") {
  Path path;
  path.run(3s);
  const std::uint64_t before = path.bbr.cwnd();
  path.bbr.on_timeout({.now = path.now, .in_flight = path.in_flight()});
  CHECK(path.bbr.cwnd() == kMss);
  path.bbr.on_ack({.now = path.now,
                   .newly_delivered = kMss,
                   .total_delivered = path.delivered,
                   .after_timeout = true});
  CHECK(path.bbr.cwnd() == 2 * kMss);
  path.bbr.on_ack({.now = path.now, .newly_delivered = kMss, .total_delivered = path.delivered});
  CHECK(path.bbr.cwnd() >= before * 9 / 10);
}

TEST_CASE("two runs over the same path are the same run") {
  Path one;
  Path two;
  one.loss = two.loss = 0.01;
  one.run(10s);
  two.run(10s);
  CHECK(one.delivered == two.delivered);
  CHECK(one.bbr.cwnd() == two.bbr.cwnd());
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::cc
