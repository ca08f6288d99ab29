#include "stack/ip/icmp.h"

#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ip_header.h"

namespace braid::ip {
namespace {

using Kind = wire::IcmpError::Kind;

constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kQuotedTcp = 8;  // ports and sequence number

// RFC 792 types and RFC 1812 5.2.7.1 codes. Nothing: not an error, or one no host may act on
// (redirects are for routers' neighbours, source quench is deprecated by RFC 6633).
std::optional<Kind> kind_of_v4(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 3:
      switch (code) {
        case 0:
        case 6:
        case 11: return Kind::kNetUnreachable;
        case 1:
        case 7:
        case 8:
        case 12: return Kind::kHostUnreachable;
        case 2: return Kind::kProtocolUnreachable;
        case 3: return Kind::kPortUnreachable;
        case 4: return Kind::kPacketTooBig;
        case 9:
        case 10:
        case 13: return Kind::kAdminProhibited;
        default: return Kind::kOther;
      }
    case 11: return Kind::kTimeExceeded;
    case 12: return Kind::kOther;
    default: return std::nullopt;
  }
}

// RFC 4443 section 3.
std::optional<Kind> kind_of_v6(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 1:
      switch (code) {
        case 0:
        case 2: return Kind::kNetUnreachable;
        case 1:
        case 5:
        case 6: return Kind::kAdminProhibited;
        case 3: return Kind::kHostUnreachable;
        case 4: return Kind::kPortUnreachable;
        default: return Kind::kOther;
      }
    case 2: return Kind::kPacketTooBig;
    case 3: return Kind::kTimeExceeded;
    case 4: return code == 1 ? Kind::kProtocolUnreachable : Kind::kOther;
    default: return std::nullopt;
  }
}

struct Quoted {
  wire::IpAddress source;
  wire::IpAddress destination;
  Bytes tcp;
};

std::optional<Quoted> quoted_v4(Bytes quote) {
  if (quote.size() < 20 || quote[0] >> 4 != 4) return std::nullopt;
  const std::size_t header = (quote[0] & 0x0fU) * 4U;
  if (header < 20 || quote.size() < header + kQuotedTcp) return std::nullopt;
  // Only a first fragment holds the ports.
  if (quote[9] != wire::kProtocolTcp || (load_be16(&quote[6]) & 0x1fffU) != 0) return std::nullopt;
  return Quoted{wire::IpAddress::from_bytes(quote.subspan(12, 4)),
                wire::IpAddress::from_bytes(quote.subspan(16, 4)), quote.subspan(header)};
}

// Our TCP packets carry no extension header, so neither does a quote of one.
std::optional<Quoted> quoted_v6(Bytes quote) {
  if (quote.size() < 40 + kQuotedTcp || quote[0] >> 4 != 6) return std::nullopt;
  if (quote[6] != wire::kProtocolTcp) return std::nullopt;
  return Quoted{wire::IpAddress::from_bytes(quote.subspan(8, 16)),
                wire::IpAddress::from_bytes(quote.subspan(24, 16)), quote.subspan(40)};
}

struct TypeAndCode {
  std::uint8_t type;
  std::uint8_t code;
};

TypeAndCode on_the_wire(Kind kind, bool v4) {
  switch (kind) {
    case Kind::kNetUnreachable: return v4 ? TypeAndCode{3, 0} : TypeAndCode{1, 0};
    case Kind::kHostUnreachable: return v4 ? TypeAndCode{3, 1} : TypeAndCode{1, 3};
    case Kind::kProtocolUnreachable: return v4 ? TypeAndCode{3, 2} : TypeAndCode{4, 1};
    case Kind::kPortUnreachable: return v4 ? TypeAndCode{3, 3} : TypeAndCode{1, 4};
    case Kind::kAdminProhibited: return v4 ? TypeAndCode{3, 13} : TypeAndCode{1, 1};
    case Kind::kPacketTooBig: return v4 ? TypeAndCode{3, 4} : TypeAndCode{2, 0};
    case Kind::kTimeExceeded: return v4 ? TypeAndCode{11, 0} : TypeAndCode{3, 0};
    case Kind::kOther: break;
  }
  ENSURE(kind != Kind::kOther);
  return {};
}

