#include "stack/ip/layer.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"
#include "stack/wire/ip_header.h"

namespace braid::ip {
namespace {

// RFC 1122 3.2.1.3 and RFC 4291 2.5.3: addresses no packet between hosts may carry. Broadcasts of a
// subnet cannot be told from here.
bool is_one_host(const wire::IpAddress& a) {
  if (a.is_unspecified() || a.is_multicast() || a.is_loopback()) return false;
  if (a.is_v4()) return a.v4_host_order() != 0xffffffffU && a.v4_host_order() >> 24 != 0;
  const Bytes bytes = a.bytes();  // ::ffff:0:0/96 is never on the wire
  return !(std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) &&
           bytes[10] == 0xff && bytes[11] == 0xff);
}

}  // namespace

void Layer::set_own_addresses(std::vector<wire::IpAddress> addresses) {
  own_addresses_ = std::move(addresses);
}

bool Layer::is_own(const wire::IpAddress& address) const {
  return std::find(own_addresses_.begin(), own_addresses_.end(), address) != own_addresses_.end();
}

Input Layer::receive(InterfaceId interface, const PacketIn& packet, Instant now) {
  ++counters_.received;
  const auto parsed = parse_header(packet.bytes);
  if (const auto* bad = std::get_if<Malformed>(&parsed)) {
    ++(*bad == Malformed::kHeaderChecksum ? counters_.bad_header_checksum : counters_.malformed);
    return Nothing{};
  }
  const auto& header = std::get<Header>(parsed);
  if (!is_one_host(header.source) || !is_one_host(header.destination)) {
    ++counters_.not_unicast;
    return Nothing{};
  }
  if (header.fragment) ++counters_.fragments;
  return accept(interface, packet, header, now);
}

Input Layer::interpret(const Header& header, const PacketIn& packet) {
  const bool unverified = packet.checksum == ChecksumState::kUnverified;
  if (header.protocol == wire::kProtocolTcp) {
    auto segment = wire::parse_tcp(header.source, header.destination, header.transport);
    if (!segment) {
      ++counters_.malformed;
      return Nothing{};
    }
    if (unverified && !wire::tcp_checksum_ok(header.source, header.destination, header.transport)) {
      ++counters_.bad_transport_checksum;
      return Nothing{};
    }
    segment->ecn = header.ecn;
    segment->hop_limit = header.hop_limit;
    // gso_size is a hint from outside: it counts only where there is something to cut.
    segment->gso_size = segment->payload.size() > packet.gso_size ? packet.gso_size : 0;
    return *std::move(segment);
  }
  if (header.protocol == (header.source.is_v4() ? wire::kProtocolIcmp : wire::kProtocolIcmpv6)) {
    if (unverified && !icmp_checksum_ok(header)) {
      ++counters_.bad_transport_checksum;
      return Nothing{};
    }
    if (auto error = parse_icmp_error(header)) {
      ++counters_.icmp_errors_in;
      return *error;
    }
  }
  return Datagram{.source = header.source,
                  .destination = header.destination,
                  .protocol = header.protocol,
                  .hop_limit = header.hop_limit,
                  .ecn = header.ecn,
                  .payload = Slices(header.transport)};
}

Input Layer::interpret_whole(Bytes packet) {
  const auto parsed = parse_header(packet);
  const auto* header = std::get_if<Header>(&parsed);
  if (header == nullptr || header->fragment) {  // extension headers behind the fragment header
    ++counters_.malformed;
    return Nothing{};
  }
  ++counters_.reassembled;
  return interpret(*header, PacketIn{.bytes = packet});
}

std::optional<std::vector<std::uint8_t>> Layer::reassemble(Reassembler& reassembler,
                                                           const Header& header, Instant now) {
  const std::uint64_t evicted_before = reassembler.evicted();
  auto result = reassembler.add(header, now);
  counters_.reassembly_failed += reassembler.evicted() - evicted_before;
  if (const auto* refused = std::get_if<Reassembler::Refused>(&result)) {
    ++counters_.fragments_refused;
    if (*refused == Reassembler::Refused::kOverlap && !header.source.is_v4()) {
      ++counters_.reassembly_failed;
    }
  }
  auto* whole = std::get_if<Reassembler::Whole>(&result);
  if (whole == nullptr) return std::nullopt;
  return std::move(whole->packet);
}

bool Layer::may_send_icmp(Instant now) {
  if (queued_.size() < kMaxQueued && limiter_.admit(now)) {
    ++counters_.icmp_sent;
    return true;
  }
  ++counters_.icmp_suppressed;
  return false;
}

void Layer::report(InterfaceId interface, const IcmpReport& report, Instant now) {
  if (!may_send_icmp(now)) return;
  queued_.push_back({.interface = interface, .packet = make_icmp_error(report), .body = {}});
}

void Layer::enqueue(InterfaceId interface, std::vector<std::uint8_t> packet, Instant now) {
  ENSURE(packet.size() >= 20);
  if (!may_send_icmp(now)) return;
  const std::size_t header = packet[0] >> 4 == 4 ? (packet[0] & 0x0fU) * 4U : 40U;
  ENSURE(header <= packet.size());
  Outgoing out{.interface = interface, .packet = {}, .body = std::move(packet)};
  std::copy_n(out.body.begin(), header, out.packet.header.begin());
  out.packet.header_length = out.packet.transport_offset = static_cast<std::uint16_t>(header);
  // The vector's memory stays where it is when the Outgoing moves.
  out.packet.payload = Slices(Bytes(out.body).subspan(header));
  queued_.push_back(std::move(out));
}

const std::vector<Outgoing>& Layer::flush(Instant now) {
  if (reassembly_deadline() <= now) fire_timers(now);
  flushed_ = std::exchange(queued_, {});
  return flushed_;
}

Instant Layer::next_deadline() const {
  return queued_.empty() ? reassembly_deadline() : Instant::min();
}

}  // namespace braid::ip
