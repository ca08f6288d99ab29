// Scoreboard against an array with one entry per position.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "stack/tcp/scoreboard.h"
#include "tests/property/seeds.h"

TEST_SUITE_BEGIN("property");

using namespace braid;
using braid::tcp::Scoreboard;

namespace {

using Fate = Scoreboard::Fate;

struct Cell {
  Fate fate = Fate::kInFlight;
  std::uint64_t order = 0;
  bool retransmitted = false;
};

class Model {
 public:
  std::uint64_t una = 0;
  std::uint64_t highest = 0;
  std::uint64_t order = 0;
  std::vector<Cell> cells;  // of every position ever sent

  std::uint64_t nxt() const { return cells.size(); }
  void append(std::uint64_t end) {
    ++order;
    while (cells.size() < end) cells.push_back({.order = order});
  }
  void retransmit(std::uint64_t begin, std::uint64_t end) {
    ++order;
    for (; begin < end; ++begin) cells[begin] = {.order = order, .retransmitted = true};
  }
  struct Counts {
    std::uint64_t acked = 0, delivered = 0, sacked = 0, newest_order = 0, newest_end = 0;
    bool reordered = false;
  };
  Counts acknowledge(std::uint64_t ack, const std::vector<Interval>& sack) {
    Counts counts;
    const std::uint64_t highest_before = highest;
    const auto deliver = [&](std::uint64_t p) {
      ++counts.delivered;
      const Cell& cell = cells[p];
      if (cell.order > counts.newest_order ||
          (cell.order == counts.newest_order && p + 1 > counts.newest_end)) {
        counts.newest_order = cell.order;
        counts.newest_end = p + 1;
      }
    };
    for (; una < ack; ++una) {
      ++counts.acked;
      if (cells[una].fate != Fate::kSacked) deliver(una);
      highest = std::max(highest, una + 1);
    }
    for (const Interval& block : sack) {
      if (block.begin >= block.end || block.end <= una || block.end > nxt()) continue;
      for (std::uint64_t p = std::max(block.begin, una); p < block.end; ++p) {
        if (cells[p].fate != Fate::kSacked) {
          ++counts.sacked;
          deliver(p);
          if (!cells[p].retransmitted && p + 1 < highest_before) counts.reordered = true;
        }
        cells[p].fate = Fate::kSacked;
      }
      highest = std::max(highest, block.end);
    }
    return counts;
  }
  std::uint64_t count(Fate fate) const {
    std::uint64_t n = 0;
    for (std::uint64_t p = una; p < nxt(); ++p) n += cells[p].fate == fate ? 1 : 0;
    return n;
  }
  void turn(Fate from, Fate to) {
    for (std::uint64_t p = una; p < nxt(); ++p) {
      if (cells[p].fate == from) cells[p].fate = to;
    }
  }
};

void compare(const Scoreboard& board, const Model& model) {
  board.validate();
  REQUIRE(board.una() == model.una);
  REQUIRE(board.nxt() == model.nxt());
  REQUIRE(board.sacked() == model.count(Fate::kSacked));
  REQUIRE(board.lost() == model.count(Fate::kLost));
  REQUIRE(board.in_flight() == model.count(Fate::kInFlight));
  REQUIRE(board.highest_delivered() == model.highest);
  std::uint64_t lowest_lost = model.nxt();
  std::uint64_t oldest = model.nxt();
  for (std::uint64_t p = model.nxt(); p-- > model.una;) {
    const Cell& cell = model.cells[p];
    if (cell.fate == Fate::kLost) lowest_lost = p;
    const bool older = oldest == model.nxt() || cell.order <= model.cells[oldest].order;
    if (cell.fate == Fate::kInFlight && older) oldest = p;
  }
  const auto* lost = board.lowest_lost();
  REQUIRE((lost == nullptr ? model.nxt() : lost->begin) == lowest_lost);
  const auto* first = board.oldest_in_flight();
  REQUIRE((first == nullptr ? model.nxt() : first->begin) == oldest);
  for (const auto& record : board.records()) {
    for (std::uint64_t p = record.begin; p < record.end; ++p) {
      REQUIRE(model.cells[p].fate == record.fate);
      if (record.fate != Fate::kSacked) REQUIRE(model.cells[p].order == record.order);
    }
  }
}

void acknowledge(Scoreboard& board, Model& model, Random& random, Instant now) {
  const std::uint64_t span = model.nxt() - model.una;
  const auto somewhere = [&] {
    return model.una + random.below(static_cast<std::uint32_t>(span) + 3) - random.below(2);
  };
  const std::uint64_t ack = random.chance(0.4)
                                ? model.una + random.below(static_cast<std::uint32_t>(span) / 2 + 1)
                                : model.una;
  std::vector<Interval> sack;
  for (std::uint32_t i = random.below(4); i > 0; --i) {
    const std::uint64_t begin = somewhere();
    sack.push_back({begin, begin + random.below(20)});
  }
  const auto expected = model.acknowledge(ack, sack);
  const auto actual = board.acknowledge({.ack = ack, .sack = sack, .now = now});
  REQUIRE(actual.newly_acked == expected.acked);
  REQUIRE(actual.newly_delivered == expected.delivered);
  REQUIRE(actual.newly_sacked == expected.sacked);
  if (expected.reordered) REQUIRE(actual.reordered);
  REQUIRE(actual.newest.has_value() == (expected.delivered > 0));
  if (actual.newest) {
    REQUIRE(actual.newest->sending.order == expected.newest_order);
    REQUIRE(actual.newest->sending.end == expected.newest_end);
  }
}

void judge(Scoreboard& board, Model& model, Random& random) {
  switch (random.below(5)) {
    case 0:
      board.mark_all_lost();
      model.turn(Fate::kInFlight, Fate::kLost);
      break;
    case 1:
      board.unmark_lost();
      model.turn(Fate::kLost, Fate::kInFlight);
      break;
    case 2: {
      const std::uint64_t length = random.below(10);
      const auto* first = board.first();
      const bool counts = first != nullptr && first->fate == Fate::kInFlight;
      const std::uint64_t end = counts ? std::min(first->end, model.una + length) : 0;
      board.mark_head_lost(length);
      for (std::uint64_t p = model.una; p < end; ++p) model.cells[p].fate = Fate::kLost;
      break;
    }
    default:
      if (const auto* oldest = board.oldest_in_flight()) {
        for (std::uint64_t p = oldest->begin; p < oldest->end; ++p) {
          model.cells[p].fate = Fate::kLost;
        }
        board.mark_lost(*oldest);
      }
  }
}

void retransmit(Scoreboard& board, Model& model, Random& random, Instant now) {
  const auto* lost = board.lowest_lost();
  const auto* target = random.chance(0.7) ? lost : board.oldest_in_flight();
  if (target == nullptr) return;
  const auto size = static_cast<std::uint32_t>(target->size());
  const std::uint64_t begin = target->begin + (random.chance(0.7) ? 0 : random.below(size));
  const auto left = static_cast<std::uint32_t>(target->end - begin);
  const std::uint64_t end = begin + 1 + random.below(left);
  board.retransmit(begin, end, 10, now);
  model.retransmit(begin, end);
}

}  // namespace

TEST_CASE("the scoreboard agrees with one cell per position about every fate") {
  test::for_seeds(300, [](Random& random) {
    Scoreboard board;
    Model model;
    Instant now{1s};
    for (int step = 0; step < 200; ++step) {
      now += 1ms;
      switch (random.below(4)) {
        case 0: {
          const std::uint64_t end = model.nxt() + 1 + random.below(40);
          board.append(end, 10, now);
          model.append(end);
          break;
        }
        case 1: acknowledge(board, model, random, now); break;
        case 2: judge(board, model, random); break;
        default: retransmit(board, model, random, now);
      }
      compare(board, model);
    }
  });
}

TEST_SUITE_END();
