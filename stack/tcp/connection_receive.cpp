// Connection, the receiving half: RFC 9293 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all later states), one
// function per step, in the order a segment meets them.
#include <algorithm>
#include <array>

#include "stack/base/ensure.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/sender.h"

namespace braid::tcp {
namespace {

constexpr std::int64_t kAckDelayPart = 4;
constexpr Duration kLeastAckDelay = 2ms;

// RFC 8684 M13: a duplicate ACK that only carries a signal is no sign of congestion.
bool carries_signal(const wire::Segment& segment) {
  return std::any_of(
      segment.options.mptcp.begin(), segment.options.mptcp.end(),
      [](const wire::MptcpOption& option) { return !std::holds_alternative<wire::Dss>(option); });
}

}  // namespace

void Connection::receive(const wire::Segment& segment, Instant now) {
  if (ending_ != Ending::kNone || role_ == Role::kNone) return;
  ++counters_.segments_in;
  if (state_ == State::kSynSent) {
    receive_syn_sent(segment, now);
  } else {
    receive_established(segment, now);
  }
  if (ending_ != Ending::kDone) wake();
  validate_in_debug();
}

// The position our sequence number `ack` stands for, nearest to snd_nxt.
std::int64_t Connection::ack_position(SeqNum ack) const {
  const std::uint64_t nxt = snd_nxt();
  return static_cast<std::int64_t>(nxt) + (ack - seq_of(nxt));
}

// ---- SYN-SENT

void Connection::receive_syn_sent(const wire::Segment& segment, Instant now) {
  const std::int64_t acked = ack_position(segment.ack);
  const bool ack_good = segment.flags.ack && acked >= 0 &&
                        acked <= static_cast<std::int64_t>(syn_payload_sent_) && syn_has_left();
  if (segment.flags.ack && !ack_good) {
    if (!segment.flags.rst) reset_stray(segment);
    return;
  }
  if (segment.flags.rst) {
    if (ack_good) end(CloseReason::kRefused, now);
    return;
  }
  if (!segment.flags.syn) return;
  start_receiver(segment);
  if (segment.options.timestamps) {
    receiver_->note_timestamp(*segment.options.timestamps, -1, now);
  }
  last_received_ = now;
  if (segment.flags.ack) {
    complete_active(segment, static_cast<std::uint64_t>(acked), now);
  } else {
    open_simultaneously(segment, now);
  }
}

// Both ends sent a SYN. Ours is acknowledged later; the text of theirs, if any, is left to its
// retransmission: it is not acknowledged here.
void Connection::open_simultaneously(const wire::Segment& syn, Instant now) {
  state_ = State::kSynReceived;
  max_send_window_ = syn.window;
  syn_due_ = SynDue::kDue;
  opening_->handshake.start(now);
}

void Connection::complete_active(const wire::Segment& syn_ack, std::uint64_t acked, Instant now) {
  state_ = State::kEstablished;
  syn_due_ = SynDue::kNone;
  snd_wl1_ = syn_ack.seq;
  snd_wl2_ = syn_ack.ack;
  start_sender(acked, syn_payload_sent_, syn_ack.window, handshake_rtt(syn_ack, now), now);
  opening_.reset();
  ack_request_ = AckRequest::kHandshake;
  const Verdict verdict = user_.established(syn_ack, static_cast<std::uint32_t>(acked), now);
  if (verdict == Verdict::kReset) end_with_reset(CloseReason::kProtocolError, now);
  if (ending_ != Ending::kNone) return;
  if (acked > 0) user_.acked(acked, now);
  take_text(syn_ack, 0, now);
}

// ---- all later states

void Connection::receive_established(const wire::Segment& segment, Instant now) {
  const std::int64_t position = receiver_->position_of(segment.seq);
  if (answer_repeated_syn(segment, position)) return;
  if (segment.flags.rst) {
    receive_reset(segment, position, now);
    return;
  }
  if (syn_due_ == SynDue::kWithheld) return;  // the peer cannot know anything to say yet
  // A SYN-ACK that crossed ours completes a simultaneous open: its SYN lies left of the window.
  const bool crossed = state_ == State::kSynReceived && segment.flags.syn && position == -1;
  if (!crossed) {
    if (!passes_timestamps(segment, now) || !passes_sequence(segment, position, now)) return;
    if (segment.flags.syn) {
      challenge(now);  // RFC 5961 4.2
      return;
    }
  }
  if (!segment.flags.ack || !passes_ack(segment, now)) return;
  last_received_ = now;
  keepalives_unanswered_ = 0;
  if (segment.options.timestamps && agreed_.timestamps) {
    receiver_->note_timestamp(*segment.options.timestamps, position, now);
  }
  if (state_ == State::kSynReceived && !complete_passive(segment, now)) return;
  const std::int64_t text = crossed ? 0 : position;
  if (user_.segment_arrived(segment, static_cast<std::uint64_t>(text), now) == Verdict::kReset) {
    end_with_reset(CloseReason::kProtocolError, now);
  }
  if (ending_ == Ending::kNone) take_ack(segment, now);
  if (ending_ == Ending::kNone) take_text(segment, text, now);
}

// The peer has not heard our answer to its SYN, and says it again. True when that was all.
bool Connection::answer_repeated_syn(const wire::Segment& segment, std::int64_t position) {
  if (!segment.flags.syn || segment.flags.rst || position != -1) return false;
  if (state_ == State::kSynReceived && !segment.flags.ack) {
    if (syn_due_ == SynDue::kWithheld) {
      ++syn_repeats_;
      user_.syn_repeated();
    } else if (syn_due_ == SynDue::kNone) {
      syn_due_ = SynDue::kAnswer;
    }
    return true;
  }
  // Our handshake ACK was lost. An ACK of what we never sent is somebody else's (RFC 5961 4).
  const std::int64_t ack = ack_position(segment.ack);
  if (is_synchronized() && role_ == Role::kActive && segment.flags.ack && ack >= 0 &&
      ack <= static_cast<std::int64_t>(snd_nxt())) {
    ack_request_ = AckRequest::kHandshake;
    return true;
  }
  return false;
}

// RFC 7323 3.2 and 5.3.
bool Connection::passes_timestamps(const wire::Segment& segment, Instant now) {
  if (!agreed_.timestamps) return true;
  if (!segment.options.timestamps) return false;  // dropped without a word
  if (receiver_->check_timestamp(*segment.options.timestamps, now) == Receiver::Paws::kFine) {
    return true;
  }
  if (!segment.payload.empty() || out_of_window_limit_.allow(now)) receiver_->ack_now();
  return false;
}

// First step.
bool Connection::passes_sequence(const wire::Segment& segment, std::int64_t position, Instant now) {
  const ReceiveSpace space{static_cast<std::int64_t>(receiver_->next_position()),
                           static_cast<std::int64_t>(receiver_->last_ack_sent()),
                           static_cast<std::int64_t>(receiver_->window().edge())};
  const std::uint32_t length = segment.payload.size();
  // A FIN counts: text sent again with the FIN that was not ready the first time is not all old.
  const std::uint32_t fin = segment.flags.fin ? 1 : 0;
  switch (check_sequence(space, position, length + fin)) {
    case SequenceVerdict::kAccept: return true;
    case SequenceVerdict::kAckOnly: receiver_->ack_now(); return true;
    case SequenceVerdict::kOld:
      // A keep-alive lies just left of the window (RFC 9293 3.8.4): whoever sends it is alive.
      if (length <= 1 && position + 1 == static_cast<std::int64_t>(receiver_->next_position())) {
        last_received_ = now;
      }
      // Two ends that answer each other's stale ACKs would never stop: those are rationed.
      if (segment.seq_length() > 0 || out_of_window_limit_.allow(now)) {
        receiver_->receive_old(position, length);
      }
      return false;
    case SequenceVerdict::kOutside:
      if (length > 0 || out_of_window_limit_.allow(now)) receiver_->ack_now();
      return false;
  }
  return false;
}

// Second step.
void Connection::receive_reset(const wire::Segment& segment, std::int64_t position, Instant now) {
  const ReceiveSpace space{static_cast<std::int64_t>(receiver_->next_position()), 0,
                           static_cast<std::int64_t>(receiver_->window().edge())};
  switch (check_reset(space, position)) {
    case ResetVerdict::kDrop: return;
    case ResetVerdict::kChallenge: challenge(now); return;
    case ResetVerdict::kReset: break;
  }
  const bool opening = state_ == State::kSynReceived && role_ == Role::kActive;
  if (is_synchronized()) {
    user_.segment_arrived(segment, static_cast<std::uint64_t>(position), now);
    if (ending_ != Ending::kNone) ending_ = Ending::kNone;  // no RST answers a RST
  }
  end(opening ? CloseReason::kRefused : CloseReason::kReset, now);
}

void Connection::challenge(Instant now) {
  if (syn_due_ == SynDue::kWithheld || !challenge_limit_.allow(now)) return;
  ++counters_.challenge_acks;
  receiver_->ack_now();
}

// <SEQ=SEG.ACK><CTL=RST>: for an acknowledgment that no connection of ours can have caused.
void Connection::reset_stray(const wire::Segment& segment) {
  wire::Segment reset;
  reset.source = tuple_.local;
  reset.destination = tuple_.remote;
  reset.seq = segment.ack;
  reset.flags.rst = true;
  stray_reset_ = std::make_unique<wire::Segment>(reset);
}

// Fifth step, the acknowledgment number.
bool Connection::passes_ack(const wire::Segment& segment, Instant now) {
  const std::int64_t ack = ack_position(segment.ack);
  const auto nxt = static_cast<std::int64_t>(snd_nxt());
  if (state_ == State::kSynReceived) {
    if (ack >= 0 && ack <= nxt && syn_has_left()) return true;
    reset_stray(segment);
    return false;
  }
  switch (check_ack(ack, static_cast<std::int64_t>(snd_una()), nxt, max_send_window_)) {
    case AckVerdict::kAccept:
    case AckVerdict::kOld: return true;
    case AckVerdict::kFuture:
    case AckVerdict::kAncient: break;
  }
  challenge(now);
  return false;
}

bool Connection::complete_passive(const wire::Segment& segment, Instant now) {
  if (!user_.may_complete(segment)) return false;
  const auto acked = static_cast<std::uint64_t>(ack_position(segment.ack));
  const std::uint64_t window = std::uint64_t{segment.window} << agreed_.send_shift;
  const std::optional<Duration> rtt = handshake_rtt(segment, now);
  state_ = State::kEstablished;
  syn_due_ = SynDue::kNone;
  snd_wl1_ = segment.seq;
  snd_wl2_ = segment.ack;
  if (!sender_) {
    start_sender(acked, syn_payload_sent_, window, rtt, now);
  } else if (rtt) {
    sender_->sample_rtt(*rtt, now);  // early data has left before
  }
  opening_.reset();
  // Only a simultaneous open has text in its SYN.
  const std::uint64_t syn_acked = std::min(acked, syn_payload_sent_);
  if (user_.established(segment, static_cast<std::uint32_t>(syn_acked), now) == Verdict::kReset) {
    end_with_reset(CloseReason::kProtocolError, now);
  }
  if (ending_ == Ending::kNone && syn_acked > 0) user_.acked(syn_acked, now);
  return ending_ == Ending::kNone;
}

void Connection::take_ack(const wire::Segment& segment, Instant now) {
  const std::int64_t ack = ack_position(segment.ack);
  const bool overtaken = ack < static_cast<std::int64_t>(snd_una());
  if (ack < 0 || (overtaken && segment.options.sack.empty())) return;  // nothing new in it
  give_to_sender(segment, static_cast<std::uint64_t>(ack), now);
  if (ending_ == Ending::kNone && sender_->fin_acked()) fin_acked(now);
}

void Connection::give_to_sender(const wire::Segment& segment, std::uint64_t ack, Instant now) {
  std::array<Interval, 4> blocks;
  std::size_t count = 0;
  for (const wire::SackBlock& block : segment.options.sack) {
    const std::int64_t begin = ack_position(block.begin);
    const std::int64_t end = ack_position(block.end);
    if (begin < 0 || end <= begin || !agreed_.sack) continue;
    blocks[count++] = {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
  }
  Sender::AckInput input{.ack = ack, .sack = {blocks.data(), count}};
  input.window = std::uint64_t{segment.window} << agreed_.send_shift;
  // RFC 9293 3.10.7.4: an older segment must not bring an older window back.
  input.window_update_allowed =
      ack >= snd_una() &&
      (snd_wl1_ < segment.seq || (snd_wl1_ == segment.seq && snd_wl2_ <= segment.ack));
  if (input.window_update_allowed) {
    snd_wl1_ = segment.seq;
    snd_wl2_ = segment.ack;
    max_send_window_ = std::max(max_send_window_, input.window);
  }
  input.carries_data = segment.seq_length() > 0;
  input.signalling_only = carries_signal(segment);
  input.ecn_echo = agreed_.ecn && segment.flags.ece;
  input.echoed = echoed_tick(segment, now);
  if (input.echoed && ack > snd_una()) input.timestamp_rtt = now - *input.echoed;
  const Sender::AckOutcome outcome = sender_->receive_ack(input, now);
  note_arrival(outcome.largest_segment, now);
  if (outcome.newly_acked > 0) {
    user_.acked(sender_->snd_una() - (sender_->fin_acked() ? 1 : 0), now);
  }
  if (outcome.budget_grew && ending_ == Ending::kNone) user_.send_budget_grew();
}

// The moment the timestamp echoed by this segment stands for: the start of that tick of our clock.
std::optional<Instant> Connection::echoed_tick(const wire::Segment& segment, Instant now) const {
  if (!agreed_.timestamps || !segment.options.timestamps) return std::nullopt;
  const std::uint32_t echo = segment.options.timestamps->echo_reply;
  const auto age = static_cast<std::int32_t>(timestamps(now).value - echo);
  if (age < 0 || echo == 0) return std::nullopt;
  const Instant tick{std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch())};
  return tick - std::chrono::milliseconds(age);
}

void Connection::fin_acked(Instant now) {
  switch (state_) {
    case State::kFinWait1: state_ = State::kFinWait2; break;
    case State::kClosing: enter_time_wait(now); break;
    case State::kLastAck: end(CloseReason::kFinished, now); break;
    default: break;
  }
}

// Seventh and eighth step: text and FIN. After the peer's FIN there is neither.
void Connection::take_text(const wire::Segment& segment, std::int64_t position, Instant now) {
  if (segment.payload.empty() && !segment.flags.fin) return;
  doubt_.text_arrived(now);
  if (receiver_->finished()) {
    receiver_->ack_now();
    return;
  }
  receiver_->set_ack_delay(ack_delay());
  receiver_->receive(segment, position, user_, now);
  if (ending_ == Ending::kNone && receiver_->finished()) peer_finished(now);
}

Duration Connection::ack_delay() const {
  const bool by_path = ack_delay_ == ConnectionConfig::AckDelay::kByPath && sender_ != nullptr;
  const Duration least = by_path ? sender_->rtt().min_rtt() : Duration::zero();
  if (least == Duration::zero()) return Receiver::kAckDelay;
  return std::max(least / kAckDelayPart, kLeastAckDelay);
}

void Connection::peer_finished(Instant now) {
  switch (state_) {
    case State::kEstablished: state_ = State::kCloseWait; break;
    case State::kFinWait1: state_ = State::kClosing; break;  // our FIN is not acknowledged yet
    case State::kFinWait2: enter_time_wait(now); break;
    default: break;
  }
}

}  // namespace braid::tcp
