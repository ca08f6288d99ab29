#include "stack/mptcp/shared_group.h"

#include <doctest/doctest.h>

namespace braid::mptcp {
namespace {

constexpr std::uint64_t kMss = 1000;
constexpr Duration kRtt = 200ms;

// Two round trips of a flight of ten segments that the bottleneck spread.
void first_flights(cc::Controller& controller) {
  Instant now = Instant() + 1s;
  for (int round = 0; round < 2; ++round, now += kRtt) {
    for (int i = 0; i < 5; ++i) {
      controller.on_ack({.now = now + i * 2ms,
                         .newly_delivered = 2 * kMss,
                         .srtt = kRtt,
                         .min_rtt = kRtt,
                         .latest_rtt = kRtt,
                         .round_ended = i == 0,
                         .cwnd_limited = true});
    }
  }
}

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("a subflow's controller is its group's in all it says") {
  const auto group = std::make_shared<cc::CoupledGroup>();
  const auto shared = make_group_controller(cc::Algorithm::kCoupledCubic, kMss, group);
  const auto alone = cc::make_controller(cc::Algorithm::kCoupledCubic, kMss, group.get());
  for (cc::Controller* controller : {shared.get(), alone.get()}) first_flights(*controller);
  CHECK(alone->slow_start_step() > 2);
  CHECK(shared->slow_start_step() == alone->slow_start_step());
  CHECK(shared->cwnd() == alone->cwnd());
  CHECK(shared->ssthresh() == alone->ssthresh());
  CHECK(shared->pacing_rate(kRtt) == alone->pacing_rate(kRtt));
  CHECK(shared->recovery_pace() == alone->recovery_pace());
  CHECK(shared->name() == alone->name());
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::mptcp
