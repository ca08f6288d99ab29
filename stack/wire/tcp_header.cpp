#include "stack/wire/tcp_header.h"

#include "stack/base/ensure.h"

namespace braid::wire {
namespace {

constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kUrg = 0x20;
constexpr std::uint8_t kEce = 0x40;
constexpr std::uint8_t kCwr = 0x80;

TcpFlags read_flags(std::uint8_t bits) {
  return {.fin = (bits & kFin) != 0,
          .syn = (bits & kSyn) != 0,
          .rst = (bits & kRst) != 0,
          .psh = (bits & kPsh) != 0,
          .ack = (bits & kAck) != 0,
          .urg = (bits & kUrg) != 0,
          .ece = (bits & kEce) != 0,
          .cwr = (bits & kCwr) != 0};
}

std::uint8_t write_flags(const TcpFlags& flags) {
  return static_cast<std::uint8_t>((flags.fin ? kFin : 0) | (flags.syn ? kSyn : 0) |
                                   (flags.rst ? kRst : 0) | (flags.psh ? kPsh : 0) |
                                   (flags.ack ? kAck : 0) | (flags.urg ? kUrg : 0) |
                                   (flags.ece ? kEce : 0) | (flags.cwr ? kCwr : 0));
}

}  // namespace

std::optional<std::size_t> read_tcp_header(Bytes tcp, Segment& segment) {
  if (tcp.size() < kTcpHeaderBytes) return std::nullopt;
  const std::uint8_t* p = tcp.data();
  const std::size_t length = (p[12] >> 4) * std::size_t{4};
  if (length < kTcpHeaderBytes || length > tcp.size()) return std::nullopt;
  segment.source.port = load_be16(p);
  segment.destination.port = load_be16(p + 2);
  segment.seq = SeqNum(load_be32(p + 4));
  segment.ack = SeqNum(load_be32(p + 8));
  segment.flags = read_flags(p[13]);
  segment.window = load_be16(p + 14);
  segment.urgent_pointer = load_be16(p + 18);
  segment.options = parse_tcp_options(tcp.subspan(kTcpHeaderBytes, length - kTcpHeaderBytes));
  return length;
}

std::size_t tcp_header_bytes(const Segment& segment) {
  return kTcpHeaderBytes + encoded_length(segment.options);
}

std::size_t write_tcp_header(const Segment& segment, MutableBytes to) {
  ENSURE(to.size() >= kTcpHeaderBytes);
  const std::size_t length =
      kTcpHeaderBytes + write_tcp_options(segment.options, to.subspan(kTcpHeaderBytes));
  std::uint8_t* p = to.data();
  store_be16(p, segment.source.port);
  store_be16(p + 2, segment.destination.port);
  store_be32(p + 4, segment.seq.value());
  store_be32(p + 8, segment.ack.value());
  p[12] = static_cast<std::uint8_t>(length / 4 << 4);
  p[13] = write_flags(segment.flags);
  store_be16(p + 14, segment.window);
  store_be16(p + kTcpChecksumOffset, 0);
  store_be16(p + 18, segment.urgent_pointer);
  return length;
}

}  // namespace braid::wire
