#include "tests/sim/fairness/scenarios.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace braid::sim {
namespace {

using Kind = BulkHost::Kind;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The median over seeds of each figure that `run` gives.
std::vector<double> medians(const Effort& effort,
                            const std::function<std::vector<double>(std::uint64_t)>& run) {
  std::vector<std::vector<double>> by_figure;
  for (std::uint64_t seed = 1; seed <= effort.seeds; ++seed) {
    const std::vector<double> figures = run(seed);
    by_figure.resize(figures.size());
    for (std::size_t i = 0; i < figures.size(); ++i) by_figure[i].push_back(figures[i]);
  }
  std::vector<double> result;
  for (const auto& values : by_figure) result.push_back(median(values));
  return result;
}

double mean(const std::vector<double>& values, std::size_t from, std::size_t to) {
  return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(from),
                         values.begin() + static_cast<std::ptrdiff_t>(to), 0.0) /
         static_cast<double>(to - from);
}

}  // namespace

SharedResult shared_bottleneck(cc::Algorithm multipath, cc::Algorithm plain, SharedWays ways,
                               Duration queue, const Effort& effort) {
  const Bottleneck link{.mbit_per_s = 20, .queue = queue, .delay = 20ms};
  const Duration extra = ways == SharedWays::kUnequal ? 40ms : 0ms;
  const auto figures = medians(effort, [&](std::uint64_t seed) {
    const Duration offset = std::chrono::milliseconds(137 * (seed - 1));
    const std::vector<User> users{
        {.kind = Kind::kMultipath, .algorithm = multipath, .ways = {{0, 0ms}, {0, extra}}},
        {.kind = Kind::kPlain, .algorithm = plain, .ways = {{0, 0ms}}, .starts = offset}};
    const Shares s = run_users(seed, {link}, users, effort.warm_up, effort.measured);
    return std::vector{s.mbit_per_s[0], s.mbit_per_s[1], jain(s.mbit_per_s), s.utilisation[0],
                       s.loss[0]};
  });
  return {figures[0], figures[1], figures[2], figures[3], figures[4]};
}

ManyResult many_beside_one(cc::Algorithm many, std::size_t connections, const Effort& effort) {
  const Bottleneck link{.mbit_per_s = 20, .queue = 80ms, .delay = 20ms};
  const auto figures = medians(effort, [&](std::uint64_t seed) {
    const std::vector<User> users{{.kind = Kind::kMultipath,
                                   .algorithm = many,
                                   .ways = {{0, 0ms}},
                                   .connections = connections},
                                  {.kind = Kind::kPlain,
                                   .algorithm = cc::Algorithm::kCubic,
                                   .ways = {{0, 0ms}},
                                   .starts = std::chrono::milliseconds(137 * seed)}};
    const Shares s = run_users(seed, {link}, users, effort.warm_up, effort.measured);
    return std::vector{s.mbit_per_s[0] / static_cast<double>(connections), s.mbit_per_s[1],
                       s.utilisation[0]};
  });
  return {figures[0], figures[1], figures[2]};
}

UpgradeResult upgrade(cc::Algorithm multipath, cc::Algorithm plain, Upgrade upgraded,
                      const Effort& effort) {
  constexpr std::size_t kUsers = 4;
  constexpr double kEach = 2.5;
  const Bottleneck access{.mbit_per_s = kEach * kUsers, .queue = 100ms, .delay = 40ms};
  const auto figures = medians(effort, [&](std::uint64_t seed) {
    std::vector<User> users;
    for (std::size_t i = 0; i < 2 * kUsers; ++i) {
      const Duration offset = std::chrono::milliseconds(73 * i + 137 * (seed - 1));
      const bool own = i < kUsers;
      if (own && upgraded == Upgrade::kDone) {
        users.push_back({.kind = Kind::kMultipath,
                         .algorithm = multipath,
                         .ways = {{0, 0ms}, {1, 0ms}},
                         .starts = offset});
      } else {
        users.push_back({.kind = Kind::kPlain,
                         .algorithm = plain,
                         .ways = {{own ? std::size_t{0} : std::size_t{1}, 0ms}},
                         .starts = offset});
      }
    }
    const Shares s = run_users(seed, {access, access}, users, effort.warm_up, effort.measured);
    return std::vector{mean(s.mbit_per_s, 0, kUsers) / kEach,
                       mean(s.mbit_per_s, kUsers, 2 * kUsers) / kEach, s.loss[1]};
  });
  return {figures[0], figures[1], figures[2]};
}

double alone(cc::Algorithm algorithm, const Bottleneck& bottleneck, const Effort& effort) {
  return medians(effort, [&](std::uint64_t seed) {
    const std::vector<User> users{
        {.kind = Kind::kPlain, .algorithm = algorithm, .ways = {{0, 0ms}}}};
    return run_users(seed, {bottleneck}, users, effort.warm_up, effort.measured).mbit_per_s;
  })[0];
}

double disjoint(cc::Algorithm multipath, const Bottleneck& first, const Bottleneck& second,
                const Effort& effort) {
  return medians(effort, [&](std::uint64_t seed) {
    const std::vector<User> users{
        {.kind = Kind::kMultipath, .algorithm = multipath, .ways = {{0, 0ms}, {1, 0ms}}}};
    return run_users(seed, {first, second}, users, effort.warm_up, effort.measured).mbit_per_s;
  })[0];
}

}  // namespace braid::sim
