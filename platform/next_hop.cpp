#include "platform/next_hop.h"

#include <linux/rtnetlink.h>

#include <algorithm>

namespace braid::platform {

namespace {

// A concentrator sees many destinations; beyond this the cache starts again.
constexpr std::size_t kMostDestinations = 1 << 16;

class LinkKernel final : public NextHopKernel {
 public:
  LinkKernel(NetlinkSocket& netlink, std::uint32_t link_index)
      : netlink_(netlink), link_index_(link_index) {}

  std::optional<RouteHop> route_to(const IpAddress& destination) override {
    const auto hop = route_out_of(netlink_, link_index_, destination);
    return hop ? std::optional(*hop) : std::nullopt;
  }
  std::optional<RouteHop> default_route(int family) override {
    const auto hop = default_route_of(netlink_, link_index_, family);
    return hop ? std::optional(*hop) : std::nullopt;
  }
  std::optional<Neighbour> neighbour(const IpAddress& address) override {
    const auto found = platform::neighbour(netlink_, link_index_, address);
    return found ? std::optional(*found) : std::nullopt;
  }
  // A refusal (the link is down) shows as a neighbour that never answers.
  void solicit(const IpAddress& address) override {
    static_cast<void>(solicit_neighbour(netlink_, link_index_, address));
  }
  void remove(const IpAddress& address) override {
    static_cast<void>(remove_neighbour(netlink_, link_index_, address));
  }

 private:
  NetlinkSocket& netlink_;
  std::uint32_t link_index_;
};

}  // namespace

std::unique_ptr<NextHopKernel> kernel_of_link(NetlinkSocket& netlink, std::uint32_t link_index) {
  return std::make_unique<LinkKernel>(netlink, link_index);
}

std::size_t NextHops::Hash::operator()(const IpAddress& address) const {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint8_t byte : address.bytes()) hash = (hash ^ byte) * 0x100000001b3;
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

NextHops::NextHops(std::unique_ptr<NextHopKernel> kernel, Link link,
                   std::vector<IpAddress> configured)
    : kernel_(std::move(kernel)), link_(std::move(link)), configured_(std::move(configured)) {}

std::optional<RouteHop> NextHops::configured_hop(int family) const {
  for (const IpAddress& gateway : configured_) {
    if (gateway.family() == family) return RouteHop{gateway};
  }
  return std::nullopt;
}

IpAddress NextHops::choose(const IpAddress& destination) {
  auto hop = kernel_->route_to(destination);
  if (!hop) hop = kernel_->default_route(destination.family());
  if (!hop) hop = configured_hop(destination.family());
  return hop && hop->gateway ? *hop->gateway : destination;
}

std::optional<RouteHop> NextHops::default_hop(int family) {
  const auto hop = kernel_->default_route(family);
  return hop ? hop : configured_hop(family);
}

const IpAddress& NextHops::next_hop(const IpAddress& destination) {
  const auto it = hops_.find(destination);
  if (it != hops_.end()) return it->second;
  if (hops_.size() >= kMostDestinations) hops_.clear();
  return hops_.emplace(destination, choose(destination)).first->second;
}

void NextHops::take(Entry& entry, const Neighbour& neighbour) {
  switch (neighbour.state) {
    case Neighbour::State::kResolved: entry.answer = {Answer::State::kReady, neighbour.mac}; return;
    case Neighbour::State::kFailed: entry.answer.state = Answer::State::kUnreachable; return;
    case Neighbour::State::kPending:
      return;  // resolved before: the old MAC serves until the kernel has given it up
  }
}

NextHops::Entry& NextHops::entry_for(const IpAddress& hop, Instant now) {
  const auto it = neighbours_.find(hop);
  if (it != neighbours_.end()) return it->second;
  Entry entry{.answer = {.state = Answer::State::kPending}, .first_asked = now, .last_asked = now};
  // The kernel is asked to resolve before it is asked what it knows: an entry that failed long ago
  // is then pending again.
  kernel_->solicit(hop);
  if (const auto known = kernel_->neighbour(hop)) take(entry, *known);
  if (entry.answer.state == Answer::State::kPending) patience_ends_ = now + kPatience;
  return neighbours_.emplace(hop, entry).first->second;
}

NextHops::Answer NextHops::lookup(const IpAddress& destination, Instant now) {
  if (!link_.up) return {};
  if (!link_.resolves_neighbours) return {Answer::State::kReady, link_.mac};
  const IpAddress& hop = next_hop(destination);
  Entry& entry = entry_for(hop, now);
  entry.used = true;
  if (entry.answer.state == Answer::State::kReady) return entry.answer;
  if (now - entry.last_asked >= kAskAgain) {
    entry.last_asked = now;
    kernel_->solicit(hop);
  }
  if (entry.answer.state == Answer::State::kPending && now - entry.first_asked >= kPatience) {
    entry.answer.state = Answer::State::kUnreachable;
  }
  return entry.answer;
}

void NextHops::on_event(const NetlinkMessage& message, Instant now) {
  switch (message.type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWADDR:
    case RTM_DELADDR:
      hops_.clear();
      if (on_settled_) on_settled_();  // what waits for one neighbour may go by another now
      return;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH: {
      const auto neighbour = parse_neighbour(message);
      if (!neighbour || neighbour->link_index != link_.index) return;
      const auto it = neighbours_.find(neighbour->address);
      if (it == neighbours_.end()) return;
      // Removed by the kernel's own housekeeping is not unreachable: ask when it is needed again.
      if (message.type == RTM_DELNEIGH) {
        neighbours_.erase(it);
      } else if (neighbour->state == Neighbour::State::kFailed) {
        gave_up(it->second, it->first, now);
        if (on_settled_) on_settled_();
      } else {
        take(it->second, *neighbour);
        if (neighbour->state != Neighbour::State::kPending && on_settled_) on_settled_();
      }
      return;
    }
    default: return;
  }
}

// What was asked for shortly before is asked for once more.
void NextHops::gave_up(Entry& entry, const IpAddress& hop, Instant now) {
  if (entry.answer.state == Answer::State::kPending && now - entry.last_asked < kTooSoon) {
    entry.last_asked = now;
    kernel_->solicit(hop);
  } else {
    entry.answer.state = Answer::State::kUnreachable;
  }
}

void NextHops::forget() {
  hops_.clear();
  neighbours_.clear();
}

void NextHops::set_link(Link link) {
  if (link == link_) return;
  // Who was asked for while the link was about to change would be asked for at the kernel's
  // leisure.
  for (const auto& [hop, entry] : neighbours_) {
    if (entry.answer.state == Answer::State::kPending) kernel_->remove(hop);
  }
  link_ = std::move(link);
  forget();
}

Instant NextHops::maintain(Instant now) {
  if (now >= patience_ends_) {
    patience_ends_ = kNever;
    if (on_settled_) on_settled_();
  }
  if (now < next_refresh_) return std::min(next_refresh_, patience_ends_);
  next_refresh_ = now + kRefresh;
  for (auto& [hop, entry] : neighbours_) {
    if (!entry.used) continue;
    entry.used = false;
    entry.last_asked = now;
    kernel_->solicit(hop);
  }
  return std::min(next_refresh_, patience_ends_);
}

}  // namespace braid::platform
