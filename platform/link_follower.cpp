#include "platform/link_follower.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <utility>

namespace braid::platform {

LinkFollower::LinkFollower(NetlinkSocket& netlink, std::vector<std::string> names,
                           OnChange on_change)
    : netlink_(netlink), on_change_(std::move(on_change)) {
  for (std::string& name : names) entries_.push_back({.name = std::move(name)});
}

void LinkFollower::on_event(const NetlinkMessage& message) {
  std::uint32_t index = 0;
  std::string name;
  if (message.type == RTM_NEWLINK || message.type == RTM_DELLINK) {
    const auto body = message.as<ifinfomsg>();
    if (!body) return;
    index = static_cast<std::uint32_t>(body->ifi_index);
    name = message.attributes<ifinfomsg>().text(IFLA_IFNAME);
  } else if (message.type == RTM_NEWADDR || message.type == RTM_DELADDR) {
    const auto body = message.as<ifaddrmsg>();
    if (!body) return;
    index = body->ifa_index;
  } else {
    return;
  }
  for (Entry& entry : entries_) {
    // By number too: a link that was renamed away is no longer ours.
    const bool concerned =
        entry.name == name || (entry.state.link && entry.state.link->index == index);
    if (concerned && entry.knowledge == Knowledge::kCurrent) entry.knowledge = Knowledge::kStale;
  }
}

void LinkFollower::suspect_all() {
  for (Entry& entry : entries_) {
    if (entry.knowledge == Knowledge::kCurrent) entry.knowledge = Knowledge::kStale;
  }
}

LinkState LinkFollower::ask(const std::string& name) {
  LinkState state;
  const auto link = link_by_name(netlink_, name);
  if (!link) return state;
  state.link = *link;
  // A link that vanishes between the two questions has no addresses, and its end is news to come.
  if (const auto addresses = usable_addresses(netlink_, link->index)) state.addresses = *addresses;
  return state;
}

void LinkFollower::settle() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.knowledge == Knowledge::kCurrent) continue;
    const Knowledge before = std::exchange(entry.knowledge, Knowledge::kCurrent);
    LinkState state = ask(entry.name);
    if (before == Knowledge::kStale && state == entry.state) continue;
    entry.state = std::move(state);
    on_change_(i, entry.state);
  }
}

}  // namespace braid::platform
