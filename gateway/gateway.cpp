#include "gateway/gateway.h"

#include <algorithm>

#include "gateway/config_change.h"

namespace braid::gateway {

namespace {
// IPv4 and TCP with the usual options: what a segment takes of its link beside its payload.
constexpr std::uint64_t kHeaderBytes = 20 + 20 + 32;

// When the concentrator was restarted every connection is asked about; not twice in so short a
// time, and not all in one burst.
constexpr Duration kCensusEvery = 5s;
constexpr Duration kBetweenQuestions = 50us;
}  // namespace

Gateway::Gateway(const GatewayConfig& config, ip::Layer& ip, Random& random)
    : Host(ip, random, config.memory_bytes),
      config_(config),
      uplinks_(config_, tcp(), random),
      watcher_(*this),
      overflow_(config_, doors(), uplinks_,
                [this] {
                  for (const auto& [id, flow] : flows_) flow->links_changed();
                }),
      probes_(config.uplinks.size()) {
  watcher_.join(agenda());
  overflow_.join(agenda());
  uplinks_.set_watcher(&watcher_);
  for (std::size_t i = 0; i < uplinks_.size(); ++i) {
    // An uplink's kernel owns its other ports: what is not ours gets no answer from us.
    tcp().set_stray(Uplinks::interface_of(i), tcp::Layer::Stray::kIgnore);
    set_door(Uplinks::interface_of(i), nullptr);
  }
}

Gateway::~Gateway() = default;

void Gateway::set_uplink(std::size_t uplink, const UplinkState& state, Instant now) {
  if (!uplinks_.update(uplink, state)) return;
  watcher_.wake();
  paths_changed(now);
}

void Gateway::paths_changed(Instant now) {
  for (const auto& [id, flow] : flows_) flow->paths_changed(now);
}

std::vector<std::string> Gateway::reconfigure(const GatewayConfig& fresh) {
  std::vector<std::string> fixed = take_over(config_, fresh);
  uplinks_.reconfigure(config_.uplinks);
  overflow_.reconfigure();
  for (const auto& [id, flow] : flows_) flow->reconfigured();
  return fixed;
}

void Gateway::new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) {
  if (interface != kInside) return;  // nobody connects to us from outside
  const std::uint64_t id = counters_.flows++;
  flows_.emplace(id, std::make_unique<Flow>(*this, id, syn, now));
  watcher_.wake();
}

void Gateway::overhear(tcp::InterfaceId interface, const wire::Segment& segment, Instant now) {
  if (interface == kInside) return;
  overflow_.received(Uplinks::uplink_of(interface), segment.payload.size() + kHeaderBytes);
  if (segment.source.address == config_.concentrator_v4 ||
      segment.source.address == config_.concentrator_v6) {
    PathHealth& health = uplinks_.health(Uplinks::uplink_of(interface));
    if (health.is_lost()) watcher_.wake();
    health.heard(now);
    uplinks_.arrived(interface, segment, now);
  }
}

void Gateway::ask_path(tcp::InterfaceId interface, Instant now) {
  const std::size_t uplink = Uplinks::uplink_of(interface);
  if (probes_[uplink]) return;
  for (const mptcp::LocalPath& path : uplinks_.paths()) {
    if (path.interface != interface) continue;
    const auto concentrator = uplinks_.concentrator_from(path);
    if (!concentrator) return;
    const auto port = uplinks_.allocate_port(path, *concentrator);
    if (!port) return;
    ++counters_.probes;
    probes_[uplink] = std::make_unique<InfoProbe>(*this, uplinks_.health(uplink), watcher_);
    probes_[uplink]->start(path, *port, *concentrator, now);
    return;
  }
}

// What the paths turned out to be is for all connections at once: those of a lost one leave it, and
// come back when it has answered.
void Gateway::collect_probes(Instant now) {
  for (std::size_t uplink = 0; uplink < probes_.size(); ++uplink) {
    if (!probes_[uplink] || !probes_[uplink]->outcome()) continue;
    if (*probes_[uplink]->outcome() == InfoProbe::Outcome::kDead) ++counters_.probes_dead;
    probes_[uplink].reset();
    for (const auto& [id, flow] : flows_) {
      if (flow->state() == Flow::State::kConnecting &&
          flow->interface() == Uplinks::interface_of(uplink)) {
        flow->wake();
      }
    }
  }
  if (uplinks_.refresh()) paths_changed(now);
}

void Gateway::keep_settled_uplink_known() {
  watch_ = Watch::kSettled;
  watcher_.wake();
}

// A doubtful uplink is asked until it answers, for connections begin elsewhere meanwhile. The
// settled one is asked for others' sake: a host with no connection of ours would not learn that the
// uplink its DNS uses is dead, and without DNS there are no connections.
Instant Gateway::ask_silent_paths(Instant now) {
  if (watch_ == Watch::kUsed && flows_.empty()) return kNever;
  Instant next = kNever;
  const std::optional<std::size_t> settled =
      watch_ == Watch::kSettled ? settled_uplink(now) : std::nullopt;
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (probes_[i]) continue;  // its outcome wakes the watcher
    const PathHealth& health = uplinks_.health(i);
    // With one uplink alone all that matters is that a lost one is noticed when it is back.
    const bool wanted =
        probes_.size() > 1 ? i == settled || health.is_doubtful() : health.is_lost();
    if (!wanted && !health.is_suspect()) continue;
    const Instant due = health.next_question(now);
    if (due <= now) ask_path(Uplinks::interface_of(i), now);
    // With no way to ask (no address, no free port) it is looked at again later.
    if (!probes_[i]) next = std::min(next, due > now ? due : now + PathHealth::kIdle);
  }
  return next;
}

// One connection was forgotten, so the concentrator was restarted and has forgotten all that are
// older: those that wait in silence would wait until their next keep-alive.
void Gateway::concentrator_forgot(Instant now) {
  if (last_census_ != Instant::min() && now - last_census_ < kCensusEvery) return;
  last_census_ = now;
  Instant when = now;
  for (const auto& [id, flow] : flows_) flow->ask_at(when += kBetweenQuestions);
}

void Gateway::tidy(Instant) {
  for (const std::uint64_t id : done_) flows_.erase(id);
  done_.clear();
}

}  // namespace braid::gateway
