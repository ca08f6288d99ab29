// Where connections begin: what a gateway has learnt of its uplinks' round trips and rates decides.
#include <doctest/doctest.h>

#include "tests/sim/roles/transfers.h"

namespace braid::sim {
namespace {

TEST_SUITE_BEGIN("sim");
TEST_CASE(
    "a small fetch begins on the uplink it is through first on, not on the one of the shorter "
    "RTT") {
  TwoUplinksSettings settings;
  settings.dsl = {.rate = Rate::bits_per_second(300'000), .delay = 10ms, .queue_time = 100ms};
  settings.lte = {.rate = Rate::bits_per_second(20'000'000), .delay = 90ms, .queue_time = 200ms};
  TwoUplinks net(91, settings);
  CHECK(is_whole(net, start_download(net, 10'000), 10'000, 10s));        // shows dsl, at rest
  CHECK(is_whole(net, start_download(net, 1'000'000), 1'000'000, 10s));  // shows both
  net.world.run_for(5s);
  const auto rtt = [&](std::size_t uplink) {
    return net.gateway().ways().health(uplink).rtt(net.world.now());
  };
  CHECK(rtt(0) < rtt(1));
  for (const int again : {1, 2, 3}) {
    CAPTURE(again);
    const std::uint64_t dsl = carried_down(net, net.dsl);
    CHECK(is_whole(net, start_download(net, 10'000), 10'000, 5s));
    CHECK(carried_down(net, net.dsl) - dsl < 1000);
    net.world.run_for(5s);
  }
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
