#include "gateway/session.h"

#include "gateway/bundle.h"

namespace braid::gateway {

namespace {

// A client must reset the connection when it reads an Error TLV (RFC 8803 C33); one that does not
// is reset by us after this.
constexpr Duration kRefusalPatience = 10s;

// A client that forgot the connection while its RST was lost is noticed by this. The gateway asks
// more often, so between living ends it never happens.
constexpr Duration kKeepalive = 300s;

}  // namespace

Session::Session(SessionOwner& owner, std::uint64_t id, tcp::InterfaceId interface,
                 const wire::Segment& syn, std::uint32_t message_length,
                 const mptcp::LocalPath& path, Instant now)
    : owner_(owner),
      id_(id),
      client_(syn.source.address),
      local_(syn.destination.address),
      up_(owner.host().pool(), kInitialCapacity),
      down_(owner.host().pool(), kInitialCapacity),
      bundle_(owner.host().mptcp(), down_, up_, nullptr, bundle_config(owner.config(), kKeepalive),
              *this),
      server_leg_(*this) {
  join(owner_.host().agenda());
  bundle_.accept(interface, syn, message_length, path, now);
}

void Session::connect(const convert::ConnectRequest& request, Instant now) {
  request_ = request;
  Host& host = owner_.host();
  const auto inside = owner_.allocate_inside(request.target);
  if (!inside) {
    return reply_and_close(convert::error_reply(wire::ConvertErrorCode::kResourceExceeded, 0), now);
  }
  tcp::ConnectionConfig config = host.connection_config(kInside, cc::Algorithm::kCubic);
  config.syn_repeats = tcp::ConnectionConfig::SynRepeats::kOnRequest;
  config.soft_errors = tcp::ConnectionConfig::SoftErrors::kEndConnecting;
  server_leg_.attach(
      host.tcp().connect({kInside, *inside, request.target}, server_leg_, std::move(config), now));
  server_leg_state_ = ServerLeg::kOpened;
}

void Session::leave_connecting(State next) {
  if (state_ == State::kConnecting) owner_.server_settled(client_);
  state_ = next;
}

void Session::reply_and_close(const std::vector<std::uint8_t>& reply, Instant now) {
  if (down_.append(Slices(Bytes(reply))) < reply.size()) owner_.reply_lacked_memory();
  down_.finish();
  bundle_.answer(now);
  refused_at_ = now;
  leave_connecting(State::kRefusing);
  arm(now + kRefusalPatience);
}

void Session::reconfigured() {
  bundle_.set_policy(owner_.config().scheduler);
  bundle_.set_algorithm(owner_.config().congestion_control);
}

void Session::flush(Instant now) {
  if (state_ == State::kConnecting) flush_connecting(now);
  if (state_ == State::kRelaying) flush_relaying(now);
  if (state_ == State::kRefusing) {
    if (bundle_.status().closed || now >= refused_at_ + kRefusalPatience) end_both(now);
  }
  if (state_ == State::kEnding) flush_ending();
}

void Session::flush_connecting(Instant now) {
  if (bundle_.status().closed) return end_both(now);  // the client gave up
  if (server_leg_.close_reason()) return server_failed(now);
  if (server_leg_.is_established()) return server_accepted(now);
  if (const std::uint32_t repeats = bundle_.syn_repeats(); repeats != syn_repeats_) {
    syn_repeats_ = repeats;
    if (tcp::Connection* server = server_leg_.connection()) server->repeat_syn();
  }
}

tcp::Verdict Session::ServerEnd::established(const wire::Segment& segment,
                                             std::uint32_t syn_bytes_acked, Instant now) {
  if (session_.write_reply() == tcp::Verdict::kReset) return tcp::Verdict::kReset;
  return PipeStream::established(segment, syn_bytes_acked, now);
}

// Without memory for a reply there is none for a relay: the server is reset, the client with it.
tcp::Verdict Session::write_reply() {
  const std::vector<std::uint8_t> reply = convert::accepted_reply(request_, server_options());
  if (down_.append(Slices(Bytes(reply))) < reply.size()) {
    owner_.reply_lacked_memory();
    return tcp::Verdict::kReset;
  }
  server_leg_.set_incoming_start(StreamOffset(reply.size()));
  return tcp::Verdict::kContinue;
}

void Session::server_accepted(Instant now) {
  bundle_.answer(now);
  leave_connecting(State::kRelaying);
  for (const mptcp::LocalPath& path : owner_.listen_paths()) {
    if (path.address_id != 0 && path.address != local_) {
      bundle_.announce(path.address_id, {path.address, owner_.config().listen_port}, now);
    }
  }
}

wire::TcpOptions Session::server_options() const {
  // RFC 8803 C29 asks for the SYN-ACK's options: those that were agreed on are all we offered.
  wire::TcpOptions options;
  const tcp::Connection* server = server_leg_.connection();
  if (server == nullptr) return options;
  const tcp::Handshake::Agreed& agreed = server->agreed();
  options.mss = agreed.peer_mss;
  options.window_scale = agreed.send_shift;
  options.sack_permitted = agreed.sack;
  if (agreed.timestamps) options.timestamps = wire::Timestamps{};
  return options;
}

void Session::server_failed(Instant now) {
  using Code = wire::ConvertErrorCode;
  switch (*server_leg_.close_reason()) {
    case tcp::CloseReason::kRefused:  // C40
      return reply_and_close(convert::error_reply(Code::kConnectionReset, 0), now);
    case tcp::CloseReason::kUnreachable: {
      const std::uint8_t host_unreachable = 1;
      return reply_and_close(
          convert::error_reply(Code::kDestinationUnreachable,
                               server_leg_.icmp_code().value_or(host_unreachable)),
          now);
    }
    default:
      // The server never answered. Its client's clock decides, so nothing is said (DESIGN 6).
      return end_both(now);
  }
}

void Session::flush_relaying(Instant now) {
  const std::optional<tcp::CloseReason>& server_end = server_leg_.close_reason();
  const std::optional<tcp::CloseReason>& client_end = bundle_.status().closed;
  const bool server_broken = server_end && *server_end != tcp::CloseReason::kFinished;
  const bool client_broken = client_end && *client_end != tcp::CloseReason::kFinished;
  // RFC 8803 C10: a RST of the server becomes MP_FASTCLOSE, and the other way round.
  if (server_broken || client_broken || (server_end && client_end)) end_both(now);
}

void Session::end_both(Instant now) {
  // A bundle that finished in order still has FINs under way: they are not to become resets.
  if (!bundle_.status().closed) bundle_.abort(now);
  if (tcp::Connection* server = server_leg_.connection()) server->abort(now);
  leave_connecting(State::kEnding);
  flush_ending();
}

void Session::flush_ending() {
  const bool server_gone =
      server_leg_state_ == ServerLeg::kNone || server_leg_.close_reason().has_value();
  if (!server_gone || !bundle_.status().closed) return;
  state_ = State::kDone;
  owner_.session_done(id_);
}

}  // namespace braid::gateway
