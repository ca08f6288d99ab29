#include <doctest/doctest.h>

#include <sstream>
#include <vector>

#include "tools/linkemu/settings_text.h"

namespace braid::linkemu {
namespace {

DuplexSettings read(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  DuplexSettings settings;
  apply_words(words, settings);
  return settings;
}

}  // namespace

TEST_SUITE_BEGIN("sim");

TEST_CASE("the words of a link are understood") {
  const sim::LinkSettings got =
      read(
          "rate=50mbit delay=10ms jitter=2ms,reorder queue=100ms loss=1% burst=0.1,0.5 ber=1e-7 "
          "duplicate=0.02 reorder=3%,5ms mtu=1400 schedule=0s:30mbit,8s:down,10s:up period=20s")
          .up;
  const sim::LinkSettings expected{
      .rate = Rate::bits_per_second(50'000'000),
      .delay = 10ms,
      .jitter = 2ms,
      .jitter_order = sim::JitterOrder::kMayReorder,
      .queue_time = 100ms,
      .loss = 0.01,
      .burst = {.enter = 0.1, .leave = 0.5, .loss_when_bad = 1.0},
      .bit_error_rate = 1e-7,
      .duplicate = 0.02,
      .reorder = 0.03,
      .reorder_delay = 5ms,
      .mtu = 1400,
      .schedule = {{.at = 0s, .rate = Rate::bits_per_second(30'000'000)},
                   {.at = 8s, .state = sim::LinkState::kBlackHole},
                   {.at = 10s, .state = sim::LinkState::kUp}},
      .schedule_period = 20s};
  CHECK(got == expected);
}

TEST_CASE("a word may go for one direction only, and a later word wins") {
  const DuplexSettings got = read("rate=50mbit up:rate=10mbit down:delay=5ms queue=64kb queue=1ms");
  CHECK(got.up.rate == Rate::bits_per_second(10'000'000));
  CHECK(got.down.rate == Rate::bits_per_second(50'000'000));
  CHECK(got.up.delay == 0ms);
  CHECK(got.down.delay == 5ms);
  CHECK(got.up.queue_bytes == 0);
  CHECK(got.up.queue_time == 1ms);
}

TEST_CASE("what describe prints is read back as the same settings") {
  const DuplexSettings settings = read(
      "rate=1.5mbit delay=1500us jitter=1ms queue=64kb loss=0.5% burst=1%,20%,90% ber=1e-6 "
      "reorder=1%,7ms schedule=1s:unlimited,2s:nocarrier,3s:up period=4s");
  CHECK(read(describe(settings.up)).up == settings.up);
  CHECK(read(describe({})).up == sim::LinkSettings{});
}

TEST_CASE("a word that is wrong is named") {
  for (const char* line : {"rate=50", "rate=0mbit", "rate=fast", "delay=10", "delay=-1ms", "loss=2",
                           "loss=1x", "colour=red", "rate", "jitter=1ms,maybe", "burst=1",
                           "schedule=5s", "schedule=5s:up,4s:down", "schedule=5s:up period=4s"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(read(line), TextError);
  }
}

TEST_SUITE_END();

}  // namespace braid::linkemu
