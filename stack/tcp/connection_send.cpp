// Connection, the sending half: what one flush emits, in order: a last RST; a RST for a stray;
// SYNs; the handshake's ACK; data; at most one pure ACK. Every function returns false when the door
// was not ready: the rest then waits.
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/sender.h"

namespace braid::tcp {

bool Connection::emit_all(Instant now, Exit& exit) {
  if (ending_ == Ending::kReset) return emit_reset(now, exit);
  if (!emit_stray_reset(exit) || !emit_syn(now, exit)) return false;
  if (!receiver_ || !syn_has_left()) return true;
  // Text of our SYN the peer did not take answers its SYN-ACK as well as an ACK does.
  const bool text_answers =
      sender_ && sender_->snd_una() < syn_payload_sent_ && user_.data_option_bytes() == 0;
  if (ack_request_ == AckRequest::kHandshake && text_answers) {
    const std::uint64_t before = counters_.segments_out;
    if (!emit_data(now, exit)) return false;
    if (counters_.segments_out > before) ack_request_ = AckRequest::kNone;
  }
  if (ack_request_ == AckRequest::kHandshake) {
    if (!emit_ack(Purpose::kHandshakeAck, snd_nxt(), now, exit)) return false;
    ack_request_ = AckRequest::kNone;
  }
  return emit_data(now, exit) && emit_acks(now, exit);
}

bool Connection::emit_stray_reset(Exit& exit) {
  if (!stray_reset_) return true;
  if (!exit.ready(tuple_.interface)) return false;
  emit(*stray_reset_, exit);
  stray_reset_.reset();
  return true;
}

// ---- SYNs

bool Connection::emit_syn(Instant now, Exit& exit) {
  if (syn_due_ == SynDue::kNone || syn_due_ == SynDue::kWithheld) return true;
  if (!exit.ready(tuple_.interface)) return false;
  emit(make_syn(now), exit);
  opening_->handshake.sent(
      syn_due_ == SynDue::kAnswer ? Handshake::Sent::kAnswer : Handshake::Sent::kDue, now);
  syn_due_ = SynDue::kNone;
  if (opening_->config.early_data == ConnectionConfig::EarlyData::kYes && role_ == Role::kPassive &&
      !sender_) {
    start_sender(0, 0, max_send_window_, std::nullopt, now);
  }
  return true;
}

wire::Segment Connection::make_syn(Instant now) {
  const auto& [config, handshake] = *opening_;
  wire::Segment segment;
  segment.source = tuple_.local;
  segment.destination = tuple_.remote;
  segment.seq = iss_;
  segment.flags = handshake.ecn_flags();
  segment.flags.syn = true;
  segment.window = window_field(ReceiveWindow::Field::kUnscaled);
  handshake.add_options(segment.options);
  if (handshake.uses_timestamps()) segment.options.timestamps = timestamps(now);
  Outgoing outgoing{.purpose = Purpose::kSyn, .now = now};
  outgoing.retransmission = handshake.transmissions() > 0;
  if (receiver_) {
    outgoing.purpose = Purpose::kSynAck;
    segment.flags.ack = true;
    segment.ack = receiver_->rcv_nxt();
    user_.add_options(outgoing, segment.options);
    receiver_->sent(segment.options);
    return segment;
  }
  outgoing.length = config.syn_payload;
  user_.add_options(outgoing, segment.options);
  const auto options = static_cast<std::uint32_t>(wire::encoded_length(segment.options));
  const std::uint32_t room =
      path_mtu_.size() - header_bytes(tuple_.remote.address.family()) - options;
  const std::uint32_t length = std::min(config.syn_payload, room);
  if (length > 0) segment.payload = user_.peek(0, length);
  syn_payload_sent_ = std::max<std::uint64_t>(syn_payload_sent_, segment.payload.size());
  return segment;
}

// ---- data

void Connection::tell_sender_the_end() {
  // A FIN waits for the handshake: SYN-RECEIVED has early data at most.
  sender_->set_end(user_.send_end(), user_.send_finished() && is_synchronized());
}

void Connection::refresh_mss(Instant now) {
  const std::uint32_t mss = effective_mss();
  if (mss == sender_mss_) return;
  sender_mss_ = mss;
  sender_->set_mss(mss, now, Sender::MssReason::kOptions);
}

bool Connection::emit_data(Instant now, Exit& exit) {
  if (!sender_ || ending_ != Ending::kNone) return true;
  refresh_mss(now);
  tell_sender_the_end();
  offer_path_probe(now);
  while (const std::optional<Sender::Plan> plan = sender_->plan(now)) {
    if (!exit.ready(tuple_.interface)) return false;
    Slices payload;
    if (plan->max_length > 0) payload = user_.peek(plan->position, plan->max_length);
    ENSURE(payload.size() <= plan->max_length);
    if (payload.empty() && plan->max_length > 0) return true;  // the user changed its mind
    std::uint32_t packet = path_mtu_.size();
    if (plan->size == Sender::Size::kPathProbe) {
      if (payload.size() >= sender_->path_probe_payload())
        packet = path_probe_;
      else
        payload = payload.sub(0, std::min(payload.size(), sender_mss_));
    }
    const Outgoing outgoing{.purpose = payload.empty() ? Purpose::kAck : Purpose::kData,
                            .position = plan->position,
                            .length = payload.size(),
                            .fin = plan->fin && payload.size() == plan->max_length,
                            .retransmission = plan->kind != Sender::Kind::kNew,
                            .now = now};
    wire::Segment segment = make_segment(outgoing, payload, packet);
    finish_data(segment, outgoing);
    emit(segment, exit);
    sender_->sent(*plan, segment.payload.size(), segment.flags.fin, now);
    if (segment.flags.fin) note_fin_sent();
  }
  return true;
}

// What only data segments have: whole pieces, FIN and PSH, ECN.
void Connection::finish_data(wire::Segment& segment, const Outgoing& outgoing) {
  segment.flags.fin = outgoing.fin;
  if (segment.gso_size != 0 && segment.gso_size < sender_mss_) {
    // SACK blocks made the pieces smaller than planned: the crumb left rides with what follows.
    const std::uint32_t crumb = segment.payload.size() % segment.gso_size;
    if (crumb > 0) {
      segment.payload = segment.payload.sub(0, segment.payload.size() - crumb);
      segment.flags.fin = false;
    }
    if (segment.payload.size() <= segment.gso_size) segment.gso_size = 0;
  }
  const std::uint64_t end = outgoing.position + segment.payload.size();
  segment.flags.psh = !segment.payload.empty() && (segment.flags.fin || end == user_.send_end());
  if (!outgoing.retransmission && agreed_.ecn && !segment.payload.empty()) {
    segment.ecn = wire::Ecn::kEct0;  // RFC 3168 6.1.5: never on retransmissions
    segment.flags.cwr = sender_->take_cwr();
  }
}

void Connection::note_fin_sent() {
  if (state_ == State::kEstablished) state_ = State::kFinWait1;
  if (state_ == State::kCloseWait) state_ = State::kLastAck;
}

// ---- ACKs

bool Connection::ack_wanted() const {
  if (ack_request_ == AckRequest::kPlain || receiver_->ack_due() == Receiver::AckDue::kNow) {
    return true;
  }
  // DESIGN 6: data had no room for SACK blocks beside timestamps and a DSS.
  if (receiver_->sack_news()) return true;
  return is_synchronized() && ending_ == Ending::kNone && !receiver_->finished() &&
         receiver_->window().update_due(receiver_->next_position(), grantable_room());
}

bool Connection::emit_acks(Instant now, Exit& exit) {
  if (ack_wanted()) {
    if (!emit_ack(Purpose::kAck, snd_nxt(), now, exit)) return false;
    ack_request_ = AckRequest::kNone;
  }
  if (probe_ == Probe::kDue && is_synchronized()) {
    // RFC 9293 3.8.4: one left of what the peer expects makes it answer.
    if (!emit_ack(Purpose::kAck, snd_nxt() - 1, now, exit)) return false;
    probe_ = Probe::kNone;
  }
  return true;
}

bool Connection::emit_ack(Purpose purpose, std::uint64_t position, Instant now, Exit& exit) {
  if (!exit.ready(tuple_.interface)) return false;
  emit(make_segment({.purpose = purpose, .position = position, .now = now}, {}, path_mtu_.size()),
       exit);
  return true;
}

// ---- the end

bool Connection::emit_reset(Instant now, Exit& exit) {
  const bool silent = !receiver_;  // in SYN-SENT nobody knows us
  if (silent) return true;
  if (!exit.ready(tuple_.interface)) return false;
  wire::Segment segment;
  segment.source = tuple_.local;
  segment.destination = tuple_.remote;
  segment.flags.rst = segment.flags.ack = true;
  segment.ack = receiver_->rcv_nxt();
  // While the SYN-ACK is withheld it answers the SYN itself (RFC 9293 3.5.2).
  if (syn_has_left()) segment.seq = seq_of(snd_nxt());
  if (agreed_.timestamps) segment.options.timestamps = timestamps(now);
  user_.add_options({.purpose = Purpose::kReset, .position = snd_nxt(), .now = now},
                    segment.options);
  wire::fit(segment.options);
  emit(segment, exit);
  return true;
}

// ---- building

// A segment after the SYNs. What it acknowledges and announces counts as said from here on.
wire::Segment Connection::make_segment(const Outgoing& outgoing, const Slices& payload,
                                       std::uint32_t packet) {
  wire::Segment segment;
  segment.source = tuple_.local;
  segment.destination = tuple_.remote;
  segment.seq = seq_of(outgoing.position);
  segment.ack = receiver_->rcv_nxt();
  segment.flags.ack = true;
  segment.flags.ece = agreed_.ecn && receiver_->ecn_echo();
  segment.window = window_field(ReceiveWindow::Field::kScaled);
  if (agreed_.timestamps) segment.options.timestamps = timestamps(outgoing.now);
  receiver_->add_sack(segment.options);
  user_.add_options(outgoing, segment.options);
  wire::fit(segment.options);
  segment.payload = payload;
  const std::uint32_t piece =
      segment_limit(packet) - static_cast<std::uint32_t>(wire::encoded_length(segment.options));
  if (payload.size() > piece && packet > path_mtu_.size()) {
    segment.payload = payload.sub(0, piece);  // a probe is one packet
  } else if (payload.size() > piece) {
    segment.gso_size = static_cast<std::uint16_t>(piece);
  }
  receiver_->sent(segment.options);
  return segment;
}

// What the user has room for, less what the scale may round it up by: the peer sends into every
// byte promised, and one cut off for want of room costs it a recovery.
std::uint64_t Connection::grantable_room() const {
  const std::uint64_t room = user_.receive_window();
  if (user_.window_scope() == WindowScope::kShared) return room;  // rounded down
  const std::uint8_t shift = receiver_ ? agreed_.receive_shift : opening_->config.window_scale;
  return room - std::min(room, (std::uint64_t{1} << shift) - 1);
}

std::uint16_t Connection::window_field(ReceiveWindow::Field field) {
  const std::uint64_t room = grantable_room();
  if (!receiver_) {
    last_window_ = static_cast<std::uint16_t>(std::min<std::uint64_t>(room, 65535));
  } else {
    last_window_ = receiver_->window().announce(receiver_->next_position(), room, field);
  }
  return last_window_;
}

void Connection::emit(const wire::Segment& segment, Exit& exit) {
  ++counters_.segments_out;
  exit.send(tuple_.interface, segment);
}

wire::Timestamps Connection::timestamps_at(Instant now, std::uint32_t offset, std::uint32_t echo) {
  const auto ticks = static_cast<std::uint32_t>(
      std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count());
  return {.value = ticks + offset, .echo_reply = echo};
}

wire::Timestamps Connection::timestamps(Instant now) const {
  return timestamps_at(now, timestamp_offset_, receiver_ ? receiver_->ts_recent() : 0);
}

}  // namespace braid::tcp
