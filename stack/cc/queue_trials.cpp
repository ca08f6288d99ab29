#include "stack/cc/queue_trials.h"

#include <algorithm>

namespace braid::cc {

void QueueTrials::update(Flow& flow, Flow now) {
  all_.in_flight += now.in_flight - flow.in_flight;
  all_.ready += now.ready - flow.ready;
  all_.cut += now.cut - flow.cut;
  flow = now;
}

void QueueTrials::joined() {
  if (all_.in_flight > 0) return;
  path_rtt_ = Duration::max();
  next_rest_ = kLeastRest;
  rest_until_ = Instant();
}

void QueueTrials::measured(Duration least, Duration latest, Instant now) {
  if (resting(now)) return;
  if (least > Duration::zero()) path_rtt_ = std::min(path_rtt_, least);
  if (latest > Duration::zero()) recent_.note(latest, path_rtt_, now);
}

void QueueTrials::begin(Instant now) {
  ++begun_;
  flight_before_ = all_.in_flight;
  last_began_ = now;
}

void QueueTrials::not_ours(Instant now) {
  rest_until_ = now + next_rest_;
  next_rest_ = std::min(2 * next_rest_, kLongestRest);
  // While they rest nobody keeps the queue short for us: the flows' own records of a minute are better.
  path_rtt_ = Duration::max();
}

}  // namespace braid::cc
