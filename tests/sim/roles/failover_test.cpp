// Failover: how long the receiving application waits when an uplink dies under a transfer, in
// virtual time, how soon it has the whole of what is left, and how soon an uplink that is back
// carries again. Nothing may be lost and nothing reset.
//
// The stall is the longest pause between two deliveries to the application after the cut. A few
// seeds by default; BRAID_FAILOVER_SEEDS=100 makes the figures, which are printed then.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {
namespace {

constexpr std::uint64_t kEndless = 1'000'000'000;  // bytes; never all sent

// Sanitizers make a trial ten times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kSeeds = 1;
#else
constexpr std::uint64_t kSeeds = 4;
#endif

std::uint64_t seeds() {
  const char* wanted = std::getenv("BRAID_FAILOVER_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : kSeeds;
}
bool figures_wanted() { return std::getenv("BRAID_FAILOVER_SEEDS") != nullptr; }

enum class Cut { kInterfaceDown, kBlackHole };
enum class Direction { kUp, kDown };
enum class Victim { kFast, kSlow };

struct Case {
  Cut cut;
  Direction direction;
  Victim victim;
};

class Trial {
 public:
  Trial(std::uint64_t seed, const Case& what) : net_(seed, links()), what_(what), chance_(seed) {
    const bool up = what.direction == Direction::kUp;
    net_.server->listen(80, [up] {
      return AppScript{.send_bytes = up ? 1 : kEndless, .send_stream = 2, .expect_stream = 1};
    });
    client_ = &net_.client->connect(
        net_.server_at(80), {.send_bytes = up ? kEndless : 1, .send_stream = 1, .expect_stream = 2},
        net_.world.now());
  }

  // Long enough for both windows to be grown, at no particular moment of their lives.
  void warm_up() { net_.world.run_for(1500ms + chance_.below(1'000'000) * 1us); }

  void cut() {
    cut_at_ = net_.world.now();
    if (what_.cut == Cut::kInterfaceDown) {
      net_.world.set_state(dying(), LinkState::kNoCarrier);
      net_.set_uplink_link(number(), gateway::UplinkState::Link::kDown);
    } else {
      net_.world.set_state(dying(), LinkState::kBlackHole);
    }
  }

  void mend() {
    net_.world.set_state(dying(), LinkState::kUp);
    if (what_.cut == Cut::kInterfaceDown) {
      net_.set_uplink_link(number(), gateway::UplinkState::Link::kUp);
    }
  }

  // The longest pause that ends within `time` from now.
  Duration longest_pause(Duration time) {
    std::uint64_t before = received();
    Instant last = net_.world.now();
    Duration longest{};
    pause_end_ = last;
    const Instant end = net_.world.now() + time;
    net_.world.run_until(
        [&] {
          const Instant now = net_.world.now();
          if (received() == before && now < end) return false;
          if (now - last > longest) {
            longest = now - last;
            pause_end_ = now;
          }
          before = received();
          last = now;
          return now >= end;
        },
        time);
    return std::max(longest, net_.world.now() - last);
  }
  Instant pause_end() const { return pause_end_; }

  // Bytes per second the application gets over `time` from now.
  double goodput(Duration time) {
    const std::uint64_t before = received();
    net_.world.run_for(time);
    return static_cast<double>(received() - before) / to_seconds(time);
  }
  double rate_left() const {
    const LinkSettings& link = what_.victim == Victim::kFast ? links().lte : links().dsl;
    return static_cast<double>(link.rate.bytes_in(1s)) * 1400 / 1500;
  }
  std::uint64_t carried_by_victim() {
    const Toward toward = what_.direction == Direction::kUp ? Toward::kB : Toward::kA;
    return net_.world.model(dying(), toward).stats().delivered_bytes;
  }

  TwoUplinks& net() { return net_; }
  bool whole() {
    return client_->intact() && !client_->closed() && !net_.server->apps().empty() &&
           net_.server->apps()[0]->intact() && !net_.server->apps()[0]->closed();
  }

 private:
  static TwoUplinksSettings links() {
    TwoUplinksSettings settings;
    settings.dsl.jitter = 2ms;
    settings.lte.jitter = 5ms;
    return settings;
  }
  std::size_t number() const { return what_.victim == Victim::kFast ? 0 : 1; }
  LinkId dying() const { return number() == 0 ? net_.dsl : net_.lte; }
  std::uint64_t received() const {
    if (what_.direction == Direction::kDown) return client_->received();
    return net_.server->apps().empty() ? 0 : net_.server->apps()[0]->received();
  }

  TwoUplinks net_;
  Case what_;
  Random chance_;
  App* client_ = nullptr;
  Instant cut_at_;
  Instant pause_end_;
};

struct Result {
  Duration stall{};
  double goodput = 0;  // share of the remaining link, in the second that begins one after the stall
  Duration back{};     // from the link's return until it has carried 20 kB
};

Result run_trial(std::uint64_t seed, const Case& what) {
  Result result;
  Trial trial(seed, what);
  trial.warm_up();
  trial.cut();
  result.stall = trial.longest_pause(1s);
  World& world = trial.net().world;
  if (trial.pause_end() + 1s > world.now()) world.run_for(trial.pause_end() + 1s - world.now());
  result.goodput = trial.goodput(1s) / trial.rate_left();
  const std::uint64_t carried = trial.carried_by_victim();
  const Instant mended = world.now();
  trial.mend();
  world.run_until([&] { return trial.carried_by_victim() > carried + 20'000; }, 20s);
  result.back = world.now() - mended;
  CAPTURE(seed);
  CHECK(trial.whole());
  return result;
}

// The value that 99 of 100 do not exceed; of fewer, the largest.
template <typename T>
T p99(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() * 99 - 1) / 100];
}

void check_failover(const Case& what, const std::string& name, Duration most) {
  std::vector<Duration> stalls, backs;
  std::vector<double> shortfalls;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    const Result result = run_trial(seed, what);
    stalls.push_back(result.stall);
    backs.push_back(result.back);
    shortfalls.push_back(1 - result.goodput);
  }
  CAPTURE(name);
  CHECK(p99(stalls) <= most);
  CHECK(p99(backs) <= 1s);
  CHECK(p99(shortfalls) <= 0.1);
  if (!figures_wanted()) return;
  std::sort(stalls.begin(), stalls.end());
  std::sort(backs.begin(), backs.end());
  std::sort(shortfalls.begin(), shortfalls.end());
  const auto ms = [](Duration d) { return static_cast<int>(to_seconds(d) * 1000 + 0.5); };
  MESSAGE(name << ": stall median " << ms(stalls[stalls.size() / 2]) << " p99 " << ms(p99(stalls))
               << " max " << ms(stalls.back()) << " ms; goodput after it median "
               << 1 - shortfalls[shortfalls.size() / 2] << " worst " << 1 - shortfalls.back()
               << "; used again median " << ms(backs[backs.size() / 2]) << " p99 " << ms(p99(backs))
               << " ms");
}

void check_all(Cut cut, Duration most) {
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    for (const Victim victim : {Victim::kFast, Victim::kSlow}) {
      check_failover({cut, direction, victim},
                     std::string(direction == Direction::kUp ? "upload" : "download") +
                         (victim == Victim::kFast ? ", fast link dies" : ", slow link dies"),
                     most);
    }
  }
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("an interface that goes down stalls a transfer for 150 ms at most") {
  check_all(Cut::kInterfaceDown, 150ms);
}

TEST_CASE("a link that falls silent stalls a transfer for 500 ms at most") {
  check_all(Cut::kBlackHole, 500ms);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
