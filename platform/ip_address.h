// IpAddress and IpPrefix as this room needs them: values to hand to the kernel and back. (wire has
// richer ones; platform knows only stack/base, and main translates by bytes.)
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.h"

namespace braid::platform {

class IpAddress {
 public:
  IpAddress() = default;                               // 0.0.0.0
  static IpAddress from_bytes(Bytes four_or_sixteen);  // network order; ENSUREs the length
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress any(int family);  // AF_INET or AF_INET6

  bool is_v4() const { return length_ == 4; }
  int family() const;  // AF_INET or AF_INET6
  Bytes bytes() const { return {bytes_.data(), length_}; }
  std::string to_string() const;
  auto operator<=>(const IpAddress&) const = default;

 private:
  std::uint8_t length_ = 4;
  std::array<std::uint8_t, 16> bytes_{};
};

struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;                                      // bits
  static std::optional<IpPrefix> parse(std::string_view text);  // a bare address is a host prefix
  // 0.0.0.0/0 or ::/0.
  static IpPrefix all(int family) { return {IpAddress::any(family), 0}; }
  std::string to_string() const;
  auto operator<=>(const IpPrefix&) const = default;
};

}  // namespace braid::platform
