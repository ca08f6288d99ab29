// sim_seeds: random worlds, one per seed. See plan.h for what is drawn, verdict.h for what is owed.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/random/diary.h"
#include "tests/sim/random/verdict.h"

namespace {

using namespace braid;

constexpr const char* kUsage = R"(usage: sim_seeds [options]
  --from A        the first seed (1)
  --count N       how many (100)
  --patience S    seconds of virtual time that what is owed may take once all is calm (600)
  --trace-check   every tenth seed runs twice and must give the same packets at the same times,
                  and both diaries (packets and roles in words) must agree
  --keep-going    report every failing seed, not only the first
  --verbose       one line per seed; the plan and each connection of those that fail
  --capture DIR   write pcap files of the first seed to DIR
  --diary FILE    write the first seed's diary to FILE
)";

struct Options {
  std::uint64_t from = 1;
  std::uint64_t count = 100;
  Duration patience = 600s;
  bool trace_check = false;
  bool keep_going = false;
  bool verbose = false;
  std::string capture;
  std::string diary;
};

[[noreturn]] void fail_usage() {
  std::fputs(kUsage, stderr);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&]() -> std::string {
      if (++i >= argc) fail_usage();
      return argv[i];
    };
    const auto number = [&] { return std::strtoull(value().c_str(), nullptr, 10); };
    if (word == "--from")
      options.from = number();
    else if (word == "--count")
      options.count = number();
    else if (word == "--patience")
      options.patience = std::chrono::seconds(number());
    else if (word == "--trace-check")
      options.trace_check = true;
    else if (word == "--keep-going")
      options.keep_going = true;
    else if (word == "--verbose")
      options.verbose = true;
    else if (word == "--capture")
      options.capture = value();
    else if (word == "--diary")
      options.diary = value();
    else
      fail_usage();
  }
  return options;
}

// A broken ENSURE ends the process: its seed must be known.
char crash_note[64];
std::size_t crash_note_length = 0;

void note_seed(std::uint64_t seed) {
  crash_note_length =
      static_cast<std::size_t>(std::snprintf(crash_note, sizeof crash_note, "seed %llu: crashed\n",
                                             static_cast<unsigned long long>(seed)));
}

void crashed(int signal) {
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, crash_note, crash_note_length);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

enum class Writing { kNo, kYes };

struct Run {
  sim::Outcome outcome;
  std::string diary;
};

Run run(std::uint64_t seed, const Options& options, Writing writing) {
  note_seed(seed);
  sim::RandomWorld net(sim::draw_plan(seed));
  if (!options.capture.empty() && seed == options.from) net.capture(options.capture);
  std::optional<sim::Diary> diary;
  if (writing == Writing::kYes) diary.emplace(net);
  Run result{sim::run_world(net, options.patience), {}};
  sim::Outcome& outcome = result.outcome;
  if (diary) {
    if (!outcome.failure) outcome.failure = diary->absurdity();
    result.diary = diary->text();
  }
  if (options.verbose) {
    fmt::print("seed {}: {:.3f} s, drained {:.1f} s, {} steps, trace {:016x}\n", seed,
               to_seconds(outcome.finished), to_seconds(outcome.drained), outcome.steps,
               outcome.trace_hash);
    if (outcome.failure) {
      fmt::print("{}{}", sim::describe(net.plan()), sim::describe_connections(net));
    }
  }
  return result;
}

bool passes(std::uint64_t seed, const Options& options) {
  const bool twice = options.trace_check && seed % 10 == 0;
  const bool kept = !options.diary.empty() && seed == options.from;
  Run first = run(seed, options, twice || kept ? Writing::kYes : Writing::kNo);
  std::optional<std::string>& failure = first.outcome.failure;
  if (kept) std::ofstream(options.diary) << first.diary;
  if (!failure && twice) {
    const Run second = run(seed, options, Writing::kYes);
    if (first.diary != second.diary) {
      failure = "two runs differ: " + sim::first_difference(first.diary, second.diary);
    } else if (first.outcome.trace_hash != second.outcome.trace_hash) {
      failure = "two runs differ";
    }
  }
  if (failure) {
    fmt::print("seed {}: {}\n", seed, *failure);
    std::fflush(stdout);
  }
  return !failure;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::signal(SIGABRT, crashed);
  std::signal(SIGSEGV, crashed);
  std::uint64_t failed = 0, ran = 0;
  for (std::uint64_t seed = options.from; seed < options.from + options.count; ++seed) {
    ++ran;
    if (passes(seed, options)) continue;
    ++failed;
    if (!options.keep_going) break;
  }
  fmt::print("{} seeds, {} failed\n", ran, failed);
  return failed == 0 ? 0 : 1;
}
