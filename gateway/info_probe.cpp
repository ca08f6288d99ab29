#include "gateway/info_probe.h"

#include <algorithm>
#include <vector>

#include "stack/convert/client.h"

namespace braid::gateway {

namespace {
mptcp::ConnectionConfig plain_config() {
  mptcp::ConnectionConfig config;
  config.negotiate = mptcp::ConnectionConfig::Negotiate::kPlainTcp;
  return config;
}
// As long as a Connect: a box that cuts SYN payload to a few bytes is to cut both, and not to
// answer for a path on which no connection can begin. What follows the message is read by nobody.
std::vector<std::uint8_t> question() {
  std::vector<std::uint8_t> bytes = convert::info_request();
  bytes.resize(std::max(bytes.size(), convert::connect_request({}).size()));
  return bytes;
}

// While the verdict takes its time: a path that comes back is noticed so soon.
constexpr Duration kRepeat = 250ms;
}  // namespace

InfoProbe::InfoProbe(Host& host, PathHealth& health, Agenda::Entry& watcher)
    : host_(host),
      health_(health),
      watcher_(watcher),
      up_(host.pool(), Chunk::kSize),
      down_(host.pool(), Chunk::kSize),
      connection_(host.mptcp(), up_, down_, nullptr, plain_config(), *this) {
  join(host.agenda());
  down_.set_reader(this);
}

void InfoProbe::start(const mptcp::LocalPath& path, std::uint16_t local_port,
                      const wire::Endpoint& concentrator, Instant now) {
  started_ = last_sent_ = now;
  health_.asked(now);
  tuple_ = {path.interface, {path.address, local_port}, concentrator};
  connection_.connect(path, local_port, concentrator, question(), now);
  arm(now + health_.patience(now));
}

void InfoProbe::flush(Instant now) {
  if (outcome_) return;
  if (connection_.status().syn_payload_refused) {
    // Something cut the question short, and would cut a Connect (RFC 8803 C47).
    health_.found_deaf(now);
    return conclude(Outcome::kDeaf, now);
  }
  const convert::Reply reply = convert::read_reply(down_);
  if (std::holds_alternative<convert::Accepted>(reply) ||
      std::holds_alternative<convert::Refused>(reply)) {
    health_.measured(round_trip(now), now);
    health_.answered(now);
    return conclude(Outcome::kAlive, now);
  }
  if (std::holds_alternative<convert::Nonsense>(reply) || connection_.status().closed) {
    return conclude(Outcome::kRefused, now);
  }
  const Instant verdict = started_ + health_.verdict_after(now);
  if (now < verdict) {
    const bool first = last_sent_ == started_;
    const Instant impatient =
        last_sent_ + (first ? health_.patience(now) : std::max(health_.patience(now), kRepeat));
    if (now >= impatient) repeat_question(now);
    return arm(std::min(verdict, now >= impatient ? now + kRepeat : impatient));
  }
  if (health_.heard_since(started_)) {
    // It lives, but Convert messages do not get through, or this one was lost.
    health_.found_deaf(now);
    return conclude(Outcome::kDeaf, now);
  }
  health_.probe_failed(now);
  conclude(Outcome::kDead, now);
}

// Which of two questions was answered nobody says: the later one where the path is known to be that
// quick (it has just come back), else the first.
Duration InfoProbe::round_trip(Instant now) const {
  const Duration known = health_.rtt(now);
  const bool later = known > Duration::zero() && now - last_sent_ >= known / 2;
  return now - (later ? last_sent_ : started_);
}

// TCP's own timer would come after the verdict, and one lost packet is to condemn no path.
void InfoProbe::repeat_question(Instant now) {
  last_sent_ = now;
  if (tcp::Connection* connection = host_.tcp().find(tuple_)) connection->repeat_syn();
}

void InfoProbe::conclude(Outcome outcome, Instant now) {
  outcome_ = outcome;
  connection_.abort(now);
  watcher_.wake();
}

}  // namespace braid::gateway
