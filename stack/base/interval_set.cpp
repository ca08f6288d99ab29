#include "stack/base/interval_set.h"

#include <algorithm>
#include <iterator>

#include "stack/base/ensure.h"

namespace braid {
namespace {

// The first range that ends after `position`: it holds `position` or lies right of it.
template <typename Ranges>
auto first_ending_after(Ranges& ranges, std::uint64_t position) {
  return std::upper_bound(ranges.begin(), ranges.end(), position,
                          [](std::uint64_t p, const Interval& range) { return p < range.end; });
}

}  // namespace

std::uint64_t IntervalSet::insert(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return 0;
  // From the first range that touches or overlaps to one past the last that does.
  const auto first =
      std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                       [](const Interval& range, std::uint64_t p) { return range.end < p; });
  auto last = first;
  std::uint64_t already = 0;
  Interval merged{begin, end};
  for (; last != ranges_.end() && last->begin <= end; ++last) {
    already += std::min(last->end, end) - std::max(last->begin, begin);
    merged.begin = std::min(merged.begin, last->begin);
    merged.end = std::max(merged.end, last->end);
  }
  if (first == last) {
    ranges_.insert(first, merged);
  } else {
    *first = merged;
    ranges_.erase(std::next(first), last);
  }
  return end - begin - already;
}

void IntervalSet::erase(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto first = first_ending_after(ranges_, begin);
  if (first == ranges_.end() || first->begin >= end) return;
  if (first->begin < begin && first->end > end) {  // a hole in the middle of one range
    const Interval right{end, first->end};
    first->end = begin;
    ranges_.insert(std::next(first), right);
    return;
  }
  if (first->begin < begin) {
    first->end = begin;
    ++first;
  }
  auto last = first;
  while (last != ranges_.end() && last->end <= end) ++last;
  if (last != ranges_.end() && last->begin < end) last->begin = end;
  ranges_.erase(first, last);
  if (ranges_.empty()) std::vector<Interval>().swap(ranges_);
}

std::uint64_t IntervalSet::total() const {
  std::uint64_t sum = 0;
  for (const Interval& range : ranges_) sum += range.size();
  return sum;
}

bool IntervalSet::contains(std::uint64_t position) const {
  const auto it = first_ending_after(ranges_, position);
  return it != ranges_.end() && it->begin <= position;
}

bool IntervalSet::covers(std::uint64_t begin, std::uint64_t end) const {
  if (begin >= end) return true;
  const auto it = first_ending_after(ranges_, begin);
  return it != ranges_.end() && it->begin <= begin && end <= it->end;
}

Interval IntervalSet::find(std::uint64_t position) const {
  const auto it = first_ending_after(ranges_, position);
  if (it == ranges_.end() || it->begin > position) return {position, position};
  return *it;
}

Interval IntervalSet::gap(std::uint64_t position, std::uint64_t limit) const {
  if (position >= limit) return {limit, limit};
  auto it = first_ending_after(ranges_, position);
  if (it != ranges_.end() && it->begin <= position) {
    position = it->end;  // ranges never touch, so a gap starts here
    ++it;
  }
  if (position >= limit) return {limit, limit};
  return {position, it == ranges_.end() ? limit : std::min(limit, it->begin)};
}

void IntervalSet::validate() const {
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    ENSURE(ranges_[i].begin < ranges_[i].end);
    ENSURE(i == 0 || ranges_[i - 1].end < ranges_[i].begin);
  }
}

}  // namespace braid
