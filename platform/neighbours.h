// Neighbours: the kernel's table of link addresses, read and kept fresh for a device of ours.
#pragma once

#include <optional>

#include "platform/ip_address.h"
#include "platform/links.h"
#include "platform/netlink_socket.h"

namespace braid::platform {

struct Neighbour {
  enum class State { kResolved, kPending, kFailed };

  std::uint32_t link_index = 0;
  IpAddress address;
  State state = State::kFailed;
  MacAddress mac{};  // when resolved

  bool operator==(const Neighbour&) const = default;
};

// Of an RTM_NEWNEIGH message; RTM_DELNEIGH makes it kFailed.
std::optional<Neighbour> parse_neighbour(const NetlinkMessage& message);
// What the table holds now; ENOENT when there is no entry.
Result<Neighbour> neighbour(NetlinkSocket& netlink, std::uint32_t link_index,
                            const IpAddress& address);
// As if a packet had been sent there: resolves what is unknown, confirms what has gone stale. The
// answer comes as an event.
std::error_code solicit_neighbour(NetlinkSocket& netlink, std::uint32_t link_index,
                                  const IpAddress& address);
// Takes an entry out of the table; the next solicitation begins at once.
std::error_code remove_neighbour(NetlinkSocket& netlink, std::uint32_t link_index,
                                 const IpAddress& address);

}  // namespace braid::platform
