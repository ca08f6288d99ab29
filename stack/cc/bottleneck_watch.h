// BottleneckWatch: which subflows of a connection share a bottleneck. Ours; why not RFC 8382: its
// statistics need ten seconds and many flows' noise to tell two groups apart, and two disjoint
// links that are alike look like one to any comparison of curves. We have what an observer has not:
// our own hand on the traffic. Each time a subflow reduces its window, the queue it has filled
// falls by a known amount; whoever stands in the same queue sees its RTT fall as much a round trip
// later, and whoever does not, does not.
//
//   subflow i reduces by r bytes   expected: j's queueing delay falls by r / (rate_i + rate_j)
//   seen                           what it did fall, over that: 1 alone there with us, less in
//                                  company of others, about 0 or below on another path
//
// No experiment where j reduced itself meanwhile, or where there is no queue. Delays that differ
// already before are an answer: no. The answers of a pair are averaged (the last four count most);
// until there are enough, subflows count as disjoint: being careful must cost nothing where uplinks
// are what they are sold as.
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/time.h"

namespace braid::cc {

class BottleneckWatch {
 public:
  // One subflow, as its controller sees it. Kept by the controller between join() and leave().
  struct Path {
    Duration rtt{};            // smoothed
    Duration queue{};          // RTT less its minimum, smoothed over a few ACKs
    std::uint64_t window = 0;  // bytes
    Instant last_ack = Instant::min();
    Instant reduced_at = Instant::min();
    double rate() const;  // bytes per second; 0: no RTT yet
    // An ACK; `latest` zero: it gave no sample.
    void observe(Instant now, Duration srtt, Duration latest, Duration least,
                 std::uint64_t in_flight);
  };

  void join(const Path& path);
  void leave(const Path& path);

  // `path` is up to date with an ACK at `now`: experiments that watch it may have their answer.
  void observed(const Path& path, Instant now);
  // `path` has just reduced its window by `bytes`. Path::queue is of before.
  void reduced(Path& path, std::uint64_t bytes, Instant now);

  // How many of one flow each subflow of this path's bottleneck is due: 1 / (those active in it).
  double share(const Path& path, Instant now) const;
  bool shared(const Path& a, const Path& b) const;
  // How sure: an average of answers, 0 when there was none.
  double score(const Path& a, const Path& b) const;

 private:
  struct Pair {
    const Path* a = nullptr;
    const Path* b = nullptr;
    double score = 0;
    bool shared = false;
  };
  struct Experiment {
    const Path* acting = nullptr;
    const Path* watching = nullptr;
    Instant due;
    double queue_before = 0;  // seconds
    double expected = 0;      // seconds it should fall
  };

  const Pair* find(const Path& a, const Path& b) const;
  void answer(const Path& a, const Path& b, double response);
  void begin(const Path& acting, const Path& watching, std::uint64_t bytes, Instant now);

  std::vector<const Path*> paths_;
  std::vector<Pair> pairs_;
  std::vector<Experiment> experiments_;
};

}  // namespace braid::cc
