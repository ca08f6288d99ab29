#include "platform/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "stack/base/ensure.h"

namespace braid::platform {

IpAddress IpAddress::from_bytes(Bytes four_or_sixteen) {
  ENSURE(four_or_sixteen.size() == 4 || four_or_sixteen.size() == 16);
  IpAddress address;
  address.length_ = static_cast<std::uint8_t>(four_or_sixteen.size());
  std::copy(four_or_sixteen.begin(), four_or_sixteen.end(), address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) return address;
  address.length_ = 16;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

IpAddress IpAddress::any(int family) {
  IpAddress address;
  address.length_ = family == AF_INET ? 4 : 16;
  return address;
}

int IpAddress::family() const { return is_v4() ? AF_INET : AF_INET6; }

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ENSURE(inet_ntop(family(), bytes_.data(), text.data(), text.size()) != nullptr);
  return text.data();
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return IpPrefix{*address, static_cast<std::uint8_t>(most)};
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > most) {
    return std::nullopt;
  }
  return IpPrefix{*address, static_cast<std::uint8_t>(length)};
}

std::string IpPrefix::to_string() const {
  return fmt::format("{}/{}", address.to_string(), length);
}

}  // namespace braid::platform
