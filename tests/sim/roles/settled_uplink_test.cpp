// Where traffic that braid does not carry goes: health must be known without a connection of ours.
#include <doctest/doctest.h>

#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {
namespace {

TEST_SUITE_BEGIN("sim");
TEST_CASE("an idle gateway notices that the uplink others use fell silent, and that it came back") {
  TwoUplinks net(31);
  const auto settled = [&] { return net.gateway().settled_uplink(net.world.now()); };
  net.gateway().keep_settled_uplink_known();
  net.world.run_for(3s);
  REQUIRE(settled() == 0);
  const std::uint64_t asked = net.gateway().counters().probes;
  net.world.run_for(60s);
  // Asked about every five seconds, and one uplink only.
  CHECK(net.gateway().counters().probes - asked <= 13);
  CHECK(net.gateway().counters().probes_dead == 0);

  net.world.set_state(net.dsl, LinkState::kBlackHole);
  CHECK(net.world.run_until([&] { return settled() == 1; }, 7s));
  net.world.run_for(20s);
  CHECK(settled() == 1);  // the end of a quarantine is no sign of life
  net.world.set_state(net.dsl, LinkState::kUp);
  CHECK(net.world.run_until([&] { return settled() == 0; }, 40s));
}

TEST_CASE("nobody asks while nobody relies on the answer") {
  TwoUplinks net(32);
  net.world.run_for(60s);
  CHECK(net.gateway().counters().probes == 0);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
