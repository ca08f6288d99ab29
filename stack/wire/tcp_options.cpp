#include "stack/wire/tcp_options.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::wire {
namespace {

enum Kind : std::uint8_t {
  kEndOfList = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
  kMptcp = 30,
  kFastOpen = 34,
};

constexpr std::size_t kMinCookie = 4;  // RFC 7413 4.1.1: 4 to 16 bytes, an even count
constexpr std::size_t kMaxCookie = 16;

constexpr std::size_t round_up_to_word(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

// ---- Reading: `option` is a whole option, kind and length included.

void read_sack(Bytes option, TcpOptions& out) {
  const std::size_t blocks = (option.size() - 2) / 8;
  if (option.size() % 8 != 2 || blocks < 1) return;
  out.sack.clear();
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::uint8_t* p = option.data() + 2 + 8 * i;
    out.sack.push_back({SeqNum(load_be32(p)), SeqNum(load_be32(p + 4))});
  }
}

void read_fast_open(Bytes option, TcpOptions& out) {
  const Bytes cookie = option.subspan(2);
  const bool is_cookie =
      cookie.size() >= kMinCookie && cookie.size() <= kMaxCookie && cookie.size() % 2 == 0;
  if (!is_cookie && !cookie.empty()) return;
  out.fast_open_cookie.emplace();
  for (std::uint8_t byte : cookie) out.fast_open_cookie->push_back(byte);
}

void read_option(Bytes option, TcpOptions& out) {
  const std::uint8_t* value = option.data() + 2;
  switch (option[0]) {
    case kMss:
      if (option.size() == 4) out.mss = load_be16(value);
      return;
    case kWindowScale:
      if (option.size() == 3) out.window_scale = *value;
      return;
    case kSackPermitted:
      if (option.size() == 2) out.sack_permitted = true;
      return;
    case kSack: return read_sack(option, out);
    case kTimestamps:
      if (option.size() == 10) out.timestamps = Timestamps{load_be32(value), load_be32(value + 4)};
      return;
    case kFastOpen: return read_fast_open(option, out);
    case kMptcp:
      if (const auto mptcp = parse_mptcp_option(option)) out.mptcp.push_back(*mptcp);
      return;
    default: out.unknown_kinds.push_back(option[0]);
  }
}

// ---- Writing. A layout is stated once, for two sinks: one counts, one writes.

class Counter {
 public:
  void u8(unsigned) { ++used_; }
  void be32(std::uint32_t) { used_ += 4; }
  void mptcp(const MptcpOption& option) { used_ += encoded_length(option); }
  std::size_t used() const { return used_; }

 private:
  std::size_t used_ = 0;
};

class Writer {
 public:
  explicit Writer(MutableBytes to) : to_(to) {}
  void u8(unsigned value) { to_[used_++] = static_cast<std::uint8_t>(value); }
  void be32(std::uint32_t value) {
    store_be32(to_.data() + used_, value);
    used_ += 4;
  }
  void mptcp(const MptcpOption& option) { used_ += write_mptcp_option(option, to_.subspan(used_)); }
  std::size_t used() const { return used_; }

 private:
  MutableBytes to_;
  std::size_t used_ = 0;
};

enum class Layout { kAligned, kPacked };

template <typename Sink>
void pad(Sink& to, std::size_t count) {
  for (; count > 0; --count) to.u8(kNop);
}

template <typename Sink>
void pad_to_word(Sink& to) {
  pad(to, round_up_to_word(to.used()) - to.used());
}

template <typename Sink>
void put_timestamps(const Timestamps& timestamps, Sink& to) {
  to.u8(kTimestamps);
  to.u8(10);
  to.be32(timestamps.value);
  to.be32(timestamps.echo_reply);
}

template <typename Sink>
void put_sack_permitted(Sink& to) {
  to.u8(kSackPermitted);
  to.u8(2);
}

template <typename Sink>
void put_sack(const FewOf<SackBlock, 4>& blocks, Sink& to) {
  to.u8(kSack);
  to.u8(static_cast<unsigned>(2 + 8 * blocks.size()));
  for (const SackBlock& block : blocks) {
    to.be32(block.begin.value());
    to.be32(block.end.value());
  }
}

template <typename Sink>
void lay_out(const TcpOptions& o, Layout layout, Sink& to) {
  const bool aligned = layout == Layout::kAligned;
  if (o.mss) {
    to.u8(kMss);
    to.u8(4);
    to.u8(*o.mss >> 8);
    to.u8(*o.mss & 0xffU);
  }
  // SACK-permitted takes the place of the two NOPs before timestamps.
  if (aligned && o.sack_permitted != o.timestamps.has_value()) pad(to, 2);
  if (o.sack_permitted) put_sack_permitted(to);
  if (o.timestamps) put_timestamps(*o.timestamps, to);
  if (o.window_scale) {
    if (aligned) pad(to, 1);
    to.u8(kWindowScale);
    to.u8(3);
    to.u8(*o.window_scale);
  }
  if (o.fast_open_cookie) {
    to.u8(kFastOpen);
    to.u8(static_cast<unsigned>(2 + o.fast_open_cookie->size()));
    for (std::uint8_t byte : *o.fast_open_cookie) to.u8(byte);
    if (aligned) pad_to_word(to);
  }
  if (!o.sack.empty()) {
    if (aligned) pad(to, 2);
    put_sack(o.sack, to);
  }
  for (const MptcpOption& option : o.mptcp) {
    to.mptcp(option);
    if (aligned) pad_to_word(to);
  }
  pad_to_word(to);
}

std::size_t length_in(const TcpOptions& options, Layout layout) {
  Counter counter;
  lay_out(options, layout, counter);
  return counter.used();
}

Layout layout_for(const TcpOptions& options) {
  return length_in(options, Layout::kAligned) <= kMaxTcpOptionBytes ? Layout::kAligned
                                                                    : Layout::kPacked;
}

}  // namespace

TcpOptions parse_tcp_options(Bytes area) {
  TcpOptions out;
  while (!area.empty() && area[0] != kEndOfList) {
    std::size_t length = 1;
    if (area[0] != kNop) {
      if (area.size() < 2 || area[1] < 2 || area[1] > area.size()) break;
      length = area[1];
      read_option(area.first(length), out);
    }
    area = area.subspan(length);
  }
  return out;
}

std::size_t encoded_length(const TcpOptions& options) {
  return length_in(options, layout_for(options));
}

std::size_t write_tcp_options(const TcpOptions& options, MutableBytes to) {
  const Layout layout = layout_for(options);
  const std::size_t length = length_in(options, layout);
  ENSURE(length <= kMaxTcpOptionBytes && length <= to.size());
  Writer writer(to);
  lay_out(options, layout, writer);
  return length;
}

std::size_t room_left(const TcpOptions& options) {
  return kMaxTcpOptionBytes - std::min(kMaxTcpOptionBytes, encoded_length(options));
}

void fit(TcpOptions& options) {
  while (!options.sack.empty() && length_in(options, Layout::kAligned) > kMaxTcpOptionBytes) {
    options.sack.pop_back();
  }
  ENSURE(encoded_length(options) <= kMaxTcpOptionBytes);
}

}  // namespace braid::wire
