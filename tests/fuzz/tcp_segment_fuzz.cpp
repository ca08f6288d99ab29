// fuzz-libraries: braid_wire

// TCP and IP headers from raw bytes. The first byte chooses: a TCP header under IPv4 or IPv6, which
// goes out as a packet and must come back the same; or a whole IP packet, whose header must lie in
// its bounds and survive writing.
#include <algorithm>
#include <vector>

#include "stack/base/ensure.h"
#include "stack/wire/ip_header.h"
#include "stack/wire/segment.h"

using namespace braid;
using namespace braid::wire;

namespace {

void check_segment(Bytes tcp, const IpAddress& source, const IpAddress& destination) {
  std::optional<Segment> segment = parse_tcp(source, destination, tcp);
  tcp_checksum_ok(source, destination, tcp);
  if (!segment) return;
  describe(*segment);
  segment->options.unknown_kinds.clear();

  const PacketOut packet = make_packet(*segment, 7);
  const std::vector<std::uint8_t> bytes = flatten(packet);
  const std::optional<IpHeader> ip = parse_ip_header(bytes);
  ENSURE(ip && ip->header_length == packet.transport_offset && ip->total_length == bytes.size());
  const Bytes transport = Bytes(bytes).subspan(ip->header_length);
  ENSURE(tcp_checksum_ok(source, destination, transport));
  ENSURE(parse_tcp(ip->source, ip->destination, transport) == segment);
}

void check_packet(Bytes packet) {
  const std::optional<IpHeader> read = parse_ip_header(packet);
  if (!read) return;
  ENSURE(ip_header_bytes(*read) <= read->header_length);
  ENSURE(read->header_length <= read->total_length && read->total_length <= packet.size());
  if (!read->is_fragment() && read->protocol == kProtocolTcp) {
    check_segment(packet.subspan(read->header_length, read->total_length - read->header_length),
                  read->source, read->destination);
  }
  // Written without options or extensions, and read again.
  IpHeader plain = *read;
  plain.header_length = static_cast<std::uint32_t>(ip_header_bytes(plain));
  std::vector<std::uint8_t> bytes(plain.total_length);
  write_ip_header(plain, bytes);
  if (!plain.source.is_v4()) return;  // an IPv6 protocol number could mean an extension again
  ENSURE(parse_ip_header(bytes) == plain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 60000) return 0;
  const Bytes rest = Bytes(data, size).subspan(1);
  switch (data[0] % 3) {
    case 0: check_segment(rest, IpAddress::v4(0xc0000201), IpAddress::v4(0xc6336402)); break;
    case 1:
      check_segment(rest, IpAddress::v4(0xc0000201).mapped(), IpAddress::v4(0xc6336402).mapped());
      break;
    default: check_packet(rest);
  }
  return 0;
}
