// Links and their addresses: what the kernel knows of an interface, and the few settings of our
// own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/ip_address.h"
#include "platform/netlink_socket.h"
#include "platform/packet_filter.h"

namespace braid::platform {

using MacAddress = std::array<std::uint8_t, 6>;

struct Link {
  std::uint32_t index = 0;
  std::string name;
  LinkKind kind = LinkKind::kEthernet;
  bool known_kind = true;           // false: neither Ethernet-like nor raw IP; no door fits it
  bool resolves_neighbours = true;  // false: IFF_NOARP, or no link addresses at all
  MacAddress mac{};                 // Ethernet-like only
  std::uint32_t mtu = 0;            // bytes of IP
  std::uint32_t gso_max_size = 65536;
  bool up = false;  // administratively up and with carrier

  bool operator==(const Link&) const = default;
};

struct LinkAddress {
  std::uint32_t link_index = 0;
  IpPrefix prefix;  // the address itself, with the length of its network
  bool operator==(const LinkAddress&) const = default;
};

// A name the kernel takes and that an nftables rule can quote as it is.
bool is_interface_name(std::string_view name);
// ENODEV when there is no such interface, EINVAL when no interface braid works with can have that
// name.
Result<Link> link_by_name(NetlinkSocket& netlink, const std::string& name);
// The link of an RTM_NEWLINK message.
std::optional<Link> parse_link(const NetlinkMessage& message);

// Addresses of both families that can be used as a source: of global scope, neither tentative nor
// deprecated nor failed; in the kernel's order.
Result<std::vector<LinkAddress>> all_usable_addresses(NetlinkSocket& netlink);  // of every link
Result<std::vector<LinkAddress>> usable_addresses(NetlinkSocket& netlink, std::uint32_t link_index);
std::optional<LinkAddress> parse_usable_address(const NetlinkMessage& message);

// Nothing happens when the address is there already.
std::error_code add_address(NetlinkSocket& netlink, std::uint32_t link_index,
                            const IpPrefix& prefix);
std::error_code delete_address(NetlinkSocket& netlink, std::uint32_t link_index,
                               const IpPrefix& prefix);
std::error_code set_link_mtu(NetlinkSocket& netlink, std::uint32_t link_index, std::uint32_t mtu);
// How many packets may wait to leave by it.
std::error_code set_link_queue(NetlinkSocket& netlink, std::uint32_t link_index,
                               std::uint32_t packets);
std::error_code set_link_up(NetlinkSocket& netlink, std::uint32_t link_index);

}  // namespace braid::platform
