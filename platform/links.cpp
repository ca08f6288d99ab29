#include "platform/links.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

namespace braid::platform {

namespace {

void classify(Link& link, unsigned short device_type) {
  switch (device_type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK: link.kind = LinkKind::kEthernet; break;
    case ARPHRD_PPP:
    case ARPHRD_NONE:
    case ARPHRD_RAWIP: link.kind = LinkKind::kRawIp; break;
    default: link.known_kind = false;
  }
}

// Sets one attribute of a link that is a number.
NetlinkRequest link_request(std::uint32_t link_index, std::uint16_t attribute,
                            std::uint32_t value) {
  ifinfomsg body{};
  body.ifi_index = static_cast<int>(link_index);
  NetlinkRequest request(RTM_NEWLINK, NLM_F_ACK, body);
  request.add(attribute, value);
  return request;
}

NetlinkRequest address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t link_index,
                               const IpPrefix& prefix) {
  ifaddrmsg body{};
  body.ifa_family = static_cast<std::uint8_t>(prefix.address.family());
  body.ifa_prefixlen = prefix.length;
  body.ifa_index = link_index;
  NetlinkRequest request(type, static_cast<std::uint16_t>(NLM_F_ACK | flags), body);
  request.add(IFA_LOCAL, prefix.address).add(IFA_ADDRESS, prefix.address);
  // Addresses of ours are on devices of ours: nobody else can own them, so no detection of
  // duplicates.
  if (type == RTM_NEWADDR && !prefix.address.is_v4()) {
    request.add(IFA_FLAGS, std::uint32_t{IFA_F_NODAD});
  }
  return request;
}

}  // namespace

std::optional<Link> parse_link(const NetlinkMessage& message) {
  const auto body = message.as<ifinfomsg>();
  if (message.type != RTM_NEWLINK || !body) return std::nullopt;
  const auto attributes = message.attributes<ifinfomsg>();
  Link link;
  link.index = static_cast<std::uint32_t>(body->ifi_index);
  link.name = attributes.text(IFLA_IFNAME);
  classify(link, body->ifi_type);
  const Bytes mac = attributes.get(IFLA_ADDRESS);
  if (mac.size() == link.mac.size()) std::copy(mac.begin(), mac.end(), link.mac.begin());
  link.resolves_neighbours = link.kind == LinkKind::kEthernet &&
                             (body->ifi_flags & IFF_NOARP) == 0 &&
                             (body->ifi_flags & IFF_LOOPBACK) == 0;
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.gso_max_size = attributes.u32(IFLA_GSO_MAX_SIZE).value_or(link.gso_max_size);
  link.up = (body->ifi_flags & IFF_UP) != 0 && (body->ifi_flags & IFF_RUNNING) != 0;
  return link;
}

bool is_interface_name(std::string_view name) {
  const auto refused = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' ||
           std::string_view("/\"*\\\x7f").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         std::none_of(name.begin(), name.end(), refused);
}

Result<Link> link_by_name(NetlinkSocket& netlink, const std::string& name) {
  if (!is_interface_name(name)) return system_error(EINVAL);
  NetlinkRequest request(RTM_GETLINK, NLM_F_ACK, ifinfomsg{});
  request.add(IFLA_IFNAME, std::string_view(name));
  std::optional<Link> found;
  const auto error = netlink.ask(std::move(request), [&](const NetlinkMessage& message) {
    if (auto link = parse_link(message)) found = std::move(link);
  });
  if (error) return error;
  if (!found) return system_error(ENODEV);
  return *found;
}

std::optional<LinkAddress> parse_usable_address(const NetlinkMessage& message) {
  const auto body = message.as<ifaddrmsg>();
  if (message.type != RTM_NEWADDR || !body || body->ifa_scope != RT_SCOPE_UNIVERSE) {
    return std::nullopt;
  }
  const auto attributes = message.attributes<ifaddrmsg>();
  const std::uint32_t flags = attributes.u32(IFA_FLAGS).value_or(body->ifa_flags);
  if ((flags & (IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED)) != 0 &&
      (flags & IFA_F_OPTIMISTIC) == 0) {
    return std::nullopt;
  }
  // On point-to-point links IFA_ADDRESS is the far end, and ours is IFA_LOCAL.
  auto address = attributes.address(IFA_LOCAL);
  if (!address) address = attributes.address(IFA_ADDRESS);
  if (!address) return std::nullopt;
  return LinkAddress{body->ifa_index, {*address, body->ifa_prefixlen}};
}

Result<std::vector<LinkAddress>> all_usable_addresses(NetlinkSocket& netlink) {
  ifaddrmsg body{};
  std::vector<LinkAddress> addresses;
  for (const int family : {AF_INET, AF_INET6}) {
    body.ifa_family = static_cast<std::uint8_t>(family);
    const auto error = netlink.ask(NetlinkRequest(RTM_GETADDR, NLM_F_DUMP, body),
                                   [&](const NetlinkMessage& message) {
                                     const auto address = parse_usable_address(message);
                                     if (address) addresses.push_back(*address);
                                   });
    if (error) return error;
  }
  return addresses;
}

Result<std::vector<LinkAddress>> usable_addresses(NetlinkSocket& netlink,
                                                  std::uint32_t link_index) {
  auto addresses = all_usable_addresses(netlink);
  if (addresses) {
    std::erase_if(*addresses, [&](const LinkAddress& a) { return a.link_index != link_index; });
  }
  return addresses;
}

std::error_code add_address(NetlinkSocket& netlink, std::uint32_t link_index,
                            const IpPrefix& prefix) {
  const auto error =
      netlink.command(address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, link_index, prefix));
  return error == std::errc::file_exists ? std::error_code() : error;
}

std::error_code delete_address(NetlinkSocket& netlink, std::uint32_t link_index,
                               const IpPrefix& prefix) {
  return netlink.command(address_request(RTM_DELADDR, 0, link_index, prefix));
}

std::error_code set_link_mtu(NetlinkSocket& netlink, std::uint32_t link_index, std::uint32_t mtu) {
  return netlink.command(link_request(link_index, IFLA_MTU, mtu));
}

std::error_code set_link_queue(NetlinkSocket& netlink, std::uint32_t link_index,
                               std::uint32_t packets) {
  return netlink.command(link_request(link_index, IFLA_TXQLEN, packets));
}

std::error_code set_link_up(NetlinkSocket& netlink, std::uint32_t link_index) {
  ifinfomsg body{};
  body.ifi_index = static_cast<int>(link_index);
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  return netlink.command(NetlinkRequest(RTM_NEWLINK, NLM_F_ACK, body));
}

}  // namespace braid::platform
