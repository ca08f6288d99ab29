#include "stack/sched/load_meter.h"

#include <doctest/doctest.h>

namespace braid::sched {
namespace {

constexpr double kMegabyte = 1e6;

struct Metered {
  LoadMeter meter;
  Instant now{1s};

  void run(Duration time, Rate rate, LoadMeter::Full full) {
    for (const Instant end = now + time; now < end;) {
      now += LoadMeter::kTick;
      meter.tick(rate.bytes_in(LoadMeter::kTick), full, now);
    }
  }
  double rate() const { return static_cast<double>(meter.rate().bytes_per_second()) / kMegabyte; }
  double capacity() const {
    return static_cast<double>(meter.capacity().bytes_per_second()) / kMegabyte;
  }
};

constexpr Rate kFive = Rate::bytes_per_second(5'000'000);
constexpr Rate kTwo = Rate::bytes_per_second(2'000'000);

}  // namespace

TEST_SUITE_BEGIN("sched");
TEST_CASE("load meter: the rate follows what is carried within a second or two") {
  Metered m;
  m.run(2s, kFive, LoadMeter::Full::kNo);
  CHECK(m.rate() == doctest::Approx(5).epsilon(0.01));
  m.run(200ms, kTwo, LoadMeter::Full::kNo);
  CHECK(m.rate() > 3);  // a short lull is smoothed
  m.run(2s, kTwo, LoadMeter::Full::kNo);
  CHECK(m.rate() == doctest::Approx(2).epsilon(0.01));
}

TEST_CASE("load meter: only a link that was full shows what it can carry") {
  Metered m;
  m.run(5s, kFive, LoadMeter::Full::kNo);
  CHECK(m.capacity() == 0);
  m.run(2s, kTwo, LoadMeter::Full::kYes);
  CHECK(m.capacity() == doctest::Approx(5).epsilon(0.3));  // the lull was smoothed, too
  m.run(200s, kTwo, LoadMeter::Full::kYes);
  CHECK(m.capacity() == doctest::Approx(2).epsilon(0.01));
}

TEST_CASE("load meter: the best of the last half minute at least is remembered, full or not") {
  Metered m;
  m.run(3s, kFive, LoadMeter::Full::kYes);
  m.run(28s, kTwo, LoadMeter::Full::kYes);
  CHECK(m.capacity() > 4);
  m.run(300s, kTwo, LoadMeter::Full::kNo);
  CHECK(m.capacity() > 4);  // it has shown nothing else since
}

TEST_CASE("load meter: a pause is no measurement") {
  Metered m;
  m.run(2s, kFive, LoadMeter::Full::kNo);
  m.now += 10s;
  m.meter.tick(1'000'000, LoadMeter::Full::kYes, m.now);
  CHECK(m.rate() == 0);
  CHECK(m.capacity() == 0);
}
TEST_SUITE_END();

}  // namespace braid::sched
