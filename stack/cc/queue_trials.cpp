#include "stack/cc/queue_trials.h"

#include <algorithm>

namespace braid::cc {

void QueueTrials::update(Flow& flow, Flow now) {
  in_flight_ = in_flight_ - flow.in_flight + now.in_flight;
  ready_ = ready_ - flow.ready_flight() + now.ready_flight();
  cut_ = cut_ - flow.cut + now.cut;
  flow = now;
}

void QueueTrials::joined() {
  if (in_flight_ > 0) return;
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
  flight_before_ = in_flight_;
  last_began_ = now;
}

void QueueTrials::not_ours(Instant now) {
  rest_until_ = now + next_rest_;
  next_rest_ = std::min(2 * next_rest_, kLongestRest);
  // While they rest nobody keeps the queue short for us: the flows' own records of a minute are
  // better.
  path_rtt_ = Duration::max();
}

}  // namespace braid::cc
