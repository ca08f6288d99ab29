#include "tests/sim/law/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace braid::law {
namespace {

// All seeds of a cell in one direction.
struct Row {
  const Cell* cell = nullptr;
  Direction direction = Direction::kDown;
  std::vector<const Result*> runs;
  double median = 0, least = 0;   // speed beside the better uplink
  double ceiling = 0;             // median share of the ceiling
  std::array<double, 3> small{};  // median time beside the better uplink's; 0: not measured
  bool finished = true;
};

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];  // of an even number the lower one: no flattery
}

double ceiling_share(const Cell& cell, const Result& result) {
  const double best = static_cast<double>(cell.bulk_bytes()) /
                      static_cast<double>(cell.ceiling().bytes_per_second());
  return best / result.bulk.bonded;
}

void fill_in(Row& row) {
  std::vector<double> speeds;
  std::vector<double> shares;
  for (const Result* run : row.runs) {
    speeds.push_back(run->bulk.speed());
    shares.push_back(ceiling_share(*row.cell, *run));
    row.finished = row.finished && run->bulk.finished;
  }
  row.median = median_of(speeds);
  row.least = *std::min_element(speeds.begin(), speeds.end());
  row.ceiling = median_of(shares);
  for (std::size_t i = 0; i < kSmall.size(); ++i) {
    std::vector<double> times;
    for (const Result* run : row.runs) {
      // Negated, so that the median of an even number is the slower one.
      if (run->small[i]) times.push_back(-run->small[i]->bonded / run->small[i]->alone);
    }
    if (!times.empty()) row.small[i] = -median_of(times);
  }
}

std::vector<Row> rows_of(const Results& results) {
  std::vector<Row> rows;
  for (const auto& [key, result] : results) {
    if (result.cell >= matrix().size()) continue;
    const Cell* cell = &matrix()[result.cell];
    if (rows.empty() || rows.back().cell != cell || rows.back().direction != result.direction) {
      rows.push_back({.cell = cell, .direction = result.direction});
    }
    rows.back().runs.push_back(&result);
  }
  for (Row& row : rows) fill_in(row);
  return rows;
}

const char* name(Direction direction) { return direction == Direction::kDown ? "down" : "up"; }

std::string line_of(const Row& row) {
  return fmt::format("{:>3} {:<4} {:>5.2f} {:>5.2f}  {:>5.2f}  {:>5.2f} {:>5.2f} {:>5.2f}  {}{}\n",
                     row.cell->id, name(row.direction), row.median, row.least, row.ceiling,
                     row.small[0], row.small[1], row.small[2], row.cell->describe(),
                     row.finished ? "" : "  NOT FINISHED");
}

const char* why(const Row& row, const Hints& h) {
  const Duration window = std::max(h.by_window[0], h.by_window[1]);
  const Duration other = std::max(h.by_other[0], h.by_other[1]);
  const double time = row.runs.front()->bulk.bonded;
  const auto share = [&](Duration d) { return to_seconds(d) / time; };
  const double bytes = static_cast<double>(row.cell->bulk_bytes());
  if (static_cast<double>(h.reinjected) > 0.1 * bytes) return "much was sent twice";
  if (share(window) > 0.15) return "the window was used up";
  if (share(other) > 0.15) return "a path was left idle";
  if (h.timeouts > 3) return "timeouts";
  return "congestion windows (loss, slow growth)";
}

}  // namespace

Verdict judge(const Results& results) {
  Verdict verdict;
  for (const Row& row : rows_of(results)) {
    ++verdict.rows;
    verdict.seeds = verdict.rows == 1 ? row.runs.size() : std::min(verdict.seeds, row.runs.size());
    verdict.slower += row.median < kLeast;
    verdict.least = verdict.rows == 1 ? row.median : std::min(verdict.least, row.median);
    if (row.cell->lossless()) {
      ++verdict.lossless_rows;
      verdict.below_ceiling += row.ceiling < kCeiling;
    }
    for (std::size_t i = 0; i < kSmall.size(); ++i) {
      verdict.slow_small[i] += row.small[i] > kMostSmall;
    }
  }
  return verdict;
}

std::string table(const Results& results) {
  std::string text =
      "cell       beside the better  share   time beside the better\n"
      "           uplink alone       of the  uplink alone\n"
      "           median worst      ceiling  10 kB 100 kB  1 MB  uplinks\n";
  for (const Row& row : rows_of(results)) text += line_of(row);
  return text;
}

std::string summary(const Results& results) {
  const Verdict v = judge(results);
  const auto percent = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  std::string text = fmt::format(
      "{} rows (cells x directions), at least {} seed(s) each\n"
      "below {:.2f} of the better uplink alone: {} ({:.1f} %); the worst {:.2f}\n"
      "without loss at {:.2f} of the ceiling or more: {} of {} ({:.1f} %)\n",
      v.rows, v.seeds, kLeast, v.slower, percent(v.slower, v.rows), v.least, kCeiling,
      v.lossless_rows - v.below_ceiling, v.lossless_rows,
      percent(v.lossless_rows - v.below_ceiling, v.lossless_rows));
  for (std::size_t i = 0; i < kSmall.size(); ++i) {
    text += fmt::format("{} kB slower than {:.1f} x the better uplink's time: {} ({:.1f} %)\n",
                        kSmall[i] / 1000, kMostSmall, v.slow_small[i],
                        percent(v.slow_small[i], v.rows));
  }
  return text;
}

std::string worst(const Results& results, std::size_t count) {
  std::vector<Row> rows = rows_of(results);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.median < b.median; });
  if (rows.size() > count) rows.resize(count);
  std::string text;
  for (const Row& row : rows) {
    const Result* run = *std::min_element(
        row.runs.begin(), row.runs.end(),
        [](const Result* a, const Result* b) { return a->bulk.speed() < b->bulk.speed(); });
    const Hints& h = run->hints;
    text += line_of(row);
    text += fmt::format(
        "      {}; used {:.2f} {:.2f}, ms idle for the window {} {}, else {} {}, reinjected {} kB, "
        "retransmitted {} kB, timeouts {}, window {} kB (seed {})\n",
        why(row, h), h.used[0], h.used[1], to_ms(h.by_window[0]), to_ms(h.by_window[1]),
        to_ms(h.by_other[0]), to_ms(h.by_other[1]), h.reinjected / 1000, h.retransmitted / 1000,
        h.timeouts, h.capacity / 1000, run->seed);
  }
  return text;
}

}  // namespace braid::law
