#include "stack/tcp/connection.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"
#include "stack/tcp/sender.h"

namespace braid::tcp {
namespace {

constexpr Duration kLinger = 1s;
constexpr Duration kBlockedDoorPoll = 10ms;
// RFC 9293 MUST-26: one unanswered keep-alive proves nothing.
constexpr std::uint32_t kKeepalivesUnanswered = 9;
constexpr Duration kKeepaliveRetry = 75s;

Handshake::Offer offer_from(const Tuple& tuple, const ConnectionConfig& config) {
  return {.family = tuple.remote.address.family(),
          .mtu = config.mtu,
          .window_scale = config.window_scale,
          .timestamps = config.timestamps,
          .sack = config.sack,
          .ecn = config.ecn,
          .timeout = config.syn_timeout,
          .max_retransmissions = config.max_syn_retransmissions,
          .linear_timeouts = config.linear_syn_timeouts};
}

}  // namespace

Connection::Connection(const Tuple& tuple, StreamUser& user, ConnectionConfig config, SeqNum isn)
    : tuple_(tuple),
      user_(user),
      iss_(isn),
      timestamp_offset_(config.timestamp_offset),
      keepalive_interval_(config.keepalive_interval),
      ack_delay_(config.ack_delay),
      path_(std::move(config.path)),
      path_mtu_(tuple.remote.address.family(), config.mtu, config.path_mtu),
      doubt_(config.doubt_after) {
  ENSURE(config.controller != nullptr);
  const Handshake handshake(offer_from(tuple, config));
  opening_ = std::make_unique<Opening>(Opening{std::move(config), handshake});
}

Connection::~Connection() = default;

// ---- opening

void Connection::open_active(Instant now) {
  ENSURE(role_ == Role::kNone);
  role_ = Role::kActive;
  state_ = State::kSynSent;
  syn_due_ = SynDue::kDue;
  opening_->handshake.start(now);
  wake();
}

void Connection::open_passive(const wire::Segment& syn, Instant now) {
  ENSURE(role_ == Role::kNone && syn.flags.syn && !syn.flags.ack);
  role_ = Role::kPassive;
  state_ = State::kSynReceived;
  last_received_ = now;
  ++counters_.segments_in;
  start_receiver(syn);
  if (syn.options.timestamps) receiver_->note_timestamp(*syn.options.timestamps, -1, now);
  max_send_window_ = syn.window;
  if (!syn.payload.empty()) receiver_->receive(syn, 0, user_, now);
  const bool withheld = opening_->config.answer == ConnectionConfig::Answer::kWithhold;
  syn_due_ = withheld ? SynDue::kWithheld : SynDue::kDue;
  if (!withheld) opening_->handshake.start(now);
  wake();
  validate_in_debug();
}

void Connection::answer(Instant now) {
  if (syn_due_ != SynDue::kWithheld || ending_ != Ending::kNone) return;
  syn_due_ = SynDue::kDue;
  opening_->handshake.start(now);
  wake();
}

void Connection::start_receiver(const wire::Segment& syn) {
  opening_->handshake.peer_syn(syn);
  agreed_ = opening_->handshake.agreed();
  receiver_.emplace(Receiver::Setup{.irs = syn.seq,
                                    .scope = user_.window_scope(),
                                    .shift = agreed_.receive_shift,
                                    .sack = agreed_.sack,
                                    .mss = opening_->handshake.own_mss()});
  // What an unscaled window promises: our SYN has said it, or a SYN payload is judged by it.
  window_field(ReceiveWindow::Field::kUnscaled);
}

void Connection::start_sender(std::uint64_t acked, std::uint64_t sent, std::uint64_t window,
                              std::optional<Duration> rtt, Instant now) {
  ConnectionConfig& config = opening_->config;
  path_mtu_.set_ceiling(agreed_.peer_mss + header_bytes(tuple_.remote.address.family()));
  sender_mss_ = effective_mss();
  const std::uint32_t largest = 65535 - header_bytes(tuple_.remote.address.family()) - 40;
  const std::uint32_t super = std::min(config.max_super_payload, largest);
  sender_ = std::make_unique<Sender>(
      Sender::Setup{.mss = sender_mss_,
                    .max_super_payload = super,
                    .sack = agreed_.sack,
                    .controller = std::move(config.controller),
                    .peer_ack_delay = config.peer_ack_delay,
                    .max_retransmissions = config.max_retransmissions,
                    .syn = opening_->handshake.timed_out() ? Sender::Setup::Syn::kRepeated
                                                           : Sender::Setup::Syn::kAnswered});
  if (path_) sender_->share(*path_);
  max_send_window_ = std::max(max_send_window_, window);
  if (!rtt && config.expected_rtt > Duration::zero()) rtt = config.expected_rtt;
  sender_->start(acked, sent, window, rtt, now);
}

// DESIGN 6: the time a Convert SYN takes holds the server's leg, so it may say nothing.
// With several SYNs out, the timestamp echoed says which one was answered (RFC 7323 4).
std::optional<Duration> Connection::handshake_rtt(const wire::Segment& answer, Instant now) const {
  const auto& [config, handshake] = *opening_;
  if (config.handshake_rtt == ConnectionConfig::HandshakeRtt::kIgnore) return std::nullopt;
  if (const std::optional<Duration> exact = handshake.round_trip(now)) return exact;
  const std::optional<Instant> sent = echoed_tick(answer, now);
  if (!sent || !handshake.was_sending(*sent)) return std::nullopt;
  return now - *sent;
}

// ---- the user's requests

void Connection::request_ack() {
  if (ack_request_ == AckRequest::kNone) ack_request_ = AckRequest::kPlain;
  wake();
}

void Connection::send_more() {
  if (ending_ == Ending::kNone && sender_) tell_sender_the_end();
  wake();
}

void Connection::window_changed() { wake(); }

void Connection::end_quick_acks() {
  if (receiver_) receiver_->end_quick_acks();
}

void Connection::probe() {
  probe_ = Probe::kDue;
  wake();
}

void Connection::abort(Instant now) { end_with_reset(CloseReason::kAborted, now); }

void Connection::abandon(Instant now) { end(CloseReason::kAborted, now); }

void Connection::repeat_syn() {
  if (state_ != State::kSynSent || syn_due_ != SynDue::kNone) return;
  syn_due_ = SynDue::kAnswer;  // out of turn: our own timer and our patience stay as they are
  wake();
}

void Connection::door_opened() {
  if (!waits_for_door_) return;
  waits_for_door_ = false;
  wake();
  if (ending_ == Ending::kNone) user_.send_budget_grew();
}

void Connection::raise_send_window(std::uint64_t bytes, Instant now) {
  if (sender_ && ending_ == Ending::kNone && sender_->raise_window(bytes, now)) wake();
}

// ---- ending

void Connection::end(CloseReason reason, Instant now) {
  if (ending_ == Ending::kDone) return;
  finish_ending(reason, now);
}

void Connection::end_with_reset(CloseReason reason, Instant now) {
  if (ending_ != Ending::kNone || role_ == Role::kNone) return;
  end_reason_ = reason;
  ending_ = Ending::kReset;
  state_ = State::kClosed;
  linger_deadline_ = now + kLinger;
  wake();
}

void Connection::enter_time_wait(Instant now) {
  state_ = State::kTimeWait;
  ending_ = Ending::kTimeWait;
  end_reason_ = CloseReason::kFinished;
  linger_deadline_ = now + kLinger;
  wake();
}

void Connection::finish_ending(CloseReason reason, Instant now) {
  if (state_ != State::kTimeWait) state_ = State::kClosed;
  ending_ = Ending::kDone;
  waits_for_door_ = false;
  wake();  // the layer collects it at the next flush
  user_.closed(reason, now);
}

// ---- time

void Connection::flush(Instant now, Exit& exit) {
  if (ending_ == Ending::kDone || role_ == Role::kNone) return;
  run_timers(now);
  if (ending_ == Ending::kDone) return;
  waits_for_door_ = !emit_all(now, exit);
  if (ending_ != Ending::kNone && ending_ != Ending::kDone &&
      (!waits_for_door_ || now >= linger_deadline_)) {
    finish_ending(end_reason_, now);
    return;
  }
  Instant when = next_deadline();
  // What is due already can only be waiting for the door; it is asked now and then all the same.
  if (waits_for_door_ && when <= now) when = now + kBlockedDoorPoll;
  arm(when);
  validate_in_debug();
}

Instant Connection::next_deadline() const {
  if (ending_ == Ending::kDone) return kNever;
  if (ending_ != Ending::kNone) return linger_deadline_;
  Instant when = std::min(keepalive_deadline_, doubt_.deadline());
  if (opening_) when = std::min(when, opening_->handshake.next_deadline());
  if (receiver_) when = std::min(when, receiver_->next_deadline());
  if (sender_) when = std::min(when, sender_->next_deadline());
  return when;
}

void Connection::run_timers(Instant now) {
  if (ending_ != Ending::kNone) return;
  switch (opening_ ? opening_->handshake.on_deadline(now) : Handshake::Timeout::kNothing) {
    case Handshake::Timeout::kNothing: break;
    case Handshake::Timeout::kResend: resend_syn(now); break;
    case Handshake::Timeout::kGiveUp: end(CloseReason::kTimedOut, now); return;
  }
  if (receiver_) receiver_->on_deadline(now);
  if (sender_ && now >= sender_->next_deadline()) run_sender_timer(now);
  if (ending_ == Ending::kNone) run_keepalive(now);
  if (ending_ == Ending::kNone) run_doubt(now);
}

void Connection::resend_syn(Instant now) {
  if (state_ == State::kSynSent &&
      opening_->config.syn_repeats == ConnectionConfig::SynRepeats::kOnRequest) {
    // The timer goes on, for the end of patience.
    opening_->handshake.sent(Handshake::Sent::kDue, now);
  } else {
    syn_due_ = SynDue::kDue;
  }
}

void Connection::run_sender_timer(Instant now) {
  switch (sender_->on_deadline(now)) {
    case Sender::TimerOutcome::kNothing:
    case Sender::TimerOutcome::kProbe: note_probe_fate(now); break;
    case Sender::TimerOutcome::kRetransmit:
      note_timeout(now);
      user_.retransmission_timeout(sender_->consecutive_timeouts(), now);
      break;
    case Sender::TimerOutcome::kGiveUp: end(CloseReason::kTimedOut, now); break;
  }
}

// RFC 9293 3.8.4. While data is outstanding the retransmission timer does this work.
void Connection::run_keepalive(Instant now) {
  if (keepalive_interval_ == Duration::zero() || !is_synchronized()) return;
  const Instant due = last_received_ + keepalive_interval_;
  if (keepalives_unanswered_ == 0) keepalive_deadline_ = due;
  if (now < keepalive_deadline_) return;
  if (sender_->snd_una() != sender_->snd_nxt()) {
    keepalive_deadline_ = now + keepalive_interval_;
    return;
  }
  if (keepalives_unanswered_ == kKeepalivesUnanswered) {
    end_with_reset(CloseReason::kTimedOut, now);
    return;
  }
  ++keepalives_unanswered_;
  probe_ = Probe::kDue;
  keepalive_deadline_ = now + std::min(keepalive_interval_, kKeepaliveRetry);
}

void Connection::run_doubt(Instant now) {
  if (now < doubt_.deadline()) return;
  if (!is_synchronized() || receiver_->finished() || sender_->snd_una() != sender_->snd_nxt()) {
    doubt_.settle();
  } else if (doubt_.on_deadline(last_received_, now) == Doubt::Verdict::kAsk) {
    probe_ = Probe::kDue;
  }
}

// ---- what others may ask

std::uint64_t Connection::snd_una() const { return sender_ ? sender_->snd_una() : 0; }

std::uint64_t Connection::snd_nxt() const {
  return sender_ ? sender_->snd_nxt() : syn_payload_sent_;
}

bool Connection::can_send() const {
  return sender_ && (state_ == State::kEstablished || state_ == State::kCloseWait ||
                     state_ == State::kSynReceived);
}

std::uint64_t Connection::send_budget(Instant now) const {
  return can_send() && !waits_for_door_ ? sender_->budget(now) : 0;
}

Connection::PathInfo Connection::path_info() const {
  PathInfo info;
  info.mss = effective_mss();
  info.super_segment = info.mss;
  info.path_mtu = path_mtu_.believed();
  info.path_mtu_source = path_mtu_.source();
  info.last_received = last_received_;
  if (!sender_) return info;
  info.super_segment = sender_->max_super_payload();
  info.srtt = sender_->rtt().srtt();
  info.min_rtt = sender_->rtt().min_rtt();
  info.rttvar = sender_->rtt().rttvar();
  info.rto = sender_->retransmission_timeout();
  info.cwnd = sender_->controller().cwnd();
  info.ssthresh = sender_->controller().ssthresh();
  info.in_flight = sender_->in_flight();
  info.lost = sender_->lost();
  info.send_window = sender_->snd_wnd();
  info.consecutive_timeouts = sender_->consecutive_timeouts();
  info.pacing_rate = sender_->pacing_rate();
  info.delivery_rate = sender_->rate_sampler().rate();
  info.oldest_sent = sender_->oldest_sent();
  info.in_recovery = sender_->in_recovery();
  return info;
}

Connection::Outstanding Connection::outstanding() const {
  Outstanding out;
  if (!sender_) return out;
  const Scoreboard& scoreboard = sender_->scoreboard();
  out = {.all = scoreboard.outstanding(), .sacked = scoreboard.sacked(), .lost = scoreboard.lost()};
  for (const Scoreboard::Record& record : scoreboard.records()) {
    const bool again = record.retransmitted && record.fate == Scoreboard::Fate::kInFlight;
    if (again) out.retransmitted += record.size();
  }
  return out;
}

Connection::Counters Connection::counters() const {
  Counters counters = counters_;
  if (receiver_) counters.bytes_in = receiver_->bytes_received();
  if (sender_) {
    counters.bytes_out = sender_->counters().bytes_sent;
    counters.bytes_retransmitted = sender_->counters().bytes_retransmitted;
    counters.timeouts = sender_->counters().timeouts;
  }
  return counters;
}

Connection::Remains Connection::remains() const {
  ENSURE(receiver_.has_value());
  return {.snd_nxt = seq_of(snd_nxt()),
          .rcv_nxt = receiver_->rcv_nxt(),
          .window = last_window_,
          .timestamps = agreed_.timestamps,
          .ts_recent = receiver_->ts_recent(),
          .timestamp_offset = timestamp_offset_};
}

void Connection::validate() const {
  path_mtu_.validate();
  if (receiver_) receiver_->validate();
  if (sender_) sender_->validate();
  ENSURE(!is_synchronized() || (receiver_ && sender_ && !opening_));
  ENSURE(state_ != State::kSynSent || (!receiver_ && role_ == Role::kActive));
  ENSURE(ending_ == Ending::kNone || state_ == State::kClosed || state_ == State::kTimeWait);
  ENSURE(snd_una() <= snd_nxt());
}

void Connection::validate_in_debug() const {
#ifdef BRAID_VALIDATE
  validate();
#endif
}

}  // namespace braid::tcp
