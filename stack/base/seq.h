// Sequence numbers (RFC 9293 3.4): 32-bit, compared modulo 2^32, and the 64-bit offsets of a pipe.
//
// SeqNum is what travels in a TCP header. StreamOffset is a position in a byte stream that never
// wraps. The 64-bit data sequence numbers of MPTCP stay inside stack/mptcp.
#pragma once

#include <compare>
#include <cstdint>

namespace braid {

class SeqNum {
 public:
  constexpr SeqNum() = default;
  constexpr explicit SeqNum(std::uint32_t value) : value_(value) {}

  constexpr std::uint32_t value() const { return value_; }

  constexpr SeqNum operator+(std::uint32_t n) const { return SeqNum(value_ + n); }
  constexpr SeqNum operator-(std::uint32_t n) const { return SeqNum(value_ - n); }
  constexpr SeqNum& operator+=(std::uint32_t n) {
    value_ += n;
    return *this;
  }
  // Signed distance; meaningful while the two lie within 2^31 of each other.
  constexpr std::int32_t operator-(SeqNum other) const {
    return static_cast<std::int32_t>(value_ - other.value_);
  }

  constexpr bool operator==(const SeqNum&) const = default;
  constexpr bool operator<(SeqNum o) const { return *this - o < 0; }
  constexpr bool operator<=(SeqNum o) const { return *this - o <= 0; }
  constexpr bool operator>(SeqNum o) const { return *this - o > 0; }
  constexpr bool operator>=(SeqNum o) const { return *this - o >= 0; }

 private:
  std::uint32_t value_ = 0;
};

class StreamOffset {
 public:
  constexpr StreamOffset() = default;
  constexpr explicit StreamOffset(std::uint64_t value) : value_(value) {}

  constexpr std::uint64_t value() const { return value_; }

  constexpr StreamOffset operator+(std::uint64_t n) const { return StreamOffset(value_ + n); }
  constexpr StreamOffset operator-(std::uint64_t n) const { return StreamOffset(value_ - n); }
  constexpr StreamOffset& operator+=(std::uint64_t n) {
    value_ += n;
    return *this;
  }
  // Distance in bytes; `other` must not lie after *this.
  constexpr std::uint64_t operator-(StreamOffset other) const { return value_ - other.value_; }

  constexpr auto operator<=>(const StreamOffset&) const = default;

 private:
  std::uint64_t value_ = 0;
};

}  // namespace braid
