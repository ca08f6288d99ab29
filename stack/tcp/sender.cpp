// The sender's ear: what ACKs say of delivery, of loss, of the window and of the path.
#include "stack/tcp/sender.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"

namespace braid::tcp {

Sender::Sender(Setup setup)
    : mss_(setup.mss),
      max_super_payload_(setup.max_super_payload),
      max_retransmissions_(setup.max_retransmissions),
      peer_ack_delay_(std::chrono::duration_cast<decltype(peer_ack_delay_)>(setup.peer_ack_delay)),
      controller_(std::move(setup.controller)),
      sack_(setup.sack) {
  ENSURE(mss_ > 0 && controller_ != nullptr);
  controller_->set_mss(mss_);  // it was made before the SYNs agreed on one
  if (setup.syn == Setup::Syn::kRepeated) rtt_.syn_was_lost();
}

void Sender::start(std::uint64_t acked, std::uint64_t sent, std::uint64_t window,
                   std::optional<Duration> rtt, Instant now) {
  ENSURE(!started_ && acked <= sent);
  started_ = true;
  scoreboard_.start(acked);
  end_ = std::max(end_, sent);
  snd_wnd_ = max_window_ = window;
  round_end_ = sent;
  last_sent_at_ = now;
  pacer_.grant(std::uint64_t{kInitialSegments} * mss_);
  if (rtt) sample_rtt(*rtt, now);
  tell_others(now);
  if (sent > acked) {  // SYN payload the peer did not take: it left once, and is not there
    scoreboard_.append(sent, mss_, now);
    scoreboard_.mark_all_lost();
    scoreboard_.take_losses();  // of no congestion
  }
}

void Sender::tell_others(Instant now) {
  if (path_ != nullptr) path_->note_rtt(rtt_.min_rtt(), now);
}

const Recovery& Sender::recovery() const {
  static const Recovery kNone;
  return repair_ ? repair_->recovery : kNone;
}

Sender::Repair& Sender::repair() {
  if (!repair_) repair_ = std::make_unique<Repair>();
  return *repair_;
}

void Sender::sample_rtt(Duration rtt, Instant now) {
  rtt_.sample(rtt);
  rtt_.sample_minimum(rtt, now);
}

void Sender::set_mss(std::uint32_t mss, Instant now, MssReason reason) {
  ENSURE(mss > 0);
  const bool larger = mss > mss_;
  mss_ = mss;
  controller_->set_mss(mss);
  if (larger || reason != MssReason::kPathMtu || !started_) return;
  if (recovery().phase() == Recovery::Phase::kTimeout && recovery().can_undo()) {
    repair_->recovery.forgive();  // the timeout was about the size
    controller_->undo();
  }
  scoreboard_.mark_larger_lost(mss);
  scoreboard_.take_losses();  // of no congestion
  arm_tail_probe(now);
}

void Sender::set_end(std::uint64_t end, bool finished) {
  ENSURE(end >= end_ && (!finished_ || (finished && end == end_)));
  end_ = end;
  finished_ = finished;
}

Sender::AckOutcome Sender::receive_ack(const AckInput& input, Instant now) {
  ENSURE(started_ && input.ack <= snd_nxt());
  unanswered_probes_ = 0;  // RFC 9293 MUST-37: whoever answers is alive
  // RFC 6675 5: any ACK's SACK blocks count. Of one that was overtaken on the way nothing else
  // does.
  const bool overtaken = input.ack < snd_una();
  if (overtaken && (!sack_ || input.sack.empty())) return {};
  const std::uint64_t budget_before = budget(now);
  const std::uint64_t prior_in_flight = in_flight();
  flight_before_ack_ = prior_in_flight + scoreboard_.lost();
  const bool duplicate = is_duplicate(input);
  const std::optional<Interval> dsack = find_dsack(input);
  if (!overtaken) update_window(input);

  Scoreboard::AckFacts facts{.ack = input.ack, .now = now, .min_rtt = rtt_.min_rtt()};
  if (sack_) facts.sack = input.sack;
  if (input.echoed) facts.answers_before = *input.echoed + Recovery::kTimestampTick;
  Scoreboard::Delivery delivery = scoreboard_.acknowledge(facts);
  const bool advanced = delivery.newly_acked > 0;
  if (advanced) {
    consecutive_timeouts_ = 0;
    backoff_ = 0;
    tail_probe_due_ = false;
    head_due_ = false;
  }
  if (!overtaken) sample_from(input, delivery, now);
  if (dsack && !(tail_probe_.outstanding() && tail_probe_.explains(*dsack))) {
    rack_.on_dsack(snd_una(), snd_nxt());
    if (repair_) repair_->recovery.on_dsack(*dsack);
  }
  note_probe_answer(input, delivery, dsack, now);
  finish_recovery(input, delivery, duplicate);
  if (input.ecn_echo && !overtaken) take_ecn_echo(now);
  const std::uint64_t lost_before = scoreboard_.lost();
  if (sack_) {
    judge_by_time(delivery, now);
  } else {
    judge_by_duplicates(delivery, duplicate, now);
  }
  if (recovery().phase() == Recovery::Phase::kFast) {
    const bool good = advanced && scoreboard_.lost() <= lost_before;
    repair_->prr.on_ack(delivery.newly_delivered, in_flight(),
                        good ? Prr::Progress::kGood : Prr::Progress::kDoubtful);
  }
  report_losses(now);
  judge_path_probe();
  feed_controller(delivery, prior_in_flight, now);
  arm_after_ack(advanced, now);
  return {.newly_acked = delivery.newly_acked,
          .budget_grew = budget(now) > budget_before,
          .fin_acked = fin_acked(),
          .largest_segment = delivery.largest_segment};
}

// RFC 2883: the first block lies below the ACK, or inside the second.
std::optional<Interval> Sender::find_dsack(const AckInput& input) const {
  if (!sack_ || input.sack.empty()) return std::nullopt;
  const Interval first = input.sack[0];
  if (first.begin >= first.end) return std::nullopt;
  if (first.end <= input.ack) return first;
  if (input.sack.size() > 1 && input.sack[1].begin <= first.begin &&
      first.end <= input.sack[1].end) {
    return first;
  }
  return std::nullopt;
}

// RFC 5681 section 2; RFC 8684 M13: not one that exists only to carry an MPTCP option.
bool Sender::is_duplicate(const AckInput& input) const {
  return input.ack == snd_una() && !scoreboard_.empty() && !input.carries_data &&
         input.window == snd_wnd_ && !input.signalling_only;
}

void Sender::update_window(const AckInput& input) {
  if (!input.window_update_allowed) return;
  snd_wnd_ = input.window;  // MUST-34: a window that shrinks is tolerated
  max_window_ = std::max(max_window_, snd_wnd_);
}

bool Sender::raise_window(std::uint64_t window, Instant now) {
  if (!started_ || window <= snd_wnd_) return false;
  snd_wnd_ = window;
  max_window_ = std::max(max_window_, snd_wnd_);
  arm_after_ack(false, now);
  return true;
}

void Sender::sample_from(const AckInput& input, const Scoreboard::Delivery& delivery, Instant now) {
  if (delivery.newest && !delivery.newest->retransmitted) {
    rtt_.sample_minimum(now - delivery.newest->sent_at, now);
  }
  // Our own records are exact; timestamps have coarse ticks, but survive retransmission (Karn).
  if (delivery.acked_sent_at) {
    rtt_.sample(now - *delivery.acked_sent_at);
  } else if (delivery.sacked_sent_at) {
    rtt_.sample(now - *delivery.sacked_sent_at);
  } else if (delivery.newly_acked > 0 && input.timestamp_rtt) {
    rtt_.sample(*input.timestamp_rtt);
  } else {
    return;
  }
  sampled_since_probe_ = true;
}

void Sender::note_probe_answer(const AckInput& input, const Scoreboard::Delivery& delivery,
                               const std::optional<Interval>& dsack, Instant now) {
  const bool bare = delivery.newly_acked == 0 && input.sack.empty() && !input.carries_data &&
                    !input.signalling_only;
  const auto verdict = tail_probe_.on_ack(input.ack, dsack, bare);
  if (verdict == TailLossProbe::Verdict::kRepairedLoss && recovery().open()) {
    controller_->on_congestion(congestion(cc::CongestionKind::kLoss, now));
    cwr_pending_ = true;
  }
}

// RFC 3168 6.1.2: once per window of data; the echo goes on until our CWR has arrived.
void Sender::take_ecn_echo(Instant now) {
  const bool reduced_already = ecn_point_ > 0 && snd_una() <= ecn_point_;
  if (reduced_already || !recovery().open()) return;
  controller_->on_congestion(congestion(cc::CongestionKind::kEcn, now));
  ecn_point_ = snd_nxt();
  cwr_pending_ = true;
}

bool Sender::take_cwr() { return std::exchange(cwr_pending_, false); }

void Sender::finish_recovery(const AckInput& input, const Scoreboard::Delivery& delivery,
                             bool duplicate) {
  if (was_in_vain(input, delivery, duplicate)) {
    undo();
  } else if (recovery().complete(snd_una())) {
    repair_->recovery.leave();
    rack_.on_recovery_end();
    repair_->frto.stop();
    duplicate_acks_ = 0;
    reno_delivered_ = 0;
  }
}

// Timestamps are the better witness: where an ACK carries them, F-RTO need not ask.
bool Sender::was_in_vain(const AckInput& input, const Scoreboard::Delivery& delivery,
                         bool duplicate) {
  if (!repair_) return false;
  auto& [prr, recovery, frto] = *repair_;
  const bool advanced = delivery.newly_acked > 0;
  if (advanced && input.echoed) frto.stop();
  const Frto::Facts facts{.una = snd_una(),
                          .nxt = snd_nxt(),
                          .advanced = advanced,
                          .duplicate = duplicate,
                          .sack = sack_,
                          .originals = delivery.originals,
                          .highest = delivery.highest};
  const bool by_frto = frto.on_ack(facts, mss_) == Frto::Verdict::kSpurious;
  const bool by_time = advanced && recovery.in_vain(snd_una(), input.echoed);
  return by_time || (by_frto && recovery.can_undo()) || recovery.all_duplicates();
}

void Sender::undo() {
  if (!recovery().open()) scoreboard_.unmark_lost();
  repair_->recovery.undone();
  repair_->frto.stop();
  controller_->undo();
  duplicate_acks_ = 0;
  reno_delivered_ = 0;
  ++counters_.spurious;
}

void Sender::judge_by_time(const Scoreboard::Delivery& delivery, Instant now) {
  const std::uint64_t lost_before = scoreboard_.lost();
  rack_.on_delivered(delivery, now);
  reordering_deadline_ = rack_.detect(scoreboard_, rack_facts(), now);
  if (scoreboard_.lost() > lost_before && recovery().open()) {
    enter_fast_recovery(flight_before_ack_, now);
  }
}

// Without SACK: NewReno (RFC 6582). Each duplicate ACK stands for one segment that has arrived.
void Sender::judge_by_duplicates(Scoreboard::Delivery& delivery, bool duplicate, Instant now) {
  if (delivery.newly_acked > 0) {
    duplicate_acks_ = 0;
    const std::uint64_t hole = std::min<std::uint64_t>(mss_, delivery.newly_acked);
    const std::uint64_t known = std::min(reno_delivered_, delivery.newly_acked - hole);
    reno_delivered_ = recovery().open() ? 0 : reno_delivered_ - known;
    delivery.newly_delivered -= known;
    const Scoreboard::Record* head = scoreboard_.first();
    if (recovery().phase() == Recovery::Phase::kFast && head != nullptr && !head->retransmitted) {
      scoreboard_.mark_head_lost(mss_);  // a partial ACK: the next hole
    }
    return;
  }
  if (!duplicate || recovery().phase() == Recovery::Phase::kTimeout) return;
  ++duplicate_acks_;
  reno_delivered_ = std::min(reno_delivered_ + mss_, scoreboard_.in_flight());
  delivery.newly_delivered += mss_;
  // RFC 6582 3.2 step 2: what was sent before the last recovery starts no new one.
  if (duplicate_acks_ == kDupThresh && recovery().open() && snd_una() >= recovery().point()) {
    scoreboard_.mark_head_lost(mss_);
    enter_fast_recovery(flight_before_ack_, now);
  }
}

// `flight`: what was outstanding and not SACKed before what is known now (RFC 9937 6.2: RecoverFS).
void Sender::enter_fast_recovery(std::uint64_t flight, Instant now) {
  // An ECN echo in this window has reduced already: one reduction per round trip. And a probe of
  // the path MTU that is lost alone was too large, not too much (RFC 8899 3, RFC 4821 7.7).
  const bool reduced = (ecn_point_ > 0 && snd_una() < ecn_point_) || only_path_probe_lost();
  if (!reduced) controller_->on_congestion(congestion(cc::CongestionKind::kLoss, now));
  repair().recovery.enter(Recovery::Phase::kFast, snd_una(), snd_nxt(),
                          reduced ? Recovery::Cause::kNotReduced : Recovery::Cause::kReduced);
  repair().prr.enter(flight, controller_->cwnd(), mss_);
  tail_probe_.cancel();
  tail_probe_due_ = false;
  probe_deadline_ = kNever;
  cwr_pending_ = true;
  ++counters_.recoveries;
}

void Sender::report_losses(Instant now) {
  for (const Scoreboard::Loss& loss : scoreboard_.take_losses()) {
    newly_lost_ += loss.bytes;
    controller_->on_loss(rate_sampler_.on_lost(loss.order, loss.bytes, now));
  }
}

void Sender::feed_controller(const Scoreboard::Delivery& delivery, std::uint64_t prior_in_flight,
                             Instant now) {
  if (delivery.newly_delivered == 0) return;
  const bool round_ended = snd_una() > round_end_;
  const bool sampled = delivery.newest && !delivery.newest->retransmitted;
  const std::uint64_t newest = delivery.newest ? delivery.newest->sending.order : 0;
  const cc::RateSample sample =
      rate_sampler_.on_delivered(delivery.newly_delivered, newest, rtt_.min_rtt(), now);
  const Scoreboard::Record* const oldest = scoreboard_.oldest_in_flight();
  rate_sampler_.forget_before(oldest != nullptr ? oldest->order : scoreboard_.last_order() + 1);
  controller_->on_ack({.now = now,
                       .newly_delivered = delivery.newly_delivered,
                       .newly_lost = std::exchange(newly_lost_, 0),
                       .prior_in_flight = prior_in_flight,
                       .in_flight = in_flight(),
                       .total_delivered = rate_sampler_.delivered(),
                       .srtt = rtt_.srtt(),
                       .min_rtt = rtt_.min_rtt(),
                       .latest_rtt = sampled ? rtt_.latest() : Duration::zero(),
                       .round = rate_sampler_.round(),
                       .round_ended = round_ended,
                       .in_recovery = recovery().phase() == Recovery::Phase::kFast,
                       .after_timeout = recovery().phase() == Recovery::Phase::kTimeout,
                       .cwnd_limited = cwnd_limited(),
                       .sample = sample});
  if (round_ended) {
    tell_others(now);
    round_end_ = snd_nxt();
    last_max_flight_ = std::exchange(round_max_flight_, in_flight());
  }
}

cc::Congestion Sender::congestion(cc::CongestionKind kind, Instant now) const {
  return {.now = now, .kind = kind, .in_flight = scoreboard_.outstanding(), .srtt = rtt_.srtt()};
}

// By what was in flight and not by what was waiting: a scheduler above gives us only what budget()
// allows, so nothing ever waits here. RFC 9438 5.8, RFC 7661: no growth unless the window was used.
bool Sender::cwnd_limited() const {
  const std::uint64_t most = std::max(round_max_flight_, last_max_flight_);
  if (controller_->in_slow_start()) {
    return static_cast<double>(controller_->cwnd()) <
           controller_->slow_start_step() * static_cast<double>(most);
  }
  return most + 2 * std::uint64_t{mss_} > controller_->cwnd();
}

Rack::Facts Sender::rack_facts() const {
  return {.srtt = rtt_.srtt(),
          .min_rtt = rtt_.min_rtt(),
          .mss = mss_,
          .in_recovery = !recovery().open()};
}

std::uint64_t Sender::in_flight() const {
  const std::uint64_t flight = scoreboard_.in_flight();
  return flight - std::min(flight, reno_delivered_);
}

Instant Sender::oldest_sent() const {
  const Scoreboard::Record* first = scoreboard_.first();
  return first != nullptr ? first->sent_at : kNever;
}

std::uint64_t Sender::allowance() const {
  const bool proportional = controller_->recovery_pace() == cc::RecoveryPace::kProportional;
  if (recovery().phase() == Recovery::Phase::kFast && proportional) return repair_->prr.allowance();
  const std::uint64_t flight = in_flight();
  return controller_->cwnd() > flight ? controller_->cwnd() - flight : 0;
}

std::uint64_t Sender::budget(Instant) const {
  if (!started_ || finished_) return 0;
  const std::uint64_t usable = window_edge() > snd_nxt() ? window_edge() - snd_nxt() : 0;
  if (asks_by_new_data()) {
    const std::uint64_t quota = std::min(repair_->frto.quota(), usable);
    return quota - std::min(quota, end_ - snd_nxt());
  }
  const std::uint64_t claimed = scoreboard_.lost() + (end_ - snd_nxt());
  const std::uint64_t room = std::min(allowance(), usable);
  return room > claimed ? room - claimed : 0;
}

void Sender::validate() const {
  scoreboard_.validate();
  ENSURE(snd_una() <= snd_nxt() && snd_nxt() <= limit());
  ENSURE(reno_delivered_ == 0 || !sack_);
  ENSURE(controller_->cwnd() >= 1);
  if (!started_) return;
  // Whatever is outstanding is watched by a timer (a lost range that may leave waits for plan()).
  const bool watched = retransmission_deadline_ != kNever || persist_deadline_ != kNever ||
                       window_probe_due_ || scoreboard_.lost() > 0;
  ENSURE(scoreboard_.empty() || watched);
  ENSURE(!scoreboard_.empty() || retransmission_deadline_ == kNever);
}

}  // namespace braid::tcp
