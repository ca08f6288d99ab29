// fairness [shared|many|upgrade|disjoint|all] [--seeds N] [--seconds S] [--only NAME]
// Prints what each congestion controller takes from others and what its restraint costs, as tables.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/fairness/scenarios.h"

namespace braid::sim {
namespace {

struct Options {
  std::string what = "all";
  Effort effort;
  std::optional<cc::Algorithm> only;
};

template <typename Body>
void for_each_algorithm(const Options& options, Body body) {
  for (const std::string_view name : cc::algorithm_names()) {
    const cc::Algorithm algorithm = *cc::algorithm_by_name(name);
    if (options.only && *options.only != algorithm) continue;
    body(std::string(name), algorithm);
    std::fflush(stdout);
  }
}

void print_shared(const Options& options) {
  std::printf(
      "Two subflows (m) against one plain TCP (p) on 20 Mbit/s, 40 ms RTT; Mbit/s and Jain\n");
  std::printf("%-14s %-6s %-22s %6s %6s %6s %6s %7s\n", "controller", "plain", "ways, queue", "m",
              "p", "Jain", "used", "loss");
  for (const cc::Algorithm plain : {cc::Algorithm::kCubic, cc::Algorithm::kReno}) {
    const std::string plain_name(plain == cc::Algorithm::kCubic ? "cubic" : "reno");
    for_each_algorithm(options, [&](const std::string& name, cc::Algorithm algorithm) {
      for (const SharedWays ways : {SharedWays::kEqual, SharedWays::kUnequal}) {
        for (const Duration queue : {Duration(20ms), Duration(80ms)}) {
          const SharedResult r = shared_bottleneck(algorithm, plain, ways, queue, options.effort);
          const std::string kind = ways == SharedWays::kEqual ? "equal" : "unequal";
          std::printf("%-14s %-6s %-22s %6.2f %6.2f %6.3f %6.3f %6.2f%%\n", name.c_str(),
                      plain_name.c_str(),
                      (kind + ", " + std::to_string(to_ms(queue)) + " ms").c_str(), r.multipath,
                      r.plain, r.jain, r.utilisation, 100 * r.loss);
        }
      }
    });
  }
}

void print_many(const Options& options) {
  std::printf(
      "Connections of one host against one plain CUBIC on 20 Mbit/s, 40 ms RTT, 80 ms queue; "
      "Mbit/s\n");
  std::printf("%-14s %11s %6s %6s %6s %6s\n", "controller", "connections", "each", "plain", "ratio",
              "used");
  for_each_algorithm(options, [&](const std::string& name, cc::Algorithm algorithm) {
    for (const std::size_t connections : {1, 2, 4, 8}) {
      const ManyResult r = many_beside_one(algorithm, connections, options.effort);
      std::printf("%-14s %11zu %6.2f %6.2f %6.2f %6.3f\n", name.c_str(), connections, r.each,
                  r.plain, r.each / r.plain, r.utilisation);
    }
  });
}

void print_upgrade(const Options& options) {
  std::printf(
      "Four users upgrade to a second access that four others live on: shares of 2.5 Mbit/s\n");
  std::printf("%-14s %-6s %9s %9s %7s\n", "controller", "plain", "upgraded", "others", "loss");
  for (const cc::Algorithm plain : {cc::Algorithm::kCubic, cc::Algorithm::kReno}) {
    const char* const plain_name = plain == cc::Algorithm::kCubic ? "cubic" : "reno";
    const UpgradeResult before = upgrade(plain, plain, Upgrade::kNot, options.effort);
    std::printf("%-14s %-6s %9.3f %9.3f %6.2f%%\n", "(before)", plain_name, before.upgraded,
                before.others, 100 * before.loss);
    for_each_algorithm(options, [&](const std::string& name, cc::Algorithm algorithm) {
      const UpgradeResult r = upgrade(algorithm, plain, Upgrade::kDone, options.effort);
      std::printf("%-14s %-6s %9.3f %9.3f %6.2f%%\n", name.c_str(), plain_name, r.upgraded,
                  r.others, 100 * r.loss);
    });
  }
}

void print_disjoint(const Options& options) {
  struct Pair {
    const char* name;
    Bottleneck first, second;
  };
  const Pair pairs[] = {
      {"50/10 + 30/30 ms", {50, 100ms, 10ms}, {30, 100ms, 30ms}},
      {"20/20 + 20/20 ms", {20, 100ms, 20ms}, {20, 100ms, 20ms}},
      {"100/5 + 10/100 ms", {100, 100ms, 5ms}, {10, 100ms, 100ms}},
      {"40/10 + 2/10 ms", {40, 100ms, 10ms}, {2, 100ms, 10ms}},
      {"20/20 + 20/20 ms, 0.1 %", {20, 100ms, 20ms, 0.001}, {20, 100ms, 20ms, 0.001}},
      {"20/20 + 20/20 ms, 1 %", {20, 100ms, 20ms, 0.01}, {20, 100ms, 20ms, 0.01}},
      {"20/20 + 20/20 ms, 2 %", {20, 100ms, 20ms, 0.02}, {20, 100ms, 20ms, 0.02}},
  };
  std::printf("Alone on two links of its own; cubic on each alone beside it; Mbit/s\n");
  std::printf("%-14s %-24s %7s %8s %8s %9s %9s\n", "controller", "links", "both", "first", "second",
              "of sum", "of best");
  for (const Pair& pair : pairs) {
    const double first = alone(cc::Algorithm::kCubic, pair.first, options.effort);
    const double second = alone(cc::Algorithm::kCubic, pair.second, options.effort);
    for_each_algorithm(options, [&](const std::string& name, cc::Algorithm algorithm) {
      const double both = disjoint(algorithm, pair.first, pair.second, options.effort);
      std::printf("%-14s %-24s %7.2f %8.2f %8.2f %9.3f %9.3f\n", name.c_str(), pair.name, both,
                  first, second, both / (first + second), both / std::max(first, second));
    });
  }
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--seeds" && more) {
      options.effort.seeds = std::max(1UL, std::strtoul(argv[++i], nullptr, 10));
    } else if (word == "--seconds" && more) {
      options.effort.measured = std::chrono::seconds(std::strtol(argv[++i], nullptr, 10));
    } else if (word == "--only" && more) {
      options.only = cc::algorithm_by_name(argv[++i]);
      if (!options.only) return std::nullopt;
    } else if (word == "shared" || word == "many" || word == "upgrade" || word == "disjoint" ||
               word == "all") {
      options.what = word;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int run(int argc, char** argv) {
  const auto options = parse(argc, argv);
  if (!options) {
    std::fprintf(stderr,
                 "usage: fairness [shared|many|upgrade|disjoint|all] [--seeds N] [--seconds S] "
                 "[--only CONTROLLER]\n");
    return 2;
  }
  const auto wanted = [&](const char* table) {
    return options->what == "all" || options->what == table;
  };
  if (wanted("shared")) print_shared(*options);
  if (wanted("many")) print_many(*options);
  if (wanted("upgrade")) print_upgrade(*options);
  if (wanted("disjoint")) print_disjoint(*options);
  return 0;
}

}  // namespace
}  // namespace braid::sim

int main(int argc, char** argv) { return braid::sim::run(argc, argv); }
