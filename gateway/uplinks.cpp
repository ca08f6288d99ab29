#include "gateway/uplinks.h"

#include <algorithm>
#include <tuple>

namespace braid::gateway {
namespace {

// What decides where a connection begins: most fetch no more than a first window, and larger ones
// soon have the other uplinks as well.
constexpr std::uint64_t kSmallFetch = 15'000;  // bytes

}  // namespace

Uplinks::Uplinks(const GatewayConfig& config, tcp::Layer& tcp, Random& random)
    : config_(config), tcp_(tcp) {
  for (const UplinkConfig& uplink : config.uplinks) {
    entries_.push_back({uplink, {}, {}, {}, std::make_shared<sched::Link>(), {}});
    entries_.back().link->cost = uplink.cost;
  }
  next_port_ = random.below(static_cast<std::uint32_t>(config.last_port - config.first_port) + 1);
}

bool Uplinks::update(std::size_t uplink, const UplinkState& state) {
  Entry& entry = entries_[uplink];
  if (entry.state == state) return false;
  entry.state = state;
  entry.health.forget();
  entry.arrivals = ArrivalRate();
  entry.proven.reset();
  tcp_.paths().forget(interface_of(uplink));
  rebuild_paths();
  return true;
}

void Uplinks::reconfigure(const std::vector<UplinkConfig>& uplinks) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].config = uplinks[i];
    entries_[i].link->cost = uplinks[i].cost;
  }
  rebuild_paths();
}

bool Uplinks::carries(std::size_t uplink, Instant now) const {
  const Entry& entry = entries_[uplink];
  return entry.config.use == UplinkConfig::Use::kRegular &&
         entry.state.link == UplinkState::Link::kUp && source_of(entry.state) &&
         !entry.health.is_dead(now) && !entry.health.is_doubtful();
}

bool Uplinks::refresh() {
  const bool changed = std::any_of(paths_.begin(), paths_.end(), [&](const auto& path) {
    const PathHealth& health = entries_[uplink_of(path.interface)].health;
    return path.usable != (has_link(path.interface) && !health.is_lost()) ||
           path.revivals != health.revivals();
  });
  if (changed) rebuild_paths();
  return changed;
}

void Uplinks::answered(tcp::InterfaceId interface, Instant now) {
  PathHealth& health = entries_[uplink_of(interface)].health;
  const std::uint32_t before = health.revivals();
  health.answered(now);
  if (health.revivals() != before && watcher_ != nullptr) watcher_->wake();
}

bool Uplinks::has_link(tcp::InterfaceId interface) const {
  return entries_[uplink_of(interface)].state.link == UplinkState::Link::kUp;
}

std::optional<wire::IpAddress> Uplinks::source_of(const UplinkState& state) const {
  if (state.ipv4 && config_.concentrator_v4) return state.ipv4;
  if (state.ipv6 && config_.concentrator_v6) return state.ipv6;
  // No configured address of this family: the concentrator may still announce one (ADD_ADDR).
  return state.ipv4 ? state.ipv4 : state.ipv6;
}

void Uplinks::rebuild_paths() {
  paths_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const auto source = source_of(entry.state);
    if (!source) continue;
    // RFC 8684 M87: one id per address; the parity tells the family, so that an uplink that changes
    // from one to the other does not reuse an id.
    const auto id = static_cast<std::uint8_t>(2 * i + 1 + (source->is_v4() ? 0 : 1));
    paths_.push_back({.interface = interface_of(i),
                      .address = *source,
                      .address_id = id,
                      .usable = has_link(interface_of(i)) && !entry.health.is_lost(),
                      .revivals = entry.health.revivals(),
                      .backup = entry.config.use == UplinkConfig::Use::kBackup,
                      .proven = entry.proven,
                      .mtu = entry.state.mtu,
                      .max_super_payload = entry.state.max_super_payload,
                      .algorithm = entry.config.congestion_control,
                      .link = entry.link});
  }
}

