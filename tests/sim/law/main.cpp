// law: "bonded is never slower", tried on a matrix of simulated uplinks. See cell.h and net.h for
// what is simulated, docs/law.md for what came of it.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/law/measure.h"
#include "tests/sim/law/table.h"

namespace {

using namespace braid;

constexpr const char* kUsage =
    R"(usage: law run FILE [options]    measures, one line per cell, direction and seed, appended to FILE;
                                 what FILE holds already is not measured again
       law table FILE... [--worst N]   the table, the verdict, and the worst rows with hints
       law cells                 the matrix
       law short                 a few cells; fails when one is slower than 0.8 x its better uplink
options
  --cells A-B | --every N   only these; every Nth of all
  --seeds N                 1 to N (1)
  --part I/N                this process does the I-th of N parts (1/1)
  --direction down|up       only one
  --controller NAME         of the bonded connection (the shipped default)
  --scheduler NAME
  --alone NAME              the single uplink's controller (cubic)
  --start rtt|soonest       on the uplink with the shorter RTT, or where 15 kB are through first (soonest)
  --no-small                without the transfers of 10 kB, 100 kB and 1 MB
)";

struct Options {
  std::vector<std::string> files;
  std::uint32_t first = 0, last = UINT32_MAX, every = 1;
  std::uint64_t seeds = 1;
  std::uint32_t part = 1, parts = 1;
  bool down = true, up = true;
  std::size_t worst = 10;
  law::Terms terms;
};

[[noreturn]] void fail_usage() {
  std::fputs(kUsage, stderr);
  std::exit(2);
}

template <typename T>
T known(std::optional<T> value) {
  if (!value) fail_usage();
  return *value;
}

std::optional<law::Start> start_by_name(const std::string& name) {
  if (name == "rtt") return law::Start::kShortestRtt;
  if (name == "soonest") return law::Start::kSoonest;
  return std::nullopt;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&]() -> std::string {
      if (++i >= argc) fail_usage();
      return argv[i];
    };
    const auto number = [&] { return std::strtoul(value().c_str(), nullptr, 10); };
    const auto pair = [&](char between, std::uint32_t& a, std::uint32_t& b) {
      const std::string text = value();
      const auto at = text.find(between);
      a = static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
      b = at == std::string::npos
              ? a
              : static_cast<std::uint32_t>(std::strtoul(text.c_str() + at + 1, nullptr, 10));
    };
    if (word == "--cells")
      pair('-', o.first, o.last);
    else if (word == "--every")
      o.every = static_cast<std::uint32_t>(number());
    else if (word == "--seeds")
      o.seeds = number();
    else if (word == "--part")
      pair('/', o.part, o.parts);
    else if (word == "--worst")
      o.worst = number();
    else if (word == "--no-small")
      o.terms.small = false;
    else if (word == "--start")
      o.terms.start = known(start_by_name(value()));
    else if (word == "--controller")
      o.terms.bundle.algorithm = known(cc::algorithm_by_name(value()));
    else if (word == "--scheduler")
      o.terms.bundle.policy = known(sched::policy_by_name(value()));
    else if (word == "--alone")
      o.terms.alone = known(cc::algorithm_by_name(value()));
    else if (word == "--direction")
      (value() == "up" ? o.down : o.up) = false;
    else if (word.starts_with("--"))
      fail_usage();
    else
      o.files.emplace_back(word);
  }
  if (o.every == 0 || o.parts == 0) fail_usage();
  return o;
}

law::Results read(const std::vector<std::string>& files) {
  law::Results all;
  for (const std::string& file : files) {
    std::ifstream in(file);
    for (auto& [key, result] : law::read_results(in)) all[key] = result;
  }
  return all;
}

// Seeds are the outermost loop: after any time there is a pass over all cells to look at.
int run(const Options& o) {
  if (o.files.size() != 1) fail_usage();
  const law::Results done = read(o.files);
  std::ofstream out(o.files.front(), std::ios::app);
  for (std::uint64_t seed = 1; seed <= o.seeds; ++seed) {
    for (const law::Cell& cell : law::matrix()) {
      if (cell.id < o.first || cell.id > o.last || cell.id % o.every != 0) continue;
      if (cell.id / o.every % o.parts != o.part - 1) continue;
      for (const law::Direction direction : {law::Direction::kDown, law::Direction::kUp}) {
        if (!(direction == law::Direction::kDown ? o.down : o.up)) continue;
        if (done.contains({cell.id, direction, seed})) continue;
        out << law::to_line(law::measure(cell, direction, seed, o.terms)) << std::endl;
      }
    }
  }
  return 0;
}

int print_table(const Options& o) {
  const law::Results results = read(o.files);
  fmt::print("{}\n{}\nThe worst {}:\n{}", law::summary(results), law::table(results), o.worst,
             law::worst(results, o.worst));
  return 0;
}

int print_cells() {
  for (const law::Cell& cell : law::matrix()) fmt::print("{:>3} {}\n", cell.id, cell.describe());
  return 0;
}

// A gross breach in any of these is a bug, whatever the seed.
int run_short(const Options& o) {
  constexpr double kGross = 0.8;
  law::Results results;
  for (std::size_t id = 5; id < law::matrix().size(); id += 47) {
    law::Terms terms = o.terms;
    terms.small = false;
    const auto direction = id % 2 == 0 ? law::Direction::kDown : law::Direction::kUp;
    const law::Result result = law::measure(law::matrix()[id], direction, 1, terms);
    results[result.key()] = result;
  }
  fmt::print("{}", law::table(results));
  const law::Verdict verdict = law::judge(results);
  if (verdict.least >= kGross) return 0;
  fmt::print("slower than {} x the better uplink:\n{}", kGross, law::worst(results, 3));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail_usage();
  const std::string_view command = argv[1];
  const Options options = parse(argc, argv);
  if (command == "run") return run(options);
  if (command == "table") return print_table(options);
  if (command == "cells") return print_cells();
  if (command == "short") return run_short(options);
  fail_usage();
}
