// IntervalSet: disjoint half-open ranges of 64-bit positions, kept merged and in ascending order.
//
// Receivers keep what arrived out of order in it, scoreboards what was SACKed. Small and sorted:
// a handful of ranges in practice, so a flat vector beats a tree. An empty set holds no memory.
#pragma once

#include <cstdint>
#include <vector>

namespace braid {

struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

class IntervalSet {
 public:
  // Adds [begin, end); merges what touches. Returns the bytes that were new.
  std::uint64_t insert(std::uint64_t begin, std::uint64_t end);
  // Removes [begin, end) from every range.
  void erase(std::uint64_t begin, std::uint64_t end);
  // Removes everything below `position`.
  void erase_below(std::uint64_t position) { erase(0, position); }

  bool empty() const { return ranges_.empty(); }
  std::uint64_t total() const;  // positions covered
  bool contains(std::uint64_t position) const;
  bool covers(std::uint64_t begin, std::uint64_t end) const;
  // The range that holds `position`, or an empty one at `position`.
  Interval find(std::uint64_t position) const;
  // The first gap at or after `position`, up to `limit`: an empty one at `limit` when all is
  // covered.
  Interval gap(std::uint64_t position, std::uint64_t limit) const;
  const std::vector<Interval>& ranges() const { return ranges_; }
  void validate() const;

 private:
  std::vector<Interval> ranges_;
};

}  // namespace braid
