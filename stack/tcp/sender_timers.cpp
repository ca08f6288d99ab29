// The sender's patience: the five timers, when they are armed and what they do when due.
#include <algorithm>

#include "stack/tcp/sender.h"

namespace braid::tcp {
namespace {

Duration doubled(Duration timeout, std::uint32_t times) {
  for (; times > 0 && timeout < Rtt::kMaxTimeout; --times) timeout *= 2;
  return std::min(timeout, Rtt::kMaxTimeout);
}

}  // namespace

Duration Sender::retransmission_timeout() const { return doubled(rtt_.timeout(), backoff_); }

Instant Sender::next_deadline() const {
  return std::min({retransmission_deadline_, persist_deadline_, probe_deadline_,
                   reordering_deadline_, pacing_deadline_});
}

Sender::TimerOutcome Sender::on_deadline(Instant now) {
  if (now >= pacing_deadline_) pacing_deadline_ = kNever;
  if (now >= reordering_deadline_) reordering_due(now);
  if (now >= probe_deadline_) {
    // RFC 8985 7.3: the probe takes the retransmission timer's place when both are due.
    probe_deadline_ = kNever;
    tail_probe_due_ = true;
    restart_retransmission_timer(now);
  }
  if (now >= retransmission_deadline_) return retransmission_due(now);
  if (now >= persist_deadline_) return persist_due(now);
  return TimerOutcome::kNothing;
}

void Sender::reordering_due(Instant now) {
  const std::uint64_t lost_before = scoreboard_.lost();
  reordering_deadline_ = rack_.detect(scoreboard_, rack_facts(), now);
  if (scoreboard_.lost() > lost_before && recovery().open()) {
    enter_fast_recovery(in_flight() + scoreboard_.lost(), now);
  }
  judge_path_probe();
  report_losses(now);
}

Sender::TimerOutcome Sender::retransmission_due(Instant now) {
  ++counters_.timeouts;
  ++consecutive_timeouts_;
  if (consecutive_timeouts_ > max_retransmissions_) {
    stop_recovery_timers();
    return TimerOutcome::kGiveUp;
  }
  stop_recovery_timers();
  tail_probe_.cancel();
  // RFC 2018 section 8: a peer that has SACKed what comes next does not hold it any more.
  if (scoreboard_.first()->fate == Scoreboard::Fate::kSacked) scoreboard_.forget_sacks();
  if (consecutive_timeouts_ == 1) {
    // RFC 5682 2.1 step 1: nothing new is asked while an older recovery's answers may still come.
    if (recovery().open())
      repair().frto.begin();
    else
      repair().frto.stop();
    controller_->on_timeout(congestion(cc::CongestionKind::kLoss, now));
    repair().recovery.enter(Recovery::Phase::kTimeout, snd_una(), snd_nxt(),
                            Recovery::Cause::kReduced);
    cwr_pending_ = true;
  }
  if (sack_) {
    rack_.on_timeout(scoreboard_, rack_facts(), now);
  } else {
    scoreboard_.mark_all_lost();
  }
  head_due_ = true;
  judge_path_probe();
  report_losses(now);
  duplicate_acks_ = 0;
  reno_delivered_ = 0;
  pacer_.grant(mss_);
  ++backoff_;  // RFC 6298 5.5
  restart_retransmission_timer(now);
  return TimerOutcome::kRetransmit;
}

Sender::TimerOutcome Sender::persist_due(Instant now) {
  persist_deadline_ = kNever;
  if (snd_wnd_ > 0) {
    silly_override_ = true;
    return TimerOutcome::kNothing;
  }
  if (unanswered_probes_ > max_retransmissions_) return TimerOutcome::kGiveUp;
  window_probe_due_ = true;
  ++persist_backoff_;
  arm_persist(now);
  return TimerOutcome::kProbe;
}

void Sender::restart_retransmission_timer(Instant now) {
  retransmission_deadline_ = now + retransmission_timeout();
}

// RFC 7765: an ACK that leaves a few segments behind restarts the timer at their sending and not at
// its own arrival: with so few, no other recovery may be possible. With SACK there is the probe,
// which allows for a peer that delays its ACKs.
void Sender::advance_retransmission_timer() {
  const bool few = scoreboard_.outstanding() < std::uint64_t{kFewSegments} * mss_;
  const bool nothing_follows = all_sent() || window_edge() <= snd_nxt();
  if (sack_ || !few || !nothing_follows || !recovery().open()) return;
  const Instant since_sent = scoreboard_.first()->sent_at + retransmission_timeout();
  const Instant restarted = retransmission_deadline_ - retransmission_timeout();
  if (since_sent > restarted) retransmission_deadline_ = since_sent;
}

void Sender::stop_recovery_timers() {
  retransmission_deadline_ = probe_deadline_ = reordering_deadline_ = kNever;
  tail_probe_due_ = false;
}

void Sender::arm_persist(Instant now) {
  persist_deadline_ = now + doubled(rtt_.timeout(), persist_backoff_);
}

void Sender::arm_after_sending(const Plan& plan, Instant now) {
  if (plan.kind == Kind::kWindowProbe) {
    window_probe_due_ = false;
    ++unanswered_probes_;
    ++counters_.window_probes;
    return;
  }
  persist_deadline_ = kNever;
  silly_override_ = false;
  const bool head = plan.kind == Kind::kRetransmission && plan.position == snd_una();
  if (head || retransmission_deadline_ == kNever) restart_retransmission_timer(now);
  if (tail_probe_due_) {
    tail_probe_due_ = false;
    sampled_since_probe_ = false;
    ++counters_.tail_loss_probes;
    tail_probe_.sent(snd_nxt(), plan.kind == Kind::kNew ? TailLossProbe::Kind::kNewData
                                                        : TailLossProbe::Kind::kRetransmission);
    restart_retransmission_timer(now);
  } else if (plan.kind == Kind::kNew) {
    arm_tail_probe(now);
  }
}

// RFC 8985 7.2, 7.3: only while all is well, one at a time, and with an RTT measured in between.
void Sender::arm_tail_probe(Instant now) {
  const bool well = sack_ && recovery().open() && !scoreboard_.empty() &&
                    scoreboard_.sacked() == 0 && scoreboard_.lost() == 0 &&
                    (sampled_since_probe_ || !rtt_.has_sample());
  if (!well || tail_probe_.outstanding() || tail_probe_due_) {
    probe_deadline_ = kNever;
    return;
  }
  const Instant when =
      now + TailLossProbe::timeout(rtt_.srtt(), peer_ack_delay_, in_flight(), mss_);
  probe_deadline_ = std::min(when, retransmission_deadline_);
}

void Sender::arm_after_ack(bool advanced, Instant now) {
  if (window_blocks()) {
    stop_recovery_timers();
    if (persist_deadline_ == kNever) arm_persist(now);
    return;
  }
  // The window is open again, and what probed it did not fit: it leads what leaves now.
  if (persist_backoff_ > 0 && !advanced) {
    scoreboard_.mark_all_lost();
    scoreboard_.take_losses();  // of no congestion
  }
  persist_deadline_ = kNever;
  persist_backoff_ = 0;
  window_probe_due_ = false;
  if (scoreboard_.empty()) {
    stop_recovery_timers();
    return;
  }
  if (advanced || retransmission_deadline_ == kNever) restart_retransmission_timer(now);
  if (advanced) advance_retransmission_timer();
  if (advanced || scoreboard_.sacked() > 0) arm_tail_probe(now);
}

}  // namespace braid::tcp
