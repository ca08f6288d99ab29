// Uplinks: the gateway's ways out: configuration, present addresses, health, and local ports.
//
// One LocalPath per uplink: IPv4 where both ends have it, else IPv6, so that two subflows never
// share a link; usable while the link is up and the path not found lost. Interface numbers are 1 +
// the uplink's place in the configuration.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/arrival_rate.h"
#include "gateway/config.h"
#include "gateway/path_health.h"
#include "stack/base/agenda.h"
#include "stack/base/random.h"
#include "stack/mptcp/paths.h"
#include "stack/tcp/layer.h"
#include "stack/wire/segment.h"

namespace braid::gateway {

// What the host says of an uplink's interface at this moment.
struct UplinkState {
  enum class Link : std::uint8_t { kDown, kUp } link = Link::kDown;
  std::optional<wire::IpAddress> ipv4;
  std::optional<wire::IpAddress> ipv6;  // global scope
  std::uint32_t mtu = 1500;
  std::uint32_t max_super_payload = 60000;
  bool operator==(const UplinkState&) const = default;
};

class Uplinks final : public mptcp::LocalPaths {
 public:
  Uplinks(const GatewayConfig& config, tcp::Layer& tcp, Random& random);

  static tcp::InterfaceId interface_of(std::size_t uplink) {
    return static_cast<tcp::InterfaceId>(uplink + 1);
  }
  static std::size_t uplink_of(tcp::InterfaceId interface) { return interface - 1; }
  std::size_t size() const { return entries_.size(); }
  const UplinkConfig& config(std::size_t uplink) const { return entries_[uplink].config; }
  sched::Link& link(std::size_t uplink) { return *entries_[uplink].link; }
  // It has an address of use, its link is up, it is a regular uplink and not known dead.
  bool carries(std::size_t uplink, Instant now) const;
  // The configuration was read again: costs, rates and congestion control may differ.
  void reconfigure(const std::vector<UplinkConfig>& uplinks);
  PathHealth& health(std::size_t uplink) { return entries_[uplink].health; }
  const PathHealth& health(std::size_t uplink) const { return entries_[uplink].health; }

  // True when paths() has changed by it.
  bool update(std::size_t uplink, const UplinkState& state);
  // The same for what health() has learnt meanwhile.
  bool refresh();
  bool has_link(tcp::InterfaceId interface) const;
  // A segment of the concentrator's came in there, with so many bytes of payload.
  void arrived(tcp::InterfaceId interface, const wire::Segment& segment, Instant now) {
    entries_[uplink_of(interface)].arrivals.arrived(segment.payload.size(), segment.gso_size, now);
  }
  // What it brings: its `rate:`, else as seen; zero: unknown.
  Rate rate_down(std::size_t uplink, Instant now) const;
  // A Convert message of a connection was answered there.
  void answered(tcp::InterfaceId interface, Instant now);
  // Woken when a path is suspected, missed or found alive.
  void set_watcher(Agenda::Entry* watcher) { watcher_ = watcher; }

  std::span<const mptcp::LocalPath> paths() const override { return paths_; }
  std::optional<std::uint16_t> allocate_port(const mptcp::LocalPath& path,
                                             const wire::Endpoint& remote) override;
  Duration expected_rtt(const mptcp::LocalPath& path, Instant now) const override;
  void learnt(const mptcp::LocalPath& path, const tcp::Connection::PathInfo& info,
              Instant now) override;
  void let_in(const mptcp::LocalPath& path, const wire::Endpoint& remote) override;
  void suspected(const mptcp::LocalPath& path, Instant last_heard, Instant now) override;
  void missed(const mptcp::LocalPath& path, Instant now) override;

  // The concentrator's endpoint as reached from this path, if it has one of that family.
  std::optional<wire::Endpoint> concentrator_from(const mptcp::LocalPath& path) const;
  // Why a connection should not start there, the gravest reason first, so the lesser is the better:
  // no way to the concentrator, dead, doubtful, deaf, blocks MPTCP, a backup, kept in reserve.
  using Faults = std::array<bool, 7>;
  Faults faults(std::size_t uplink, Instant now) const;
  // How long it takes there to connect and to fetch what fits in a first window. Unmeasured:
  // longest.
  Duration small_fetch(std::size_t uplink, Instant now) const;
  // Where a new connection starts: a usable path to the concentrator that is not among `tried`,
  // with the least faults, then where a small fetch is through first, then by configuration order.
  // `now` judges the quarantines.
  const mptcp::LocalPath* choose(std::span<const tcp::InterfaceId> tried, Instant now) const;

 private:
  struct Entry {
    UplinkConfig config;
    UplinkState state;
    PathHealth health;
    ArrivalRate arrivals;
    std::shared_ptr<sched::Link> link;
    std::optional<wire::Endpoint> proven;  // where a connection was let in last
  };
  void rebuild_paths();
  Faults faults(const mptcp::LocalPath& path, Instant now) const;
  std::optional<wire::IpAddress> source_of(const UplinkState& state) const;

  const GatewayConfig& config_;
  tcp::Layer& tcp_;
  std::vector<Entry> entries_;
  std::vector<mptcp::LocalPath> paths_;
  Agenda::Entry* watcher_ = nullptr;
  std::uint32_t next_port_;  // where the search for a free port goes on, from first_port
};

}  // namespace braid::gateway