// The 32 bits behind the checksum: the MTU, or a pointer to the protocol field, or zero.
std::uint32_t rest_of_header(const IcmpReport& report, bool v4) {
  if (report.kind == Kind::kPacketTooBig) return v4 ? std::min(report.mtu, 0xffffU) : report.mtu;
  if (report.kind == Kind::kProtocolUnreachable && !v4) return 6;  // offset of Next Header
  return 0;
}

// The checksum over a whole ICMP message; ICMPv6 includes a pseudo-header (RFC 4443 2.3).
std::uint16_t message_checksum(const wire::IpAddress& source, const wire::IpAddress& destination,
                               Bytes icmp) {
  wire::InternetSum sum;
  if (!source.is_v4()) {
    sum = wire::pseudo_header_sum(source, destination, wire::kProtocolIcmpv6,
                                  static_cast<std::uint32_t>(icmp.size()));
  }
  sum.add(icmp);
  return sum.checksum();
}

}  // namespace

std::optional<wire::IcmpError> parse_icmp_error(const Header& header) {
  const Bytes icmp = header.transport;
  const bool v4 = header.source.is_v4();
  if (header.protocol != (v4 ? wire::kProtocolIcmp : wire::kProtocolIcmpv6)) return std::nullopt;
  if (icmp.size() < kIcmpHeader) return std::nullopt;
  const auto kind = v4 ? kind_of_v4(icmp[0], icmp[1]) : kind_of_v6(icmp[0], icmp[1]);
  if (!kind) return std::nullopt;
  const Bytes quote = icmp.subspan(kIcmpHeader);
  const auto quoted = v4 ? quoted_v4(quote) : quoted_v6(quote);
  if (!quoted) return std::nullopt;
  wire::IcmpError error;
  error.kind = *kind;
  error.type = icmp[0];
  error.code = icmp[1];
  if (*kind == Kind::kPacketTooBig) error.mtu = v4 ? load_be16(&icmp[6]) : load_be32(&icmp[4]);
  error.reporter = header.source;
  error.source = {quoted->source, load_be16(&quoted->tcp[0])};
  error.destination = {quoted->destination, load_be16(&quoted->tcp[2])};
  error.seq = SeqNum(load_be32(&quoted->tcp[4]));
  return error;
}

bool icmp_checksum_ok(const Header& header) {
  return message_checksum(header.source, header.destination, header.transport) == 0;
}

PacketOut make_icmp_error(const IcmpReport& report) {
  const bool v4 = report.reporter.is_v4();
  ENSURE(report.offending.source.address.is_v4() == v4);
  PacketOut out;
  const std::size_t ip = v4 ? wire::kIpv4HeaderBytes : wire::kIpv6HeaderBytes;
  const PacketOut offending = wire::make_packet(report.offending, 0);
  const std::size_t quote =
      std::min<std::size_t>(offending.header_length, out.header.size() - ip - kIcmpHeader);
  const std::size_t length = ip + kIcmpHeader + quote;
  const MutableBytes packet(out.header.data(), length);
  constexpr std::uint8_t kInternetworkControl = 0xc0;  // RFC 1812 4.3.2.5
  wire::write_ip_header({.source = report.reporter,
                         .destination = report.offending.source.address,
                         .protocol = v4 ? wire::kProtocolIcmp : wire::kProtocolIcmpv6,
                         .traffic_class = kInternetworkControl,
                         .total_length = static_cast<std::uint32_t>(length)},
                        packet);

  const MutableBytes icmp = packet.subspan(ip);
  const TypeAndCode what = on_the_wire(report.kind, v4);
  icmp[0] = what.type;
  icmp[1] = what.code;
  store_be16(&icmp[2], 0);
  store_be32(&icmp[4], rest_of_header(report, v4));
  std::copy_n(offending.header.begin(), quote, icmp.begin() + kIcmpHeader);
  store_be16(&icmp[2], message_checksum(report.reporter, report.offending.source.address, icmp));

  out.header_length = static_cast<std::uint16_t>(length);
  out.transport_offset = static_cast<std::uint16_t>(ip);
  return out;
}

bool IcmpLimiter::admit(Instant now) {
  if (filled_ == Instant::min()) filled_ = now;
  const auto earned = (now - filled_) / kInterval;
  if (earned > 0) {
    tokens_ = static_cast<std::uint32_t>(std::min<std::int64_t>(kBurst, tokens_ + earned));
    filled_ += earned * kInterval;
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

}  // namespace braid::ip
