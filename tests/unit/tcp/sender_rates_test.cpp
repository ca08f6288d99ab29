// What the sender tells its controller of rates, losses and rounds.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/tcp/sender_harness.h"

namespace braid::tcp {
namespace {

constexpr std::uint32_t kMss = Leg::kMss;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("every ACK that delivers carries a sample, and the totals add up") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.offer(200'000);
  leg.run(5s);
  REQUIRE(leg.controller->acks.size() > 5);
  std::uint64_t total = 0;
  for (const cc::Ack& ack : leg.controller->acks) {
    total += ack.newly_delivered;
    CHECK(ack.total_delivered == total);
    CHECK(ack.sample.delivered > 0);
    CHECK(ack.sample.flight_at_send <= 20000);
    CHECK(ack.in_flight + ack.newly_delivered == ack.prior_in_flight);
  }
  CHECK(total == 200'000);
  // A window of 20 segments in 20 ms.
  const cc::RateSample& sample = leg.controller->acks[5].sample;
  CHECK(sample.rate <= Rate::of(20000, 20ms));
  CHECK(sample.rate > Rate::of(15000, 20ms));
  CHECK_FALSE(sample.app_limited);
  const std::uint64_t rounds = leg.controller->acks.back().round;
  CHECK(rounds >= 9);
  CHECK(rounds <= 12);
}

TEST_CASE("an application that has little to say is known by its samples") {
  Leg leg({.cwnd = 20000});
  leg.start();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    leg.offer(i * 2000);
    leg.run(50ms);
  }
  REQUIRE(leg.controller->acks.size() >= 5);
  CHECK(leg.controller->acks.back().sample.app_limited);
}

TEST_CASE("what is lost is told once, in bytes, before the ACK that found it") {
  Leg leg({.cwnd = 20000});
  leg.start();
  leg.drop = [](const Leg::Piece& p) {
    return p.attempt == 1 && (p.begin == 3000 || p.begin == 7000);
  };
  leg.offer(40'000);
  leg.run(5s);
  std::uint64_t lost = 0;
  for (const cc::Ack& ack : leg.controller->acks) lost += ack.newly_lost;
  CHECK(lost == 2 * kMss);
  CHECK(leg.sender->rate_sampler().lost() == 2 * kMss);
  CHECK(leg.controller->acks.back().total_delivered == 40'000);
  CHECK(leg.sender->rate_sampler().note_count() == 0);
}

TEST_CASE(
    "a controller with a pace of its own refills its window at once in recovery, PRR does not") {
  struct Whole final : cc::Controller {
    explicit Whole(cc::RecoveryPace p) : pace(p) {}
    void set_mss(std::uint32_t) override {}
    void on_ack(const cc::Ack&) override {}
    void on_congestion(const cc::Congestion&) override { window = 10 * kMss; }
    void on_timeout(const cc::Congestion&) override {}
    void undo() override {}
    void on_idle(Duration, Duration) override {}
    std::uint64_t cwnd() const override { return window; }
    std::uint64_t ssthresh() const override { return cc::kUnlimited; }
    Rate pacing_rate(Duration) const override { return Rate(); }
    cc::RecoveryPace recovery_pace() const override { return pace; }
    std::string_view name() const override { return "whole"; }
    cc::RecoveryPace pace;
    std::uint64_t window = 20 * kMss;
  };
  // Twenty in flight, ten of them lost: half a window is left, and free at once or bit by bit.
  const auto in_flight_after = [](cc::RecoveryPace pace) {
    Sender sender({.mss = kMss,
                   .max_super_payload = kMss,
                   .sack = true,
                   .controller = std::make_unique<Whole>(pace)});
    Instant now{1s};
    sender.start(0, 0, 1 << 20, 20ms, now);
    sender.set_end(100 * kMss, false);
    const auto flush = [&] {
      while (const auto plan = sender.plan(now)) sender.sent(*plan, plan->max_length, false, now);
    };
    flush();
    REQUIRE(sender.in_flight() == 20 * kMss);
    now += 20ms;
    const Interval block{10 * kMss, 20 * kMss};
    sender.receive_ack(
        {.ack = 0, .sack = {&block, 1}, .window = 1 << 20, .window_update_allowed = true}, now);
    now += 30ms;  // whatever reordering window there is has passed
    sender.on_deadline(now);
    flush();
    return sender.in_flight();
  };
  CHECK(in_flight_after(cc::RecoveryPace::kWindow) == 10 * kMss);
  CHECK(in_flight_after(cc::RecoveryPace::kProportional) <= 10 * kMss);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
