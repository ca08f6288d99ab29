// What an idle connection costs each role in memory. An upper bound is a little above what was
// measured when it was written down: whoever adds a kilobyte to a connection learns it here.
#include <doctest/doctest.h>

#include "tests/sim/memory/ledger.h"
#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {
namespace {

constexpr int kFirst = 20;  // connections that pay for what all share
constexpr int kCounted = 200;

struct Held {
  std::int64_t gateway = 0, concentrator = 0;
};

Held held(TwoUplinks& net) {
  return {bytes_held_by(net.gateway()), bytes_held_by(net.concentrator())};
}

// Opens connections that fetch so many bytes each and are then left alone for `rest`.
void open(TwoUplinks& net, int count, std::uint64_t bytes, Duration rest) {
  for (int i = 0; i < count; ++i) {
    net.client->connect(net.server_at(80),
                        {.send_bytes = bytes > 0 ? 100U : 0U,
                         .send_stream = 1,
                         .expect_stream = 2,
                         .finish = AppScript::Finish::kNever},
                        net.world.now());
    net.world.run_for(bytes > 0 ? 70ms : 5ms);
  }
  net.world.run_for(rest);
}

std::size_t count_subflows(TwoUplinks& net) {
  std::size_t count = 0;
  for (const auto& [id, flow] : net.gateway().flows()) {
    count += flow->bundle()->subflows().size();
  }
  return count;
}

Held per_connection(TwoUplinks& net, std::uint64_t bytes, Duration rest) {
  net.server->listen(80, [bytes] {
    return AppScript{.send_bytes = bytes,
                     .send_stream = 2,
                     .expect_stream = 1,
                     .finish = AppScript::Finish::kNever};
  });
  open(net, kFirst, bytes, rest);
  const Held before = held(net);
  open(net, kCounted, bytes, rest);
  const Held after = held(net);
  REQUIRE(net.gateway().active_flows() == kFirst + kCounted);
  REQUIRE(net.concentrator().active_sessions() == kFirst + kCounted);
  const Held each{(after.gateway - before.gateway) / kCounted,
                  (after.concentrator - before.concentrator) / kCounted};
  MESSAGE("bytes of an idle connection: gateway ", each.gateway, ", concentrator ",
          each.concentrator);
  return each;
}

}  // namespace

TEST_SUITE_BEGIN("sim");
TEST_CASE("a connection that has carried nothing yet holds no more than it did") {
  TwoUplinks net(1);
  const Held each = per_connection(net, 0, 5s);
  CHECK(count_subflows(net) == kFirst + kCounted);
  CHECK(each.gateway < 7'100);
  CHECK(each.concentrator < 7'000);
}

TEST_CASE("a connection that has fetched something over both uplinks holds no more than it did") {
  TwoUplinks net(2);
  const Held each = per_connection(net, 200'000, 5s);
  CHECK(count_subflows(net) == 2 * (kFirst + kCounted));
  CHECK(each.gateway < 10'000);
  CHECK(each.concentrator < 9'700);
  CHECK(net.gateway().pool().used_bytes() == 0);
  CHECK(net.concentrator().pool().used_bytes() == 0);
}

TEST_CASE("a connection that has rested for long is back to one subflow, in memory, too") {
  TwoUplinks net(3);
  const Held each = per_connection(net, 200'000, 240s);
  CHECK(count_subflows(net) == kFirst + kCounted);
  CHECK(each.gateway < 7'500);
  CHECK(each.concentrator < 7'500);
}

TEST_CASE("when all connections are over, each role holds what it held before them") {
  TwoUplinks net(4);
  net.server->listen(
      80, [] { return AppScript{.send_bytes = 50'000, .send_stream = 2, .expect_stream = 1}; });
  const auto run = [&net](int count) {
    for (int i = 0; i < count; ++i) {
      net.client->connect(net.server_at(80),
                          {.send_bytes = 100, .send_stream = 1, .expect_stream = 2},
                          net.world.now());
      net.world.run_for(20ms);
    }
    net.world.run_for(600s);
  };
  run(100);
  const Held before = held(net);
  run(100);
  const Held after = held(net);
  CHECK(net.gateway().active_flows() == 0);
  CHECK(after.gateway <= before.gateway + 1024);
  CHECK(after.concentrator <= before.concentrator + 1024);
}
TEST_SUITE_END();

}  // namespace braid::sim
