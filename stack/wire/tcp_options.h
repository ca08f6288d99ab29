// The TCP options of one segment as a plain struct (RFC 9293 3.2, RFC 7323, RFC 2018, RFC 7413,
// RFC 8684), and the one place that states their order and precedence in 40 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <variant>

#include "stack/base/bytes.h"
#include "stack/base/seq.h"
#include "stack/wire/mptcp_options.h"

namespace braid::wire {

inline constexpr std::size_t kMaxTcpOptionBytes = 40;

struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo_reply = 0;
  bool operator==(const Timestamps&) const = default;
};

struct SackBlock {
  SeqNum begin;
  SeqNum end;
  bool operator==(const SackBlock&) const = default;
};

// A vector of at most N values inside the struct.
template <typename T, std::size_t N>
class FewOf {
 public:
  FewOf() = default;
  FewOf(std::initializer_list<T> values) {
    for (const T& v : values) push_back(v);
  }
  // False, and nothing added, when full.
  bool push_back(const T& value) {
    if (count_ == N) return false;
    values_[count_++] = value;
    return true;
  }
  // There must be a last one.
  void pop_back() {
    ENSURE(count_ > 0);
    --count_;
  }
  void clear() { count_ = 0; }
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const T& operator[](std::size_t i) const { return values_[i]; }
  T& operator[](std::size_t i) { return values_[i]; }
  const T* begin() const { return values_.data(); }
  const T* end() const { return values_.data() + count_; }
  bool operator==(const FewOf& o) const {
    if (count_ != o.count_) return false;
    for (std::size_t i = 0; i < count_; ++i)
      if (!(values_[i] == o.values_[i])) return false;
    return true;
  }

 private:
  std::array<T, N> values_{};
  std::uint8_t count_ = 0;
};

struct TcpOptions {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps;
  FewOf<SackBlock, 4> sack;
  // RFC 7413: present and empty is a cookie request.
  std::optional<FewOf<std::uint8_t, 16>> fast_open_cookie;
  FewOf<MptcpOption, 3> mptcp;
  // Kinds seen that are none of the above (TCP-AO 29, MD5 19 matter to policy), first four.
  FewOf<std::uint8_t, 4> unknown_kinds;

  // The first MPTCP option of this kind, or nullptr.
  template <typename T>
  const T* find() const {
    for (const MptcpOption& option : mptcp)
      if (const T* found = std::get_if<T>(&option)) return found;
    return nullptr;
  }
  bool operator==(const TcpOptions&) const = default;
};

// Reads the option area of a TCP header. A length below two or past the area ends the reading; what
// was read before it stays. A known kind with a length that is not its own, and a malformed MPTCP
// option, are left out. Of an option that comes twice the last counts.
TcpOptions parse_tcp_options(Bytes area);

// Bytes these options take, padded to a multiple of four. May exceed 40: see fit(). Where the
// aligned layout below would exceed 40 the packed one is meant, with all padding at the end:
// timestamps and an IPv6 ADD_ADDR with a port (10 + 30) fit only so.
std::size_t encoded_length(const TcpOptions& options);

// Writes the options padded to a multiple of four with NOPs where Linux puts them: SYN `mss,
// sackOK, TS, nop, wscale, [TFO], mptcp`; without TS `mss, nop, nop, sackOK, nop, wscale, mptcp`;
// other segments `nop, nop, TS, [nop, nop, SACK], mptcp`. encoded_length(options) must be at most
// 40 and `to` at least that long. Returns the bytes written.
std::size_t write_tcp_options(const TcpOptions& options, MutableBytes to);

// Bytes left of 40 after these options.
std::size_t room_left(const TcpOptions& options);

// Cuts SACK blocks (last first) until the aligned layout fits in 40 bytes. Precedence: timestamps
// and MPTCP options always stay, SACK takes what is left. ENSUREs that the rest fits, packed if
// need be.
void fit(TcpOptions& options);

}  // namespace braid::wire
