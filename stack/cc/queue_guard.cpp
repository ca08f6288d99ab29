#include "stack/cc/queue_guard.h"

#include <algorithm>
#include <utility>

namespace braid::cc {
namespace {

using Ready = QueueTrials::Flow::Ready;

// The cut empties the queue within a round trip; what was sent after it tells of that in the next,
// and a whole round of such answers is the one after.
constexpr std::uint8_t kRoundsToWait = 2;
// Round trips as they were before the cut: the last of the other flows may cut in the second one.
constexpr std::int64_t kLongestTrial = 3;

}  // namespace

QueueGuard::~QueueGuard() {
  if (trials_) trials_->update(flow_, {});
}

void QueueGuard::join_path(std::shared_ptr<QueueTrials> trials) {
  trials_ = std::move(trials);
  trials_->joined();
}

void QueueGuard::report(std::uint64_t in_flight, Phase phase) {
  if (!trials_) join_path(std::make_shared<QueueTrials>());
  const bool ready = phase == Phase::kAvoidance && !cutting() && rounds_to_wait_ == 0;
  const std::uint32_t before_cut = flow_.cut > 0 ? flow_.cut : flow_.in_flight;
  trials_->update(flow_, {.in_flight = static_cast<std::uint32_t>(in_flight),
                          .cut = cutting() ? before_cut : 0,
                          .ready = ready ? Ready::kYes : Ready::kNo});
}

QueueGuard::Advice QueueGuard::on_ack(const Ack& ack, Phase phase, std::uint64_t window,
                                      std::uint32_t mss) {
  report(ack.in_flight, phase);
  trials_->measured(ack.min_rtt, ack.latest_rtt, ack.now);
  if (phase != Phase::kAvoidance) return Advice::kNothing;
  if (trials_->resting(ack.now)) return give_back();
  if (trials_->path_rtt() == Duration::max()) return Advice::kNothing;
  const Duration target = longest_queue(ack.srtt, window, mss);
  const auto round = watch_.on_ack(ack);
  if (!round) return follow(ack, window, target);
  return on_round(with_siblings(*round, std::exchange(round_began_, ack.now)), ack, window, target);
}

// That is let stand.
Duration QueueGuard::longest_queue(Duration srtt, std::uint64_t window, std::uint32_t mss) const {
  // All flows of the path together: how long it takes for one segment.
  const auto flight = static_cast<std::int64_t>(std::max(window, trials_->in_flight()));
  const Duration segment = srtt * std::int64_t{mss} / flight;
  return std::max({kTarget, trials_->path_rtt() / kTargetPart, segment * kTargetSegments});
}

QueueGuard::Advice QueueGuard::on_round(RoundWatch::Round seen, const Ack& ack,
                                        std::uint64_t window, Duration target) {
  // What a round answers was sent from where the one before it began.
  const std::uint64_t answered =
      std::exchange(window_before_, std::exchange(window_, static_cast<std::uint32_t>(window)));
  if (cutting() && seen.tells_of_room(trials_->path_rtt())) was_ours(ack.now);
  if (rounds_to_wait_ > 0) {
    --rounds_to_wait_;
    return Advice::kNothing;
  }
  if (!seen.tells_of_queue()) return Advice::kNothing;
  if (cutting()) return look(seen.least_rtt, target / kLeftPart, ack.now);
  if (seen.least_rtt <= trials_->path_rtt() + target) return Advice::kNothing;
  if (!others_cut(ack)) {
    if (!trials_->may_begin()) return Advice::kNothing;
    trials_->begin(ack.now);
  }
  return cut(seen.least_rtt, target / kLeftPart, answered, window);
}

bool QueueGuard::alone() const { return trials_->in_flight() == flow_.in_flight; }

// Of few samples of one flow each may have waited behind the others' bursts.
RoundWatch::Round QueueGuard::with_siblings(RoundWatch::Round round, Instant began) const {
  if (!alone()) round.least_rtt = std::min(round.least_rtt, trials_->least_since(began));
  return round;
}

// Another flow of the path has just begun a trial, and this one is not in it.
bool QueueGuard::others_cut(const Ack& ack) const {
  return begun_ != trials_->begun() && trials_->running(ack.now) <= ack.srtt;
}

QueueGuard::Advice QueueGuard::follow(const Ack& ack, std::uint64_t window, Duration target) {
  if (cutting() || !others_cut(ack)) return Advice::kNothing;
  if (rounds_to_wait_ > 0) {
    begun_ = trials_->begun();
    return Advice::kNothing;
  }
  const RoundWatch::Round seen = watch_.so_far();
  if (!seen.tells_of_queue() || seen.least_rtt <= trials_->path_rtt() + target / 2)
    return Advice::kNothing;
  return cut(seen.least_rtt, target / kLeftPart, window_before_, window);
}

// The cut has shown what it does.
QueueGuard::Advice QueueGuard::look(Duration rtt, Duration tolerance, Instant now) {
  // If all is ours the RTT has become shorter as the window has.
  if (rtt <= std::chrono::duration_cast<Duration>(rtt_before_ * share_to_keep_) + tolerance) {
    was_ours(now);
    return Advice::kNothing;
  }
  const bool others_began_anew = begun_ != trials_->begun();
  if (!alone() && !others_began_anew && trials_->running(now) < kLongestTrial * rtt_before_) {
    return Advice::kNothing;
  }
  if (!others_began_anew && trials_->tells()) {
    trials_->not_ours(now);
  } else {
    rounds_to_wait_ = kRoundsToWait;  // until round trips are those of the window that it gets back
  }
  return give_back();
}

// `rtt` was that of what was sent with a window of `answered`. `left`: how long a queue is to stay.
QueueGuard::Advice QueueGuard::cut(Duration rtt, Duration left, std::uint64_t answered,
                                   std::uint64_t window) {
  share_to_keep_ = to_seconds(trials_->path_rtt() + left) / to_seconds(rtt);
  const double grown =
      answered > 0 ? static_cast<double>(window) / static_cast<double>(answered) : 1;
  rtt_before_ = std::chrono::duration_cast<Duration>(rtt * std::max(grown, 1.0));
  state_ = State::kCut;
  rounds_to_wait_ = kRoundsToWait;
  begun_ = trials_->begun();
  return Advice::kCut;
}

void QueueGuard::was_ours(Instant now) {
  state_ = State::kWatching;
  trials_->was_ours(now);
}

QueueGuard::Advice QueueGuard::give_back() {
  watch_ = RoundWatch();
  window_ = window_before_ = 0;
  const bool cut = std::exchange(state_, State::kWatching) == State::kCut;
  return cut ? Advice::kTakeBack : Advice::kNothing;
}

void QueueGuard::disturbed() {
  state_ = State::kWatching;
  rounds_to_wait_ = kRoundsToWait;
}

}  // namespace braid::cc
