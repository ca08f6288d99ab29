#include "tests/sim/law/cell.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/base/random.h"

namespace braid::law {
namespace {

constexpr std::uint64_t kPacket = 1500;  // bytes
constexpr std::array kRatios{1.0, 2.0, 5.0, 10.0, 20.0};

// How the two uplinks' rates and RTTs relate; `rtt_ratio` below 1: the faster one has the longer.
struct Geometry {
  double rate_ratio = 1;
  double rtt_ratio = 1;
};

std::vector<Geometry> geometries() {
  std::vector<Geometry> all;
  for (const double rate : kRatios) {
    for (const double rtt : kRatios) {
      all.push_back({rate, rtt});
      if (rate > 1 && rtt > 1) all.push_back({rate, 1 / rtt});
    }
  }
  return all;
}

// What differs beside the geometry: {first, second}.
struct Manner {
  std::array<double, 2> loss{};
  std::array<double, 2> queue{};
  std::array<Wander, 2> wander{};
};

std::vector<Manner> manners() {
  using enum Wander;
  std::vector<Manner> all;
  for (const double queue : {0.5, 1.0, 2.0, 8.0}) all.push_back({.queue = {queue, queue}});
  all.push_back({.queue = {0.5, 8}});
  all.push_back({.queue = {8, 0.5}});
  for (const double loss : {0.001, 0.01, 0.02}) {
    all.push_back({.loss = {loss, loss}, .queue = {2, 2}});
  }
  all.push_back({.loss = {0.01, 0}, .queue = {1, 1}});
  all.push_back({.loss = {0, 0.01}, .queue = {1, 1}});
  all.push_back({.queue = {4, 4}, .wander = {kRadio, kSteady}});
  all.push_back({.queue = {4, 4}, .wander = {kSteady, kRadio}});
  all.push_back({.queue = {2, 2}, .wander = {kRadio, kRadio}});
  return all;
}

// Sums of rates and shortest RTTs change from cell to cell, so that no figure of ours is tuned to
// one.
constexpr std::array kSums{8e6, 12e6, 16e6, 24e6};  // bit/s
constexpr std::array kShortest{10ms, 15ms, 20ms};

Cell make_cell(std::uint32_t id, const Geometry& geometry, const Manner& manner) {
  const double sum = kSums[(id * 7 / 3) % kSums.size()];
  const Duration shortest = kShortest[(id * 5 / 4) % kShortest.size()];
  const double share = geometry.rate_ratio / (geometry.rate_ratio + 1);
  const auto longer = [&](double ratio) {
    return Duration(static_cast<std::int64_t>(static_cast<double>(Duration(shortest).count()) *
                                              std::max(ratio, 1.0)));
  };
  Cell cell;
  cell.id = id;
  const std::array shares{share, 1 - share};
  const std::array rtts{longer(1 / geometry.rtt_ratio), longer(geometry.rtt_ratio)};
  for (std::size_t i = 0; i < 2; ++i) {
    cell.uplinks[i] = {.rate = Rate::bits_per_second(static_cast<std::uint64_t>(sum * shares[i])),
                       .rtt = rtts[i],
                       .loss = manner.loss[i],
                       .queue = manner.queue[i],
                       .wander = manner.wander[i]};
  }
  return cell;
}

// A bounded random walk, a step each 100 ms, scaled so that its mean is `mean`.
std::vector<sim::ScheduleStep> wandering(Rate mean, std::uint64_t seed) {
  constexpr int kSteps = 120;
  constexpr Duration kStep = 100ms;
  Random random(seed);
  std::vector<double> factors;
  double factor = 1;
  for (int i = 0; i < kSteps; ++i) {
    factor = std::clamp(factor + (random.unit() - 0.5) * 0.6, 0.2, 2.0);
    factors.push_back(factor);
  }
  double sum = 0;
  for (const double f : factors) sum += f;
  std::vector<sim::ScheduleStep> steps;
  for (int i = 0; i < kSteps; ++i) {
    const double rate = static_cast<double>(mean.bytes_per_second()) *
                        factors[static_cast<std::size_t>(i)] * kSteps / sum;
    steps.push_back(
        {.at = i * kStep, .rate = Rate::bytes_per_second(static_cast<std::uint64_t>(rate))});
  }
  return steps;
}

std::string times(double queue) { return fmt::format("{:g}", queue); }

}  // namespace

std::uint64_t Cell::bulk_bytes() const {
  const Duration longest = std::max(uplinks[0].rtt, uplinks[1].rtt);
  const std::uint64_t sum = uplinks[0].rate.bytes_per_second() + uplinks[1].rate.bytes_per_second();
  return Rate::bytes_per_second(sum).bytes_in(std::max<Duration>(20 * longest, 10s));
}

Rate Cell::ceiling() const {
  const std::uint64_t sum = uplinks[0].rate.bytes_per_second() + uplinks[1].rate.bytes_per_second();
  return Rate::bytes_per_second(sum * 1420 / kPacket);
}

std::string Cell::describe() const {
  const auto mbit = [](Rate rate) { return static_cast<double>(rate.bits_per_second()) / 1e6; };
  const auto& [a, b] = uplinks;
  std::string text =
      fmt::format("{:.1f}+{:.1f} Mbit/s {}+{} ms, queue {}+{}", mbit(a.rate), mbit(b.rate),
                  to_ms(a.rtt), to_ms(b.rtt), times(a.queue), times(b.queue));
  if (!lossless()) text += fmt::format(", loss {:g}+{:g} %", a.loss * 100, b.loss * 100);
  const auto radio = [](const Uplink& u) {
    return u.wander == Wander::kRadio ? "radio" : "steady";
  };
  if (a.wander != b.wander || a.wander == Wander::kRadio) {
    text += fmt::format(", {}+{}", radio(a), radio(b));
  }
  return text;
}

const std::vector<Cell>& matrix() {
  static const std::vector<Cell> cells = [] {
    std::vector<Cell> all;
    for (const Manner& manner : manners()) {
      for (const Geometry& geometry : geometries()) {
        all.push_back(make_cell(static_cast<std::uint32_t>(all.size()), geometry, manner));
      }
    }
    return all;
  }();
  return cells;
}

sim::LinkSettings link_settings(const Uplink& uplink, std::uint64_t seed) {
  const double queue = static_cast<double>(uplink.rate.bytes_in(uplink.rtt)) * uplink.queue;
  sim::LinkSettings settings;
  settings.rate = uplink.rate;
  settings.delay = uplink.rtt / 2;
  settings.queue_bytes = std::max(static_cast<std::uint64_t>(queue), kShortestQueue * kPacket);
  settings.loss = uplink.loss;
  settings.mtu = kPacket;
  if (uplink.wander == Wander::kRadio) {
    settings.schedule = wandering(uplink.rate, seed);
    settings.schedule_period = settings.schedule.back().at + 100ms;
  }
  return settings;
}

}  // namespace braid::law