std::optional<std::uint16_t> Uplinks::allocate_port(const mptcp::LocalPath& path,
                                                    const wire::Endpoint& remote) {
  const std::uint32_t count =
      static_cast<std::uint32_t>(config_.last_port - config_.first_port) + 1;
  // Round robin, so that the ports of connections just ended rest longest (S23).
  for (std::uint32_t tries = 0; tries < count; ++tries) {
    const auto port = static_cast<std::uint16_t>(config_.first_port + next_port_);
    next_port_ = (next_port_ + 1) % count;
    const tcp::Tuple tuple{path.interface, {path.address, port}, remote};
    if (tcp_.find(tuple) == nullptr) return port;
  }
  return std::nullopt;
}

Duration Uplinks::expected_rtt(const mptcp::LocalPath& path, Instant now) const {
  return entries_[uplink_of(path.interface)].health.rtt(now);
}

void Uplinks::learnt(const mptcp::LocalPath& path, const tcp::Connection::PathInfo& info,
                     Instant now) {
  entries_[uplink_of(path.interface)].health.learnt(info, now);
}

void Uplinks::let_in(const mptcp::LocalPath& path, const wire::Endpoint& remote) {
  Entry& entry = entries_[uplink_of(path.interface)];
  if (entry.proven == remote) return;
  entry.proven = remote;
  for (mptcp::LocalPath& known : paths_) {
    if (known.interface == path.interface) known.proven = remote;
  }
}

void Uplinks::suspected(const mptcp::LocalPath& path, Instant last_heard, Instant now) {
  PathHealth& health = entries_[uplink_of(path.interface)].health;
  health.suspected(last_heard, now);
  if (health.is_suspect() && watcher_ != nullptr) watcher_->wake();
}

void Uplinks::missed(const mptcp::LocalPath& path, Instant now) {
  PathHealth& health = entries_[uplink_of(path.interface)].health;
  const Instant before = health.next_question(now);
  health.missed(now);
  if (health.next_question(now) < before && watcher_ != nullptr) watcher_->wake();
}

std::optional<wire::Endpoint> Uplinks::concentrator_from(const mptcp::LocalPath& path) const {
  const auto& address = path.address.is_v4() ? config_.concentrator_v4 : config_.concentrator_v6;
  if (!address) return std::nullopt;
  return wire::Endpoint{*address, config_.concentrator_port};
}

Rate Uplinks::rate_down(std::size_t uplink, Instant now) const {
  const Entry& entry = entries_[uplink];
  return entry.config.rate_down.is_zero() ? entry.arrivals.rate(now) : entry.config.rate_down;
}

// A round trip for the SYN, one for the question, and what the answer takes to come.
Duration Uplinks::small_fetch(std::size_t uplink, Instant now) const {
  const Duration rtt = entries_[uplink].health.rtt(now);
  if (rtt == Duration::zero()) return Duration::max();
  const Rate rate = rate_down(uplink, now);
  return 2 * rtt + (rate.is_zero() ? Duration::zero() : rate.time_for(kSmallFetch));
}

Uplinks::Faults Uplinks::faults(const mptcp::LocalPath& path, Instant now) const {
  const PathHealth& health = entries_[uplink_of(path.interface)].health;
  return {!has_link(path.interface) || !concentrator_from(path),
          health.is_dead(now),
          health.is_doubtful(),
          health.is_deaf(now),
          health.blocks_capable(now),
          path.backup,
          path.link->in_reserve};
}

Uplinks::Faults Uplinks::faults(std::size_t uplink, Instant now) const {
  for (const mptcp::LocalPath& path : paths_) {
    if (path.interface == interface_of(uplink)) return faults(path, now);
  }
  return {true};  // no address, no path
}

const mptcp::LocalPath* Uplinks::choose(std::span<const tcp::InterfaceId> tried,
                                        Instant now) const {
  const auto rank = [&](const mptcp::LocalPath& path) {
    return std::tuple(faults(path, now), small_fetch(uplink_of(path.interface), now),
                      path.interface);
  };
  const mptcp::LocalPath* best = nullptr;
  for (const mptcp::LocalPath& path : paths_) {
    if (faults(path, now).front()) continue;
    if (std::find(tried.begin(), tried.end(), path.interface) != tried.end()) continue;
    if (best == nullptr || rank(path) < rank(*best)) best = &path;
  }
  return best;
}

}  // namespace braid::gateway
