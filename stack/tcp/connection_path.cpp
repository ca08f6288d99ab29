// Connection and its path: how large packets may be, and what routers say.
#include <algorithm>

#include "stack/tcp/connection.h"
#include "stack/tcp/sender.h"

namespace braid::tcp {
namespace {

// RFC 9293 3.9.2.2: soft errors may pass, hard ones will not.
bool is_soft(wire::IcmpError::Kind kind) {
  using Kind = wire::IcmpError::Kind;
  return kind == Kind::kNetUnreachable || kind == Kind::kHostUnreachable ||
         kind == Kind::kTimeExceeded;
}

bool is_hard(wire::IcmpError::Kind kind) {
  using Kind = wire::IcmpError::Kind;
  return kind == Kind::kProtocolUnreachable || kind == Kind::kPortUnreachable ||
         kind == Kind::kAdminProhibited;
}

}  // namespace

// ---- errors from the network

void Connection::receive_error(const wire::IcmpError& error, Instant now) {
  if (ending_ != Ending::kNone) return;
  // RFC 5927 4.1: it must quote something that is in flight.
  const std::int64_t quoted = ack_position(error.seq);
  const std::int64_t oldest = is_synchronized() ? static_cast<std::int64_t>(snd_una()) : -1;
  if (quoted < oldest || quoted >= static_cast<std::int64_t>(snd_nxt())) return;
  last_error_ = std::make_unique<wire::IcmpError>(error);
  if (error.kind == wire::IcmpError::Kind::kPacketTooBig) {
    const PathMtu::Change change = path_mtu_.told(error.mtu, now);
    if (state_ == State::kSynSent && change != PathMtu::Change::kNone) repeat_dropped_syn();
    apply(change, now);
  } else if (opening_ && syn_has_left()) {
    connecting_failed(error, now);
  }
  // Otherwise RFC 9293 MUST-56: remembered, and the connection goes on trying.
}

// RFC 1191 6.4: our SYN's text was too big, and the SYN is lost with it. It goes again with less.
void Connection::repeat_dropped_syn() {
  if (syn_payload_sent_ > 0) repeat_syn();
}

// RFC 5927 5.2: hard errors are believed as long as nothing is established.
void Connection::connecting_failed(const wire::IcmpError& error, Instant now) {
  const bool soft_ends =
      opening_->config.soft_errors == ConnectionConfig::SoftErrors::kEndConnecting;
  if (is_hard(error.kind) || (soft_ends && is_soft(error.kind))) {
    end(CloseReason::kUnreachable, now);
  }
}

// ---- evidence for the path MTU

void Connection::apply(PathMtu::Change change, Instant now) {
  const bool found_out = path_mtu_.source() == PathMtu::Source::kRouter ||
                         path_mtu_.source() == PathMtu::Source::kProbing;
  if (path_ && found_out && change != PathMtu::Change::kNone) {
    path_->note_mtu(path_mtu_.believed(), now);
  }
  if (change == PathMtu::Change::kNone || !sender_) return;
  sender_mss_ = effective_mss();
  sender_->set_mss(sender_mss_, now,
                   change == PathMtu::Change::kFound ? Sender::MssReason::kPathMtu
                                                     : Sender::MssReason::kOptions);
  wake();
}

void Connection::note_arrival(std::uint32_t largest_segment, Instant now) {
  if (largest_segment > 0) apply(path_mtu_.arrived(packet_holding(largest_segment)), now);
  note_probe_fate(now);
}

void Connection::note_probe_fate(Instant now) {
  switch (sender_->take_probe_fate()) {
    case Sender::ProbeFate::kNone: break;
    case Sender::ProbeFate::kArrived: apply(path_mtu_.probe_arrived(now), now); break;
    case Sender::ProbeFate::kLost: apply(path_mtu_.probe_lost(now), now); break;
  }
}

void Connection::note_timeout(Instant now) {
  note_probe_fate(now);
  const std::uint32_t packet = packet_holding(sender_->head_segment());
  apply(path_mtu_.timed_out(packet, sender_->consecutive_timeouts()), now);
}

void Connection::offer_path_probe(Instant now) {
  path_probe_ = path_mtu_.next_probe(now);
  const std::uint32_t options = reserved_options();
  sender_->want_path_probe(path_probe_ == 0 ? 0 : segment_limit(path_probe_) - options);
}

// ---- sizes

std::uint32_t Connection::packet_holding(std::uint32_t payload) const {
  return header_bytes(tuple_.remote.address.family()) + reserved_options() + payload;
}

// RFC 9293 MUST-16: what the peer takes and a packet of this size holds.
std::uint32_t Connection::segment_limit(std::uint32_t packet) const {
  const std::uint32_t path = packet - header_bytes(tuple_.remote.address.family());
  return std::min<std::uint32_t>(agreed_.peer_mss, path);
}

std::uint32_t Connection::segment_limit() const { return segment_limit(path_mtu_.size()); }

std::uint32_t Connection::reserved_options() const {
  constexpr std::uint32_t kTimestampBytes = 12;
  const std::uint32_t user = (user_.data_option_bytes() + 3) / 4 * 4;
  const std::uint32_t options = user + (agreed_.timestamps ? kTimestampBytes : 0);
  return std::min(options, segment_limit() / 2);
}

std::uint32_t Connection::effective_mss() const { return segment_limit() - reserved_options(); }

}  // namespace braid::tcp
