// Bytes written as hex in tests; blanks and bars are for the eye.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"

namespace braid::test {

inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<std::uint8_t> out;
  bool half = false;
  for (char c : text) {
    if (c == ' ' || c == '|' || c == '\n') continue;
    const std::size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) throw std::invalid_argument("not a hex digit");
    if (!half) out.push_back(0);
    out.back() = static_cast<std::uint8_t>(out.back() << 4 | digit);
    half = !half;
  }
  return out;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace braid::test
