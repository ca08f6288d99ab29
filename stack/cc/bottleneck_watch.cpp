#include "stack/cc/bottleneck_watch.h"

#include <algorithm>
#include <cmath>

#include "stack/base/ensure.h"

namespace braid::cc {
namespace {

constexpr double kGain = 0.25;      // of one answer
constexpr double kShared = 0.35;    // the average from which on a pair is taken to share
constexpr double kDisjoint = 0.15;  // and to which it has to fall to be disjoint again
// A queue that grows meanwhile speaks against it louder than one that falls more than it should
// speaks for it: mere noise, which does both, is not to be taken for company.
constexpr double kLeastAnswer = -2;
constexpr double kAlike = 0.35;         // the queues of one bottleneck differ by no more than this
constexpr Duration kAlikeAnyway = 2ms;  // or by this
constexpr Duration kLeastQueue = 2ms;   // less is no queue to speak of
constexpr Duration kActive = 1s;        // without an ACK for so long a subflow takes no share

}  // namespace

double BottleneckWatch::Path::rate() const {
  return rtt > Duration::zero() ? static_cast<double>(window) / to_seconds(rtt) : 0;
}

void BottleneckWatch::Path::observe(Instant now, Duration srtt, Duration latest, Duration least,
                                    std::uint64_t in_flight) {
  rtt = srtt;
  window = in_flight;
  last_ack = now;
  if (latest > Duration::zero()) {
    queue += (std::max(latest - least, Duration::zero()) - queue) / 8;
  }
}

void BottleneckWatch::join(const Path& path) {
  for (const Path* other : paths_) pairs_.push_back({.a = other, .b = &path});
  paths_.push_back(&path);
}

void BottleneckWatch::leave(const Path& path) {
  ENSURE(std::erase(paths_, &path) == 1);
  std::erase_if(pairs_, [&](const Pair& p) { return p.a == &path || p.b == &path; });
  std::erase_if(experiments_,
                [&](const Experiment& e) { return e.acting == &path || e.watching == &path; });
}

void BottleneckWatch::reduced(Path& path, std::uint64_t bytes, Instant now) {
  // What it sees from here on is its own doing.
  std::erase_if(experiments_, [&](const Experiment& e) { return e.watching == &path; });
  for (const Path* other : paths_) {
    if (other != &path) begin(path, *other, bytes, now);
  }
  path.reduced_at = now;
}

void BottleneckWatch::begin(const Path& acting, const Path& watching, std::uint64_t bytes,
                            Instant now) {
  if (acting.rtt == Duration::zero() || watching.rtt == Duration::zero()) return;
  // Its own reduction still shows, or it says nothing at all.
  if (watching.reduced_at > now - 2 * watching.rtt || watching.last_ack < now - kActive) return;
  const double expected = std::min(static_cast<double>(bytes) / (acting.rate() + watching.rate()),
                                   to_seconds(watching.queue));
  if (expected < to_seconds(kLeastQueue)) return;
  const Duration difference =
      acting.queue > watching.queue ? acting.queue - watching.queue : watching.queue - acting.queue;
  const double allowed = kAlike * to_seconds(std::max(acting.queue, watching.queue));
  if (to_seconds(difference) > std::max(allowed, to_seconds(kAlikeAnyway))) {
    answer(acting, watching, 0);
    return;
  }
  experiments_.push_back({.acting = &acting,
                          .watching = &watching,
                          .due = now + acting.rtt + watching.rtt,
                          .queue_before = to_seconds(watching.queue),
                          .expected = expected});
}

void BottleneckWatch::observed(const Path& path, Instant now) {
  for (std::size_t i = 0; i < experiments_.size();) {
    const Experiment experiment = experiments_[i];
    if (experiment.watching != &path || now < experiment.due) {
      ++i;
      continue;
    }
    experiments_.erase(experiments_.begin() + static_cast<std::ptrdiff_t>(i));
    const double fell = experiment.queue_before - to_seconds(path.queue);
    answer(*experiment.acting, path, std::clamp(fell / experiment.expected, kLeastAnswer, 1.0));
  }
}

void BottleneckWatch::answer(const Path& a, const Path& b, double response) {
  for (Pair& pair : pairs_) {
    const bool these = (pair.a == &a && pair.b == &b) || (pair.a == &b && pair.b == &a);
    if (!these) continue;
    pair.score += kGain * (response - pair.score);
    pair.shared = pair.shared ? pair.score > kDisjoint : pair.score > kShared;
  }
}

const BottleneckWatch::Pair* BottleneckWatch::find(const Path& a, const Path& b) const {
  for (const Pair& pair : pairs_) {
    if ((pair.a == &a && pair.b == &b) || (pair.a == &b && pair.b == &a)) return &pair;
  }
  return nullptr;
}

bool BottleneckWatch::shared(const Path& a, const Path& b) const {
  const Pair* const pair = find(a, b);
  return pair != nullptr && pair->shared;
}

double BottleneckWatch::score(const Path& a, const Path& b) const {
  const Pair* const pair = find(a, b);
  return pair != nullptr ? pair->score : 0;
}

double BottleneckWatch::share(const Path& path, Instant now) const {
  double flows = 1;
  for (const Pair& pair : pairs_) {
    if (!pair.shared || (pair.a != &path && pair.b != &path)) continue;
    const Path* const other = pair.a == &path ? pair.b : pair.a;
    if (other->last_ack >= now - kActive) ++flows;
  }
  return 1 / flows;
}

}  // namespace braid::cc
