#include "platform/netlink_message.h"

#include <linux/rtnetlink.h>

namespace braid::platform {

void NetlinkRequest::append(const void* data, std::size_t length) {
  const auto* from = static_cast<const std::uint8_t*>(data);
  bytes_.insert(bytes_.end(), from, from + length);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

NetlinkRequest NetlinkRequest::with_body(std::uint16_t type, std::uint16_t flags, Bytes body) {
  NetlinkRequest request;
  const nlmsghdr header{0, type, static_cast<std::uint16_t>(NLM_F_REQUEST | flags), 0, 0};
  request.append(&header, sizeof header);
  request.append(body.data(), body.size());
  return request;
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t type, Bytes value) {
  const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(value.size())), type};
  append(&attribute, sizeof attribute);
  append(value.data(), value.size());
  return *this;
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t type, std::uint32_t value) {
  std::array<std::uint8_t, sizeof value> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  return add(type, Bytes(bytes));
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t type, std::string_view text) {
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.push_back(0);
  return add(type, Bytes(bytes));
}

NetlinkRequest& NetlinkRequest::add(std::uint16_t type, const IpAddress& address) {
  return add(type, address.bytes());
}

std::uint16_t NetlinkRequest::flags() const {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  return header.nlmsg_flags;
}

Bytes NetlinkRequest::finish(std::uint32_t sequence) {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

NetlinkAttributes::NetlinkAttributes(Bytes run) {
  while (run.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, run.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > run.size()) return;
    const std::size_t type = attribute.rta_type & NLA_TYPE_MASK;
    if (type < kMost) {
      attributes_[type] = run.subspan(sizeof attribute, attribute.rta_len - sizeof attribute);
    }
    const std::size_t step = RTA_ALIGN(attribute.rta_len);
    if (step >= run.size()) return;
    run = run.subspan(step);
  }
}

std::optional<std::uint32_t> NetlinkAttributes::u32(std::uint16_t type) const {
  const Bytes bytes = get(type);
  std::uint32_t value = 0;
  if (bytes.size() != sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::optional<std::uint8_t> NetlinkAttributes::u8(std::uint16_t type) const {
  const Bytes bytes = get(type);
  if (bytes.size() != 1) return std::nullopt;
  return bytes[0];
}

std::optional<IpAddress> NetlinkAttributes::address(std::uint16_t type) const {
  const Bytes bytes = get(type);
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  return IpAddress::from_bytes(bytes);
}

std::string NetlinkAttributes::text(std::uint16_t type) const {
  const Bytes bytes = get(type);
  std::string text(bytes.begin(), bytes.end());
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

std::vector<NetlinkMessage> parse_netlink(Bytes datagram) {
  std::vector<NetlinkMessage> messages;
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) break;
    messages.push_back({header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
                        datagram.subspan(sizeof header, header.nlmsg_len - sizeof header)});
    const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
    if (step >= datagram.size()) break;
    datagram = datagram.subspan(step);
  }
  return messages;
}

}  // namespace braid::platform
