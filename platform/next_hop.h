// NextHops: where a packet that leaves by one uplink goes first: next hop address, and its MAC.
//
// Order: the kernel's route out of this device; else a default route of the device in any table;
// else the configured gateway; else the destination itself is on-link. The MAC comes from the
// kernel's neighbour table, which is asked to resolve and to keep fresh what is in use. Answers are
// cached; events of the kernel correct them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "platform/ip_address.h"
#include "platform/links.h"
#include "platform/neighbours.h"
#include "platform/routes.h"
#include "stack/base/time.h"

namespace braid::platform {

// What the kernel is asked; tests answer themselves.
class NextHopKernel {
 public:
  virtual ~NextHopKernel() = default;
  virtual std::optional<RouteHop> route_to(const IpAddress& destination) = 0;
  virtual std::optional<RouteHop> default_route(int family) = 0;
  virtual std::optional<Neighbour> neighbour(const IpAddress& address) = 0;
  virtual void solicit(const IpAddress& address) = 0;
  virtual void remove(const IpAddress& address) = 0;  // it is being resolved; or gone already
};

// The kernel's answers for one link.
std::unique_ptr<NextHopKernel> kernel_of_link(NetlinkSocket& netlink, std::uint32_t link_index);

class NextHops {
 public:
  // How long a first resolution may take (the kernel asks three times, a second apart), and how
  // often a neighbour that stays silent is asked again.
  static constexpr Duration kPatience = 3s;
  static constexpr Duration kAskAgain = 1s;
  // The kernel gives up sooner than this after it was asked: it had begun before.
  static constexpr Duration kTooSoon = 2s;
  // How often neighbours in use are confirmed through the kernel.
  static constexpr Duration kRefresh = 5s;

  struct Answer {
    enum class State { kReady, kPending, kUnreachable };
    State state = State::kUnreachable;
    MacAddress mac{};
  };

  // `configured`: at most one gateway of each family counts.
  NextHops(std::unique_ptr<NextHopKernel> kernel, Link link,
           std::vector<IpAddress> configured = {});

  // kPending: being resolved, an event will tell; after kPatience it is kUnreachable until it
  // answers. Nobody is asked for while the link is down.
  Answer lookup(const IpAddress& destination, Instant now);
  // Called when an answer may have left kPending, or the way may be another one.
  void on_settled(std::function<void()> handler) { on_settled_ = std::move(handler); }
  // The address lookup() resolves for this destination.
  const IpAddress& next_hop(const IpAddress& destination);

  // Where traffic to anywhere goes: the link's default route, else the configured gateway; nothing
  // when it has neither. What OtherTraffic follows.
  std::optional<RouteHop> default_hop(int family);

  // News of the kernel, of any link.
  void on_event(const NetlinkMessage& message, Instant now);
  // Everything is asked anew: after lost news, or when the link changed.
  void forget();
  void set_link(Link link);
  // Refreshes what is in use; to be called at the end of every flush. Returns when next: also when
  // patience with a pending neighbour ends.
  Instant maintain(Instant now);

 private:
  struct Hash {
    std::size_t operator()(const IpAddress& address) const;
  };
  struct Entry {
    Answer answer;
    Instant first_asked;
    Instant last_asked;
    bool used = false;
  };

  IpAddress choose(const IpAddress& destination);
  std::optional<RouteHop> configured_hop(int family) const;
  void take(Entry& entry, const Neighbour& neighbour);
  void gave_up(Entry& entry, const IpAddress& hop, Instant now);
  Entry& entry_for(const IpAddress& hop, Instant now);

  std::unique_ptr<NextHopKernel> kernel_;
  Link link_;
  std::vector<IpAddress> configured_;
  std::unordered_map<IpAddress, IpAddress, Hash> hops_;  // destination -> next hop
  std::map<IpAddress, Entry> neighbours_;
  Instant next_refresh_ = Instant::min();
  Instant patience_ends_ = kNever;  // of the neighbour asked last
  std::function<void()> on_settled_;
};

}  // namespace braid::platform
