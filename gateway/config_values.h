// Values of a configuration: words to numbers, sizes, rates, times and choices. Each answers with
// nothing where the word is not exactly such a value; what was expected is the caller's to say.
#pragma once

#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::gateway::values {

std::optional<std::string> interface_name(const std::string& text);
inline constexpr std::string_view kInterfaceExpected =
    "expected an interface name: 1 to 15 letters, digits, - _ . or @";

template <typename T, T low, T high>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

// MiB or GiB.
std::optional<std::uint64_t> byte_size(const std::string& text);

struct Rates {
  Rate up, down;
};
// kbit, Mbit or Gbit per second: one for both directions, or up/down. A gigabit is a thousand
// megabits.
std::optional<Rates> rates(const std::string& text);
inline constexpr std::string_view kRatesExpected =
    "expected a rate like 20Mbit, or up/down like 4Mbit/20Mbit";

// ms or s, from 100 ms to a day.
std::optional<Duration> duration(const std::string& text);
inline constexpr std::string_view kDurationExpected =
    "expected a time like 500ms or 10s, 100ms at least";

// A share of one, from 1 % to 100 %.
std::optional<double> percent(const std::string& text);

struct PortRange {
  std::uint16_t first, last;
};
std::optional<PortRange> port_range(const std::string& text);

std::optional<bool> yes_or_no(const std::string& text);

// A choice between words, for enums.
template <typename T>
std::function<std::optional<T>(const std::string&)> one_of(
    std::vector<std::pair<std::string_view, T>> choices) {
  return [choices = std::move(choices)](const std::string& text) -> std::optional<T> {
    for (const auto& [word, value] : choices)
      if (word == text) return value;
    return std::nullopt;
  };
}

std::string expected_names(std::span<const std::string_view> names);

}  // namespace braid::gateway::values
