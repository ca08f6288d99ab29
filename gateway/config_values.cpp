#include "gateway/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace braid::gateway::values {

namespace {

// Bits per second. A gigabit is a thousand megabits here.
std::optional<Rate> rate(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double bits = 0;
  if (unit == "kbit") {
    bits = value * 1e3;
  } else if (unit == "Mbit") {
    bits = value * 1e6;
  } else if (unit == "Gbit") {
    bits = value * 1e9;
  }
  if (!(bits >= 8e3 && bits <= 1e12)) return std::nullopt;
  return Rate::bits_per_second(static_cast<std::uint64_t>(bits));
}

}  // namespace

std::optional<std::string> interface_name(const std::string& text) {
  // IFNAMSIZ is 16 with the final zero; nft text must not be broken out of.
  if (text.empty() || text.size() > 15) return std::nullopt;
  const bool good = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '@';
  });
  return good ? std::optional(text) : std::nullopt;
}

std::optional<std::uint64_t> byte_size(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string unit(end, text.data() + text.size());
  int shift = 0;
  if (unit == "MiB")
    shift = 20;
  else if (unit == "GiB")
    shift = 30;
  else
    return std::nullopt;
  if (value == 0 || value > (1ULL << 20)) return std::nullopt;
  return value << shift;
}

std::optional<Rates> rates(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto up = rate(std::string_view(text).substr(0, slash));
  const auto down =
      slash == std::string::npos ? up : rate(std::string_view(text).substr(slash + 1));
  if (!up || !down) return std::nullopt;
  return Rates{*up, *down};
}

std::optional<Duration> duration(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > 86'400'000) return std::nullopt;
  const std::string unit(end, text.data() + text.size());
  Duration out;
  if (unit == "ms") {
    out = Duration(1ms) * value;
  } else if (unit == "s") {
    out = Duration(1s) * value;
  } else {
    return std::nullopt;
  }
  if (out < 100ms || out > 24h) return std::nullopt;
  return out;
}

std::optional<double> percent(const std::string& text) {
  if (text.empty() || text.back() != '%') return std::nullopt;
  const auto value = number<std::uint32_t, 1, 100>(text.substr(0, text.size() - 1));
  if (!value) return std::nullopt;
  return *value / 100.0;
}

std::optional<PortRange> port_range(const std::string& text) {
  const auto dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto first = number<std::uint16_t, 1024, 65535>(text.substr(0, dash));
  const auto last = number<std::uint16_t, 1024, 65535>(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

std::optional<bool> yes_or_no(const std::string& text) {
  if (text == "true" || text == "yes") return true;
  if (text == "false" || text == "no") return false;
  return std::nullopt;
}

std::string expected_names(std::span<const std::string_view> names) {
  return fmt::format("expected one of: {}", fmt::join(names, ", "));
}

}  // namespace braid::gateway::values
