#include "tests/sim/law/measure.h"

#include <algorithm>

namespace braid::law {
namespace {

// What nobody waits for: many times what a healthy transfer takes.
Duration patience(const Cell& cell, std::uint64_t bytes) {
  const Duration longest = std::max(cell.uplinks[0].rtt, cell.uplinks[1].rtt);
  return cell.uplinks[0].rate.time_for(bytes) * 60 + longest * 60 + 10s;
}

struct Timed {
  Measured measured;
  Hints hints;
};

Timed compare(const Cell& cell, Transfer transfer) {
  const Duration longest = patience(cell, transfer.bytes);
  transfer.limit = longest;
  Timed timed;
  transfer.way = Way::kBonded;
  const Outcome bonded = Net(cell, transfer).run();
  timed.measured.finished = bonded.time.has_value();
  timed.measured.bonded = to_seconds(bonded.time.value_or(longest));
  timed.hints = bonded.hints;
  // The better of the two: the second need not be waited for longer than the first took.
  for (const Way way : {Way::kFirst, Way::kSecond}) {
    transfer.way = way;
    if (const auto time = Net(cell, transfer).run().time) transfer.limit = *time;
  }
  timed.measured.alone = to_seconds(transfer.limit);
  return timed;
}

}  // namespace

Result measure(const Cell& cell, Direction direction, std::uint64_t seed, const Terms& terms) {
  Transfer transfer;
  transfer.direction = direction;
  transfer.seed = seed;
  transfer.alone = terms.alone;
  transfer.bundle = terms.bundle;
  transfer.start = terms.start;

  Result result{.cell = cell.id, .direction = direction, .seed = seed};
  transfer.bytes = cell.bulk_bytes();
  const Timed bulk = compare(cell, transfer);
  result.bulk = bulk.measured;
  result.hints = bulk.hints;
  if (!terms.small) return result;
  for (std::size_t i = 0; i < kSmall.size(); ++i) {
    transfer.bytes = kSmall[i];
    result.small[i] = compare(cell, transfer).measured;
  }
  return result;
}

}  // namespace braid::law
