// The tables' claims in a short form: what they print in full is sim_fairness's.
#include <doctest/doctest.h>

#include "tests/sim/fairness/scenarios.h"

namespace braid::sim {
namespace {

using cc::Algorithm;

constexpr Effort kShort{.seeds = 3, .warm_up = 15s, .measured = 20s};

TEST_SUITE_BEGIN("sim");

TEST_CASE("Jain's index is one for equals and one over n when one has all") {
  CHECK(jain({3, 3, 3}) == doctest::Approx(1));
  CHECK(jain({5, 0, 0, 0}) == doctest::Approx(0.25));
}

TEST_CASE(
    "two subflows in one queue with a plain CUBIC are fair when coupled, and greedy when not") {
  const auto share = [](Algorithm algorithm) {
    const SharedResult r =
        shared_bottleneck(algorithm, Algorithm::kCubic, SharedWays::kEqual, 20ms, kShort);
    CHECK(r.utilisation > 0.9);
    return r.multipath / r.plain;
  };
  const double coupled = share(Algorithm::kCoupledCubic);
  CHECK(coupled < 1.4);
  CHECK(coupled > 0.4);
  CHECK(share(Algorithm::kLia) < 1.4);
  CHECK(share(Algorithm::kCubic) > 1.4);
}

TEST_CASE("four connections that look for their queue together do not give way to a plain CUBIC") {
  const ManyResult r = many_beside_one(Algorithm::kCoupledCubic, 4, kShort);
  CHECK(r.utilisation > 0.95);
  CHECK(r.each > 0.7 * r.plain);
  CHECK(r.each < 1.4 * r.plain);
}

TEST_CASE("coupling costs nothing on uplinks of their own") {
  const Bottleneck dsl{.mbit_per_s = 20, .queue = 100ms, .delay = 10ms};
  const Bottleneck lte{.mbit_per_s = 10, .queue = 100ms, .delay = 30ms};
  const double ceiling = 30.0 * 1420 / 1500;
  CHECK(disjoint(Algorithm::kCoupledCubic, dsl, lte, kShort) > 0.97 * ceiling);
  CHECK(disjoint(Algorithm::kBbr, dsl, lte, kShort) > 0.94 * ceiling);
}

TEST_CASE(
    "on lossy uplinks LIA carries half of what CUBIC does, coupled CUBIC half as much again, BBR "
    "more") {
  const Bottleneck radio{.mbit_per_s = 10, .queue = 100ms, .delay = 20ms, .loss = 0.01};
  const double cubic = disjoint(Algorithm::kCubic, radio, radio, kShort);
  const double coupled = disjoint(Algorithm::kCoupledCubic, radio, radio, kShort);
  CHECK(disjoint(Algorithm::kLia, radio, radio, kShort) < 0.7 * cubic);
  CHECK(coupled > 1.5 * cubic);
  CHECK(disjoint(Algorithm::kBbr, radio, radio, kShort) > 1.2 * coupled);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
