#include "stack/cc/queue_trials.h"

#include <algorithm>

namespace braid::cc {

void QueueTrials::update(Flow& flow, Flow now) {
  all_.in_flight += now.in_flight - flow.in_flight;
  all_.ready += now.ready - flow.ready;
  flow = now;
}

void QueueTrials::joined() {
  if (all_.in_flight > 0) return;
  next_rest_ = kLeastRest;
  rest_until_ = Instant::min();
}

void QueueTrials::begin(Instant now) {
  ++begun_;
  last_began_ = now;
}

void QueueTrials::not_ours(Instant now) {
  rest_until_ = now + next_rest_;
  next_rest_ = std::min(2 * next_rest_, kLongestRest);
}

}  // namespace braid::cc
