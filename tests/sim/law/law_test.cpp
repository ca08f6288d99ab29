// What the judge itself promises, and what a bonded connection's buffers do meanwhile. The law is
// judged by the program `law`.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/sim/law/measure.h"
#include "tests/sim/law/table.h"

namespace braid::law {
namespace {

Cell cell_of(std::array<std::uint64_t, 2> mbit, std::array<Duration, 2> rtt) {
  Cell cell;
  for (std::size_t i = 0; i < 2; ++i) {
    cell.uplinks[i] = {.rate = Rate::bits_per_second(mbit[i] * 1'000'000), .rtt = rtt[i]};
  }
  return cell;
}

Outcome bonded(const Cell& cell, std::uint64_t bytes, std::size_t memory = 64U << 20) {
  Transfer transfer;
  transfer.bytes = bytes;
  transfer.memory = memory;
  return Net(cell, transfer).run();
}

}  // namespace

TEST_SUITE_BEGIN("law");
TEST_CASE("the matrix has 500 cells and more, and reaches the ends of what the law is owed for") {
  std::set<std::string> seen;
  double rates = 0, rtts = 0, loss = 0, least = 1e9, most = 0;
  bool radio = false;
  for (const Cell& cell : matrix()) {
    const auto& [a, b] = cell.uplinks;
    CHECK(matrix()[cell.id].id == cell.id);
    seen.insert(cell.describe());
    rates = std::max(rates, static_cast<double>(a.rate.bytes_per_second()) /
                                static_cast<double>(b.rate.bytes_per_second()));
    rtts = std::max(
        {rtts, to_seconds(a.rtt) / to_seconds(b.rtt), to_seconds(b.rtt) / to_seconds(a.rtt)});
    loss = std::max({loss, a.loss, b.loss});
    least = std::min({least, a.queue, b.queue});
    most = std::max({most, a.queue, b.queue});
    radio = radio || a.wander == Wander::kRadio;
    CHECK(cell.bulk_bytes() * 8 >=
          10 * (a.rate.bits_per_second() + b.rate.bits_per_second()) / 100 * 99);
  }
  CHECK(matrix().size() >= 500);
  CHECK(seen.size() == matrix().size());
  CHECK(rates == doctest::Approx(20).epsilon(0.001));
  CHECK(rtts == doctest::Approx(20).epsilon(0.001));
  CHECK(loss == 0.02);
  CHECK(least == 0.5);
  CHECK(most == 8);
  CHECK(radio);
}

TEST_CASE("a result survives its line of text, and half a line is none") {
  Result result{.cell = 12, .direction = Direction::kUp, .seed = 3};
  result.bulk = {.bonded = 10.5, .alone = 12.25, .finished = false};
  result.hints.used = {0.5, 0.25};
  result.hints.by_window = {20ms, 30ms};
  result.hints.timeouts = 7;
  result.small[0] = Measured{.bonded = 0.5, .alone = 0.25};
  const std::string line = to_line(result);
  std::istringstream in(line + "\n" + line.substr(0, line.size() - 2) + "\nnonsense\n");
  const Results back = read_results(in);
  REQUIRE(back.size() == 1);
  CHECK(to_line(back.begin()->second) == line);
  CHECK_FALSE(from_line(line.substr(0, line.size() - 4)));
}

TEST_CASE("a row counts as slower by its median, and as unfinished by any seed") {
  Results results;
  for (const double alone : {9.0, 9.6, 20.0}) {
    Result result{.cell = 0, .seed = results.size() + 1};
    result.bulk = {.bonded = 10, .alone = alone, .finished = alone < 20};
    results[result.key()] = result;
  }
  CHECK(judge(results).slower == 0);
  CHECK(table(results).find("NOT FINISHED") != std::string::npos);
  results.erase({0, Direction::kDown, 3});
  CHECK(judge(results).slower == 1);  // of two the worse
  CHECK(judge(results).least == doctest::Approx(0.9));
}

TEST_CASE("the same seed gives the same times, and the slower uplink alone is never the better") {
  const Cell cell = matrix()[100];
  const Terms terms{.small = false};
  const Result one = measure(cell, Direction::kDown, 5, terms);
  CHECK(to_line(one) == to_line(measure(cell, Direction::kDown, 5, terms)));
  Transfer transfer{.bytes = cell.bulk_bytes(), .seed = 5};
  for (const Way way : {Way::kFirst, Way::kSecond}) {
    transfer.way = way;
    CHECK(to_seconds(*Net(cell, transfer).run().time) >= one.bulk.alone - 1e-4);
  }
}

TEST_CASE(
    "the receive window follows rates times the slowest RTT, and stays small where that is small") {
  const Outcome near = bonded(cell_of({8, 4}, {10ms, 10ms}), 6'000'000);
  const Outcome far = bonded(cell_of({16, 8}, {20ms, 300ms}), 12'000'000);
  REQUIRE(near.time);
  REQUIRE(far.time);
  CHECK(near.hints.capacity <= 256 * 1024);  // rates x RTT: 15 kB, and the queues as much again
  CHECK(far.hints.capacity >= 1024 * 1024);  // 900 kB
  CHECK(far.hints.by_window[0] < *far.time / 10);
}

TEST_CASE(
    "while memory is scarce rooms stop growing, nobody holds more than the budget, and all "
    "arrives") {
  const Cell cell = cell_of({16, 8}, {20ms, 300ms});
  for (const std::size_t budget : {384U * 1024, 1024U * 1024}) {
    const Outcome tight = bonded(cell, 4'000'000, budget);
    REQUIRE(tight.time);
    CHECK(tight.hints.memory[0] <= budget);
    CHECK(tight.hints.memory[1] <= budget);
    CHECK(tight.hints.capacity <= budget / 4);
  }
}
TEST_SUITE_END();

}  // namespace braid::law
