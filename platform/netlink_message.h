// Netlink messages: building requests and taking answers apart. Bytes only, no sockets.
#pragma once

#include <linux/netlink.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "platform/ip_address.h"
#include "stack/base/bytes.h"

namespace braid::platform {

// A request: header, a family's fixed struct, attributes.
class NetlinkRequest {
 public:
  template <typename Body>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>);
    const nlmsghdr header{0, type, static_cast<std::uint16_t>(NLM_F_REQUEST | flags), 0, 0};
    append(&header, sizeof header);
    append(&body, sizeof body);
  }

  // With a body taken from a message of the kernel: fixed struct and attributes.
  static NetlinkRequest with_body(std::uint16_t type, std::uint16_t flags, Bytes body);

  NetlinkRequest& add(std::uint16_t type, Bytes value);
  NetlinkRequest& add(std::uint16_t type, std::uint32_t value);
  NetlinkRequest& add(std::uint16_t type, std::string_view text);  // with its closing zero
  NetlinkRequest& add(std::uint16_t type, const IpAddress& address);

  std::uint16_t flags() const;
  // The message with its length and sequence number filled in.
  Bytes finish(std::uint32_t sequence);

 private:
  NetlinkRequest() = default;
  void append(const void* data, std::size_t length);

  std::vector<std::uint8_t> bytes_;
};

// A run of attributes; those of a type outside [0, kMost) are left out, of equal types the last
// counts.
class NetlinkAttributes {
 public:
  static constexpr std::size_t kMost = 64;

  explicit NetlinkAttributes(Bytes run);
  // The attribute's bytes; a null span when it is missing.
  Bytes get(std::uint16_t type) const { return type < kMost ? attributes_[type] : Bytes(); }
  bool has(std::uint16_t type) const { return get(type).data() != nullptr; }
  std::optional<std::uint32_t> u32(std::uint16_t type) const;
  std::optional<std::uint8_t> u8(std::uint16_t type) const;
  std::optional<IpAddress> address(std::uint16_t type) const;
  std::string text(std::uint16_t type) const;

 private:
  std::array<Bytes, kMost> attributes_{};
};

// One message of an answer or an event.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  Bytes body;  // after the header

  // The family's fixed struct; nothing when the message is too short.
  template <typename Body>
  std::optional<Body> as() const {
    static_assert(std::is_trivially_copyable_v<Body>);
    if (body.size() < sizeof(Body)) return std::nullopt;
    Body result;
    std::memcpy(&result, body.data(), sizeof result);
    return result;
  }
  template <typename Body>
  NetlinkAttributes attributes() const {
    constexpr std::size_t kAligned = NLMSG_ALIGN(sizeof(Body));
    return NetlinkAttributes(body.size() > kAligned ? body.subspan(kAligned) : Bytes());
  }
};

// The messages in one datagram; a cut-off tail is left out.
std::vector<NetlinkMessage> parse_netlink(Bytes datagram);

}  // namespace braid::platform
