// LinkFollower: the present state of a few named interfaces, kept up to date by the kernel's news.
//
// News only say that something changed; what is true now is asked, once per wake-up however many
// there were. An interface that is missing is a state like any other: it may come (ppp, wwan, USB).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/links.h"
#include "platform/netlink_socket.h"

namespace braid::platform {

struct LinkState {
  std::optional<Link> link;            // none: there is no such interface
  std::vector<LinkAddress> addresses;  // usable as a source, of both families
  bool operator==(const LinkState&) const = default;
};

class LinkFollower {
 public:
  // `which`: the interface's place in `names`.
  using OnChange = std::function<void(std::size_t which, const LinkState& state)>;

  // Asks for nothing yet: the first settle() does, and reports every interface.
  LinkFollower(NetlinkSocket& netlink, std::vector<std::string> names, OnChange on_change);

  const LinkState& state(std::size_t which) const { return entries_[which].state; }

  void on_event(const NetlinkMessage& message);
  // After lost news.
  void suspect_all();
  // Asks about what news came of, and reports what has changed. To be called once per wake-up,
  // after the events; costs nothing without any.
  void settle();

 private:
  enum class Knowledge { kCurrent, kStale, kNone };
  struct Entry {
    std::string name;
    LinkState state;
    Knowledge knowledge = Knowledge::kNone;
  };

  LinkState ask(const std::string& name);

  NetlinkSocket& netlink_;
  std::vector<Entry> entries_;
  OnChange on_change_;
};

}  // namespace braid::platform
