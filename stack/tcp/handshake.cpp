#include "stack/tcp/handshake.h"

#include <algorithm>

namespace braid::tcp {
namespace {

constexpr Duration kInitialRto = 1s;  // RFC 6298 2.1
constexpr Duration kMaximumRto = 60s;
// Below this an MSS is an attack: a full set of options must leave room for some bytes.
constexpr std::uint16_t kLeastMss = 88;
constexpr std::uint8_t kMaximumShift = 14;  // RFC 7323 2.3

}  // namespace

Handshake::Handshake(const Offer& offer) : offer_(offer), rto_(kInitialRto) {
  offer_.window_scale = std::min(offer_.window_scale, kMaximumShift);
  agreed_.peer_mss = default_mss(offer_.family);
}

std::uint16_t Handshake::own_mss() const {
  const std::uint32_t mss = offer_.mtu - header_bytes(offer_.family);
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(mss, 65535));
}

void Handshake::add_options(wire::TcpOptions& options) const {
  options.mss = own_mss();
  if (!peer_known_) {
    options.window_scale = offer_.window_scale;
    options.sack_permitted = offer_.sack;
    return;
  }
  // An answer repeats only what was offered to us (RFC 7323 2.2, RFC 2018 2).
  if (peer_scales_) options.window_scale = offer_.window_scale;
  options.sack_permitted = agreed_.sack;
}

wire::TcpFlags Handshake::ecn_flags() const {
  wire::TcpFlags flags;
  if (peer_known_) {
    flags.ece = agreed_.ecn;
  } else if (offer_.ecn && transmissions_ == 0) {
    // RFC 3168 6.1.1.1: the network may have dropped the first SYN because it asked.
    flags.ece = flags.cwr = true;
  }
  return flags;
}

void Handshake::peer_syn(const wire::Segment& segment) {
  const wire::TcpOptions& options = segment.options;
  peer_known_ = true;
  agreed_.timestamps = offer_.timestamps && options.timestamps.has_value();
  agreed_.sack = offer_.sack && options.sack_permitted;
  peer_scales_ = options.window_scale.has_value();
  if (peer_scales_) {
    agreed_.send_shift = std::min(*options.window_scale, kMaximumShift);
    agreed_.receive_shift = offer_.window_scale;
  }
  if (options.mss) agreed_.peer_mss = std::max(*options.mss, kLeastMss);
  // A SYN asks with both flags, a SYN-ACK agrees with ECE alone (RFC 3168 6.1.1).
  const bool willing = segment.flags.ece && segment.flags.cwr != segment.flags.ack;
  agreed_.ecn = offer_.ecn && willing;
}

void Handshake::start(Instant now) {
  started_ = now;
  deadline_ = now + offer_.timeout;
}

void Handshake::sent(Sent why, Instant now) {
  if (++transmissions_ == 1) first_sent_ = now;
  if (why == Sent::kAnswer) return;
  const bool doubles = ++timed_transmissions_ > 1 + offer_.linear_timeouts;
  if (doubles) rto_ = std::min(rto_ * 2, kMaximumRto);
  deadline_ = std::min(now + rto_, started_ + offer_.timeout);
}

Handshake::Timeout Handshake::on_deadline(Instant now) {
  if (now < deadline_) return Timeout::kNothing;
  if (timed_transmissions_ > offer_.max_retransmissions || now >= started_ + offer_.timeout) {
    deadline_ = kNever;
    return Timeout::kGiveUp;
  }
  deadline_ = started_ + offer_.timeout;  // until it has left
  return Timeout::kResend;
}

std::optional<Duration> Handshake::round_trip(Instant now) const {
  if (transmissions_ != 1) return std::nullopt;
  return now - first_sent_;
}

}  // namespace braid::tcp
