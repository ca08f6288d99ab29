// IpAddress, Endpoint, Prefix: addresses of both families as plain values.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"

namespace braid::wire {

enum class Family : std::uint8_t { kIpv4, kIpv6 };

// An IPv4 or IPv6 address; default-made it is 0.0.0.0. Bytes in network order; an IPv4 address uses
// the first four, the others are zero. A v4-mapped IPv6 address is a different value from its IPv4.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress from_bytes(Bytes four_or_sixteen);  // ENSUREs the length
  // "192.0.2.1", "2001:db8::1"; nothing else (no zone, no brackets, no mask).
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::kIpv4; }
  Bytes bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  std::uint32_t v4_host_order() const { return load_be32(bytes_.data()); }
  bool is_unspecified() const;
  bool is_loopback() const;    // 127/8, ::1
  bool is_link_local() const;  // 169.254/16, fe80::/10
  bool is_multicast() const;   // 224/4, ff00::/8
  bool is_private() const;     // RFC 1918, 100.64/10, fc00::/7
  // The IPv4 address inside ::ffff:0:0/96, 64:ff9b::/96 or 2002::/16, if this is such a form.
  std::optional<IpAddress> embedded_v4() const;
  // As an IPv6 address: an IPv4 address becomes its ::ffff:0:0/96 form; and back again.
  IpAddress mapped() const;
  IpAddress unmapped() const;

  std::string to_string() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kIpv4;
  std::array<std::uint8_t, 16> bytes_{};
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::string to_string() const;  // "192.0.2.1:80", "[2001:db8::1]:80"
  auto operator<=>(const Endpoint&) const = default;
};

// A network in CIDR notation. Of a parsed one the bits right of the length are zero.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;                                    // bits, at most 32 or 128
  static std::optional<Prefix> parse(std::string_view text);  // a bare address is a host prefix
  bool contains(const IpAddress& a) const;
  std::string to_string() const;
  auto operator<=>(const Prefix&) const = default;
};

std::ostream& operator<<(std::ostream& out, const IpAddress& a);
std::ostream& operator<<(std::ostream& out, const Endpoint& e);
std::ostream& operator<<(std::ostream& out, const Prefix& p);

// The address of an interface and the length of the network it lies in: host bits are kept.
struct InterfaceAddress {
  IpAddress address;
  std::uint8_t prefix_length = 0;                                       // bits
  static std::optional<InterfaceAddress> parse(std::string_view text);  // bare: of a network of one
  std::string to_string() const;
  auto operator<=>(const InterfaceAddress&) const = default;
};

std::size_t hash_value(const IpAddress& a);

}  // namespace braid::wire

template <>
struct std::hash<braid::wire::IpAddress> {
  std::size_t operator()(const braid::wire::IpAddress& a) const { return hash_value(a); }
};
