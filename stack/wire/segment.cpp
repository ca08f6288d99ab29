#include "stack/wire/segment.h"

#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ip_header.h"
#include "stack/wire/tcp_header.h"

namespace braid::wire {

std::optional<Segment> parse_tcp(const IpAddress& source, const IpAddress& destination, Bytes tcp) {
  Segment segment;
  segment.source.address = source;
  segment.destination.address = destination;
  const std::optional<std::size_t> header_length = read_tcp_header(tcp, segment);
  if (!header_length) return std::nullopt;
  segment.payload = Slices(tcp.subspan(*header_length));
  return segment;
}

bool tcp_checksum_ok(const IpAddress& source, const IpAddress& destination, Bytes tcp) {
  InternetSum sum =
      pseudo_header_sum(source, destination, kProtocolTcp, static_cast<std::uint32_t>(tcp.size()));
  sum.add(tcp);
  return sum.checksum() == 0;
}

PacketOut make_packet(const Segment& segment, std::uint16_t ipv4_identification) {
  PacketOut packet;
  const MutableBytes buffer(packet.header);
  IpHeader ip{.source = segment.source.address,
              .destination = segment.destination.address,
              .protocol = kProtocolTcp,
              .hop_limit = segment.hop_limit,
              .traffic_class = static_cast<std::uint8_t>(segment.ecn),
              .dont_fragment = true,
              .identification = ipv4_identification};
  const std::size_t ip_length = ip_header_bytes(ip);
  const std::size_t tcp_length = write_tcp_header(segment, buffer.subspan(ip_length));
  const auto transport_length = static_cast<std::uint32_t>(tcp_length + segment.payload.size());
  ip.total_length = static_cast<std::uint32_t>(ip_length) + transport_length;
  ENSURE(ip.total_length <= 65535);
  write_ip_header(ip, buffer);

  store_be16(packet.header.data() + ip_length + kTcpChecksumOffset,
             pseudo_header_sum(ip.source, ip.destination, kProtocolTcp, transport_length).folded());
  packet.header_length = static_cast<std::uint16_t>(ip_length + tcp_length);
  packet.transport_offset = static_cast<std::uint16_t>(ip_length);
  packet.checksum_offset = kTcpChecksumOffset;
  packet.gso_size = segment.payload.size() > segment.gso_size ? segment.gso_size : 0;
  packet.payload = segment.payload;
  return packet;
}

std::vector<std::uint8_t> flatten(const PacketOut& packet) {
  std::vector<std::uint8_t> out(packet.total_length());
  std::copy_n(packet.header.begin(), packet.header_length, out.begin());
  packet.payload.copy_to(MutableBytes(out).subspan(packet.header_length));
  if (packet.checksum_offset == 0) return out;
  // The field holds the pseudo-header sum already, so summing the whole transport part completes
  // it.
  InternetSum sum;
  sum.add(Bytes(out).subspan(packet.transport_offset));
  store_be16(out.data() + packet.transport_offset + packet.checksum_offset, sum.checksum());
  return out;
}

}  // namespace braid::wire
