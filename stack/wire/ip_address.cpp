#include "stack/wire/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ostream>

#include "stack/base/ensure.h"

namespace braid::wire {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> kNat64Prefix = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

bool starts_with(Bytes bytes, Bytes prefix) {
  return bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93;
  return x ^ x >> 32;
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress out;
  store_be32(out.bytes_.data(), host_order);
  return out;
}

IpAddress IpAddress::from_bytes(Bytes four_or_sixteen) {
  ENSURE(four_or_sixteen.size() == 4 || four_or_sixteen.size() == 16);
  IpAddress out;
  out.family_ = four_or_sixteen.size() == 4 ? Family::kIpv4 : Family::kIpv6;
  std::copy(four_or_sixteen.begin(), four_or_sixteen.end(), out.bytes_.begin());
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) {
    return from_bytes(Bytes(bytes).first(4));
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return from_bytes(bytes);
  return std::nullopt;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_private() const {
  if (!is_v4()) return (bytes_[0] & 0xfe) == 0xfc;
  return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
         (bytes_[0] == 192 && bytes_[1] == 168) || (bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64);
}

std::optional<IpAddress> IpAddress::embedded_v4() const {
  if (is_v4()) return std::nullopt;
  const Bytes all = bytes();
  if (starts_with(all, kMappedPrefix) || starts_with(all, kNat64Prefix)) {
    return from_bytes(all.last(4));
  }
  if (all[0] == 0x20 && all[1] == 0x02) return from_bytes(all.subspan(2, 4));  // 6to4
  return std::nullopt;
}

IpAddress IpAddress::mapped() const {
  if (!is_v4()) return *this;
  IpAddress out;
  out.family_ = Family::kIpv6;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes_.begin());
  std::copy_n(bytes_.begin(), 4, out.bytes_.begin() + 12);
  return out;
}

IpAddress IpAddress::unmapped() const {
  if (is_v4() || !starts_with(bytes(), kMappedPrefix)) return *this;
  return from_bytes(bytes().last(4));
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return address.is_v4() ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::optional<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto longest = static_cast<std::uint8_t>(address->bytes().size() * 8);
  if (slash == text.npos) return InterfaceAddress{*address, longest};

  const std::string_view digits = text.substr(slash + 1);
  std::uint8_t length = 0;
  const auto [stopped, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || stopped != digits.data() + digits.size() || length > longest) {
    return std::nullopt;
  }
  return InterfaceAddress{*address, length};
}

std::string InterfaceAddress::to_string() const {
  return fmt::format("{}/{}", address.to_string(), prefix_length);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::optional<InterfaceAddress> parsed = InterfaceAddress::parse(text);
  if (!parsed) return std::nullopt;
  const Bytes bytes = parsed->address.bytes();
  std::array<std::uint8_t, 16> network{};
  std::copy(bytes.begin(), bytes.end(), network.begin());
  for (std::size_t bit = parsed->prefix_length; bit < bytes.size() * 8; ++bit) {
    network[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
  return Prefix{IpAddress::from_bytes(Bytes(network).first(bytes.size())), parsed->prefix_length};
}

bool Prefix::contains(const IpAddress& a) const {
  if (a.family() != address.family()) return false;
  const std::size_t whole = length / 8U;
  if (!starts_with(a.bytes(), address.bytes().first(whole))) return false;
  if (length % 8 == 0) return true;
  const auto differing = static_cast<std::uint8_t>(a.bytes()[whole] ^ address.bytes()[whole]);
  return differing >> (8 - length % 8) == 0;
}

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

std::ostream& operator<<(std::ostream& out, const IpAddress& a) { return out << a.to_string(); }
std::ostream& operator<<(std::ostream& out, const Endpoint& e) { return out << e.to_string(); }
std::ostream& operator<<(std::ostream& out, const Prefix& p) { return out << p.to_string(); }

std::size_t hash_value(const IpAddress& a) {
  const Bytes bytes = a.bytes();
  if (a.is_v4()) return mix(load_be32(bytes.data()));
  return mix(load_be64(bytes.data()) ^ mix(load_be64(bytes.data() + 8) + 1));
}

}  // namespace braid::wire
