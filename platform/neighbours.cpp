#include "platform/neighbours.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace braid::platform {

namespace {

ndmsg neighbour_body(std::uint32_t link_index, const IpAddress& address) {
  ndmsg body{};
  body.ndm_family = static_cast<std::uint8_t>(address.family());
  body.ndm_ifindex = static_cast<int>(link_index);
  return body;
}

Neighbour::State state_of(std::uint16_t kernel_state, bool has_mac) {
  constexpr unsigned kUsable =
      NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  if ((kernel_state & kUsable) != 0 && has_mac) return Neighbour::State::kResolved;
  return (kernel_state & NUD_FAILED) != 0 ? Neighbour::State::kFailed : Neighbour::State::kPending;
}

}  // namespace

std::optional<Neighbour> parse_neighbour(const NetlinkMessage& message) {
  if (message.type != RTM_NEWNEIGH && message.type != RTM_DELNEIGH) return std::nullopt;
  const auto body = message.as<ndmsg>();
  if (!body) return std::nullopt;
  const auto attributes = message.attributes<ndmsg>();
  const auto address = attributes.address(NDA_DST);
  if (!address) return std::nullopt;
  Neighbour result{.link_index = static_cast<std::uint32_t>(body->ndm_ifindex),
                   .address = *address};
  if (message.type == RTM_DELNEIGH) return result;
  const Bytes mac = attributes.get(NDA_LLADDR);
  result.state = state_of(body->ndm_state, mac.size() == result.mac.size());
  if (result.state == Neighbour::State::kResolved) {
    std::copy(mac.begin(), mac.end(), result.mac.begin());
  }
  return result;
}

Result<Neighbour> neighbour(NetlinkSocket& netlink, std::uint32_t link_index,
                            const IpAddress& address) {
  NetlinkRequest request(RTM_GETNEIGH, NLM_F_ACK, neighbour_body(link_index, address));
  request.add(NDA_DST, address);
  std::optional<Neighbour> found;
  const auto error = netlink.ask(std::move(request), [&](const NetlinkMessage& message) {
    if (const auto parsed = parse_neighbour(message)) found = parsed;
  });
  if (error) return error;
  if (!found) return system_error(ENOENT);
  return *found;
}

std::error_code solicit_neighbour(NetlinkSocket& netlink, std::uint32_t link_index,
                                  const IpAddress& address) {
  ndmsg body = neighbour_body(link_index, address);
  body.ndm_flags = NTF_USE;
  NetlinkRequest request(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, body);
  request.add(NDA_DST, address);
  return netlink.command(std::move(request));
}

std::error_code remove_neighbour(NetlinkSocket& netlink, std::uint32_t link_index,
                                 const IpAddress& address) {
  NetlinkRequest request(RTM_DELNEIGH, NLM_F_ACK, neighbour_body(link_index, address));
  request.add(NDA_DST, address);
  return netlink.command(std::move(request));
}

}  // namespace braid::platform
