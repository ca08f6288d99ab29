// QueueGuard: finds a standing queue that this flow has made itself, so that its controller can
// take it away. Ours; in the spirit of RFC 9406 (which looks at slow start alone) and of Nimbus
// (Goyal et al., SIGCOMM 2022), which asks as we do whether the others in a queue give way.
//
// A loss-based controller fills whatever buffer it finds and keeps it full, and a small request
// beside it waits for all of that. But a flow that backs off alone starves beside others that do
// not. So the guard makes an experiment. A round trip whose least RTT lies more than kTarget above
// the path's is one long queue: the window is then cut to what the path holds without one, and
// stands still. If the queue was ours it is gone two round trips later, or sooner. If it still
// stands, others keep it: the cut is taken back, and the guard rests, longer each time.
//
//   watching --a whole round above target--> cut --a whole round without any queue----> watching
//                                              |---two rounds, one to look: gone------> watching
//                                              |---still there, not all of the path's flows in it:
//                                              |   give the window back---------------> watching
//                                              \--still there: give the window back--> resting
//   resting  --10 s, doubled each time up to 80 s--> watching
//
// A changed route, a radio that slows down or a delay that wavers look like others in the queue,
// which costs nothing but the guard. The flows of one path look together (queue_trials.h). Two on
// different paths that both guard share as two CUBICs do, at a lower delay.
#pragma once

#include <cstdint>
#include <memory>

#include "stack/cc/controller.h"
#include "stack/cc/queue_trials.h"
#include "stack/cc/round_watch.h"

namespace braid::cc {

class QueueGuard {
 public:
  // The longest of these is let stand: so much, a part of the path's own RTT, and some segments,
  // without which ACKs of every second one leave gaps. A cut leaves a part of that.
  static constexpr Duration kTarget = 10ms;
  static constexpr std::int64_t kTargetPart = 4;
  static constexpr std::int64_t kTargetSegments = 8;
  static constexpr std::int64_t kLeftPart = 4;

  QueueGuard() = default;
  QueueGuard(const QueueGuard&) = delete;
  QueueGuard& operator=(const QueueGuard&) = delete;
  ~QueueGuard();
  // With the other flows of its path; without this it is alone.
  void join_path(std::shared_ptr<QueueTrials> trials);

  enum class Advice : std::uint8_t {
    kNothing,
    kCut,       // the window, to share_to_keep() of itself
    kTakeBack,  // the last cut: the queue was not ours, or nobody can tell
  };
  // Every ACK. `window`: bytes, before this ACK lets it grow. Says something in avoidance alone.
  enum class Phase : std::uint8_t { kOther, kAvoidance };  // slow start and recovery are others
  Advice on_ack(const Ack& ack, Phase phase, std::uint64_t window, std::uint32_t mss);
  // Nothing is in flight any more: a timeout.
  void lost_all() { report(0, Phase::kOther); }
  // Of the window, so that hardly a queue stands: the path's RTT over the last round's.
  double share_to_keep() const { return share_to_keep_; }
  // The window was cut for another reason: what it looked at no longer holds.
  void disturbed();
  bool resting(Instant now) const { return trials_ && trials_->resting(now); }
  // The window must stand still, or a queue that it makes is taken for others'. And what is lost
  // now may have been sent into the queue that the last cut takes away.
  bool cutting() const { return state_ == State::kCut; }

 private:
  void report(std::uint64_t in_flight, Phase phase);
  bool alone() const;
  RoundWatch::Round with_siblings(RoundWatch::Round round, Instant began) const;
  bool others_cut(const Ack& ack) const;
  Duration longest_queue(Duration srtt, std::uint64_t window, std::uint32_t mss) const;
  Advice on_round(RoundWatch::Round seen, const Ack& ack, std::uint64_t window, Duration target);
  Advice follow(const Ack& ack, std::uint64_t window, Duration target);
  Advice look(Duration rtt, Duration tolerance, Instant now);
  Advice cut(Duration rtt, Duration left, std::uint64_t answered, std::uint64_t window);
  void was_ours(Instant now);
  Advice give_back();

  std::shared_ptr<QueueTrials> trials_;
  QueueTrials::Flow flow_;
  std::uint32_t begun_ = 0;  // trials that are not to be joined any more
  enum class State : std::uint8_t { kWatching, kCut } state_ = State::kWatching;
  [[no_unique_address]] RoundWatch watch_;  // its padding is used
  std::uint8_t rounds_to_wait_ = 0;
  double share_to_keep_ = 1;
  Duration rtt_before_{};  // of what was in flight when the window was cut
  Instant round_began_{};
  // Bytes, when the round that runs began, and when the one before it did; zero: not known.
  std::uint32_t window_ = 0;
  std::uint32_t window_before_ = 0;
};

}  // namespace braid::cc
