#include "gateway/flow.h"

#include <algorithm>
#include <utility>

#include "gateway/bundle.h"

namespace braid::gateway {

namespace {

// While a server is waited for: how old the last sign of life of its path may be.
constexpr Duration kFreshness = 3s;

// A SYN is given up after three minutes (RFC 9293 MUST-23). A client that goes on repeats it and
// meets a new flow; one that went away in silence must not leave this one behind. Clients double
// the time from SYN to SYN: who has missed the next one by far has gone, and a drain need not wait.
constexpr Duration kClientPatience = 190s;
constexpr Duration kLeastClientPatience = 10s;

// Where routers on every way refuse, they do it at once: without a pause the attempts would follow
// one another as fast as the answers come.
constexpr Duration kRefusedPause = 1s;

// RFC 8803 C40: the value is the Code of a Destination Unreachable, of the server's family.
wire::IcmpError::Kind icmp_kind_of(wire::Family family, std::uint8_t code) {
  using Kind = wire::IcmpError::Kind;
  if (family == wire::Family::kIpv6) {
    switch (code) {
      case 0:
      case 2: return Kind::kNetUnreachable;
      case 1:
      case 5:
      case 6: return Kind::kAdminProhibited;
      case 4: return Kind::kPortUnreachable;
      default: return Kind::kHostUnreachable;
    }
  }
  switch (code) {
    case 0:
    case 6:
    case 11: return Kind::kNetUnreachable;
    case 2: return Kind::kProtocolUnreachable;
    case 3: return Kind::kPortUnreachable;
    case 9:
    case 10:
    case 13: return Kind::kAdminProhibited;
    default: return Kind::kHostUnreachable;
  }
}

}  // namespace

Flow::Flow(FlowOwner& owner, std::uint64_t id, const wire::Segment& syn, Instant now)
    : owner_(owner),
      id_(id),
      client_(syn.source),
      server_(syn.destination),
      syn_seq_(syn.seq),
      up_(owner.host().pool(), kInitialCapacity),
      down_(std::in_place, owner.host().pool(), kInitialCapacity),
      lan_(up_, *down_, *this),
      attempt_started_(now),
      began_(now),
      client_asked_at_(now),
      client_patient_until_(now + kLeastClientPatience) {
  join(owner_.host().agenda());
  tcp::ConnectionConfig config = owner_.host().connection_config(kInside, cc::Algorithm::kCubic);
  config.answer = tcp::ConnectionConfig::Answer::kWithhold;
  lan_.set_gate(tcp::PipeStream::Gate::kClosed);
  lan_.attach(owner_.host().tcp().accept(kInside, syn, lan_, std::move(config), now));
  // The Convert reply comes first; accepted() hands the pipe to the LAN leg.
  down_->set_reader(this);
  connect_over_next_path(now);
}

void Flow::connect_over_next_path(Instant now) {
  // Bytes of the client's may have reached the former attempt's server connection: another one must
  // not get them as well, nor the rest without them.
  if (bundle_ && up_.in_order() > StreamOffset()) {
    return tell_unreachable(wire::IcmpError::Kind::kNetUnreachable, now);
  }
  Uplinks& uplinks = owner_.uplinks();
  const mptcp::LocalPath* path = uplinks.choose(tried_, now);
  if (path == nullptr && !tried_.empty()) {
    // Every way was tried: begin anew with the first, for a path may come back while the client
    // waits.
    tried_.clear();
    path = uplinks.choose(tried_, now);
  }
  if (path == nullptr) return tell_unreachable(wire::IcmpError::Kind::kNetUnreachable, now);
  const auto concentrator = *uplinks.concentrator_from(*path);
  const auto port = uplinks.allocate_port(*path, concentrator);
  if (!port) return tell_unreachable(wire::IcmpError::Kind::kAdminProhibited, now);
  if (bundle_) bundle_->abort(now);
  bundle_.reset();
  if (down_->written() > StreamOffset()) start_down();
  tried_.push_back(path->interface);
  attempt_started_ = now;
  question_ = kNever;
  mptcp::ConnectionConfig config = bundle_config(owner_.config(), owner_.config().nat_timeout);
  if (uplinks.health(Uplinks::uplink_of(path->interface)).blocks_capable(now)) {
    config.negotiate = mptcp::ConnectionConfig::Negotiate::kPlainTcp;
  }
  bundle_ = std::make_unique<mptcp::Connection>(owner_.host().mptcp(), up_, *down_, &uplinks,
                                                std::move(config), *this);
  bundle_->connect(*path, *port, concentrator, convert::connect_request(server_), now);
  arm(now + uplinks.health(Uplinks::uplink_of(path->interface)).patience(now));
}

// What the former attempt's server connection said is forgotten: the client has heard nothing of
// it.
void Flow::start_down() {
  down_.emplace(owner_.host().pool(), kInitialCapacity);
  down_->set_reader(this);
}

void Flow::flush(Instant now) {
  if (state_ == State::kConnecting) flush_connecting(now);
  if (state_ == State::kRelaying) flush_relaying(now);
  if (state_ == State::kEnding) flush_ending();
}

void Flow::flush_connecting(Instant now) {
  if (lan_.close_reason()) return end_both(now);  // the client gave up
  const convert::Reply reply = convert::read_reply(*down_);
  if (const auto* yes = std::get_if<convert::Accepted>(&reply)) return accepted(*yes, now);
  if (const auto* no = std::get_if<convert::Refused>(&reply)) return refused(*no, now);
  if (std::holds_alternative<convert::Nonsense>(reply)) {
    // RFC 8803 C48: whatever answers there does not speak Convert.
    return refuse_client(now);
  }
  const mptcp::Status& status = bundle_->status();
  if (status.syn_payload_refused) {
    // RFC 8803 C47: our control bytes must never become somebody's data.
    return tell_unreachable(wire::IcmpError::Kind::kAdminProhibited, now);
  }
  note_client(now);
  if (now >= client_patient_until_) return fall_silent(now);
  if (!status.closed) return await_reply(now);
  switch (*status.closed) {
    case tcp::CloseReason::kUnreachable:
      if (const Instant next = attempt_started_ + kRefusedPause;
          now < next && owner_.uplinks().choose(tried_, now) == nullptr) {
        return arm(next);
      }
      return connect_over_next_path(now);
    case tcp::CloseReason::kTimedOut: return connect_over_next_path(now);
    case tcp::CloseReason::kReset:
      // It was let in, and then forgotten. The client has heard nothing yet, and need not.
      return connect_over_next_path(now);
    default:
      // A RST to the Convert SYN: the concentrator is not running, or does not want us.
      return tell_unreachable(wire::IcmpError::Kind::kHostUnreachable, now);
  }
}

void Flow::note_client(Instant now) {
  const tcp::Connection* const lan = lan_.connection();
  if (lan == nullptr || lan->syn_repeats() == client_repeats_) return;
  client_repeats_ = lan->syn_repeats();
  const Duration gap = now - client_asked_at_;
  client_asked_at_ = now;
  client_patient_until_ =
      std::min(began_ + kClientPatience, now + std::max(3 * gap, kLeastClientPatience));
}

void Flow::await_reply(Instant now) {
  if (now >= question_) {
    question_ = kNever;
    if (bundle_->status().established) bundle_->ask(now);
  }
  const PathHealth& health = owner_.uplinks().health(Uplinks::uplink_of(interface()));
  if (!health.hears(now)) return leave_dead_path(now);
  const Instant impatient = attempt_started_ + health.patience(now);
  if (now < impatient) return arm(impatient);
  // The path is good: the server is slow, or silent. That is asked again now and then, because a
  // path may die while its server is being waited for.
  if (health.proven_since(std::max(attempt_started_, now - kFreshness))) {
    // A reply that was lost comes again, unless the concentrator was restarted meanwhile: only a
    // question on the subflow itself meets the reset that tells so.
    if (bundle_->status().established) question_ = std::min(question_, now + kFreshness);
    return arm(now + kFreshness);
  }
  owner_.ask_path(interface(), now);
}

void Flow::leave_dead_path(Instant now) {
  const Uplinks& uplinks = owner_.uplinks();
  const auto living = [&](const mptcp::LocalPath* path) {
    return path != nullptr && uplinks.health(Uplinks::uplink_of(path->interface)).hears(now);
  };
  if (uplinks.choose(tried_, now) != nullptr) return connect_over_next_path(now);
  // All were tried. One that has come back since is worth another attempt; the others are not.
  const std::vector<tcp::InterfaceId> only_this = {interface()};
  if (living(uplinks.choose(only_this, now))) {
    tried_ = only_this;
    return connect_over_next_path(now);
  }
  const PathHealth& health = uplinks.health(Uplinks::uplink_of(interface()));
  arm(std::max({now + health.patience(now), health.dead_until(), health.deaf_until()}));
}

void Flow::reconfigured() {
  if (!bundle_) return;
  bundle_->set_policy(owner_.config().scheduler);
  bundle_->set_algorithm(owner_.config().congestion_control);
}

void Flow::links_changed() {
  if (bundle_) bundle_->wake();
}

void Flow::paths_changed(Instant now) {
  if (state_ == State::kConnecting && down_->readable() > 0) {
    wake();  // the reply came first: this attempt goes on, over other paths if need be
  } else if (state_ == State::kConnecting) {
    const auto paths = owner_.uplinks().paths();
    const bool still_there = std::any_of(paths.begin(), paths.end(), [&](const auto& path) {
      return path.interface == interface() && owner_.uplinks().has_link(path.interface);
    });
    if (!still_there) return connect_over_next_path(now);
  }
  if (bundle_) bundle_->paths_changed(now);
}

void Flow::accepted(const convert::Accepted& reply, Instant now) {
  question_ = kNever;
  PathHealth& health = owner_.uplinks().health(Uplinks::uplink_of(interface()));
  owner_.uplinks().answered(interface(), now);
  if (bundle_->status().capable_unanswered) health.found_capable_blocked(now);
  if (bundle_->status().mode == mptcp::Mode::kMptcp) health.capable_passed();
  const StreamOffset start(reply.length);
  down_->release(start);
  lan_.set_outgoing_start(start);
  lan_.set_gate(tcp::PipeStream::Gate::kOpen);
  state_ = State::kRelaying;
  arm(kNever);
  if (tcp::Connection* lan = lan_.connection()) {
    down_->set_reader(lan);
    lan->answer(now);
    lan->send_more();
  }
}

void Flow::refused(const convert::Refused& reply, Instant now) {
  owner_.uplinks().answered(interface(), now);
  using Code = wire::ConvertErrorCode;
  using Kind = wire::IcmpError::Kind;
  switch (reply.error.code) {
    case Code::kConnectionReset: return refuse_client(now);
    case Code::kDestinationUnreachable:
      return tell_unreachable(icmp_kind_of(server_.address.family(), reply.error.first()), now);
    case Code::kNetworkFailure:
    case Code::kResourceExceeded: return tell_unreachable(Kind::kNetUnreachable, now);
    default: return tell_unreachable(Kind::kAdminProhibited, now);
  }
}

void Flow::refuse_client(Instant now) { end_both(now); }

void Flow::tell_unreachable(wire::IcmpError::Kind kind, Instant now) {
  const wire::Segment syn{
      .source = client_, .destination = server_, .seq = syn_seq_, .flags = {.syn = true}};
  owner_.host().ip().report(
      kInside, {.kind = kind, .reporter = server_.address, .offending = syn, .mtu = 0}, now);
  // No RST behind it: it would turn "unreachable" into "refused". A client that ignores the ICMP
  // error repeats its SYN and meets a new flow, as it would on a direct path.
  if (tcp::Connection* lan = lan_.connection()) lan->abandon(now);
  end_both(now);
}

// The client has given up by its own clock, which says nothing.
void Flow::fall_silent(Instant now) {
  if (tcp::Connection* lan = lan_.connection()) lan->abandon(now);
  end_both(now);
}

void Flow::ask_at(Instant when) {
  if (state_ != State::kRelaying && state_ != State::kConnecting) return;
  question_ = when;
  arm(when);
}

void Flow::flush_relaying(Instant now) {
  if (now >= question_) {
    question_ = kNever;
    bundle_->ask(now);
  }
  arm(question_);
  const std::optional<tcp::CloseReason>& lan_end = lan_.close_reason();
  const std::optional<tcp::CloseReason>& bundle_end = bundle_->status().closed;
  const bool lan_broken = lan_end && *lan_end != tcp::CloseReason::kFinished;
  const bool bundle_broken = bundle_end && *bundle_end != tcp::CloseReason::kFinished;
  if (bundle_broken && bundle_->status().forgotten) owner_.concentrator_forgot(now);
  if (lan_broken || bundle_broken || (lan_end && bundle_end)) end_both(now);
}

void Flow::end_both(Instant now) {
  // A bundle that finished in order still has FINs under way: they are not to become resets.
  if (bundle_ && !bundle_->status().closed) bundle_->abort(now);
  if (tcp::Connection* lan = lan_.connection()) lan->abort(now);
  state_ = State::kEnding;
  flush_ending();
}

void Flow::flush_ending() {
  // The legs' RSTs leave at TCP's flush, which reports closed(); until then the users must live.
  if (!lan_.close_reason() || (bundle_ && !bundle_->status().closed)) return;
  state_ = State::kDone;
  owner_.flow_done(id_);
}

}  // namespace braid::gateway
