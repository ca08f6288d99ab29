// Fuzzes IP input: a train of packets goes through both forms of ip::Layer, which must agree on
// each, stay inside the packet's bytes and leave them as they were.
//
// Input: records of [control][time step in 1/16 s][length, big-endian][packet bytes]. Control bits:
//   1  make the IPv4 header checksum right      2  the device vouches for the transport checksum
//   4  a super-packet                           8  flush between packets
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/ensure.h"
#include "stack/ip/lwip_layer.h"
#include "stack/ip/plain_layer.h"
#include "stack/wire/checksum.h"

namespace {

using namespace braid;

// Below what makes either form evict or expire a datagram: there they may differ by a second.
constexpr std::size_t kMaxPackets = 60;

struct Record {
  std::uint8_t control = 0;
  Duration step{};
  std::vector<std::uint8_t> packet;
};

std::optional<Record> next_record(Bytes& input) {
  if (input.size() < 4) return std::nullopt;
  Record record{.control = input[0], .step = input[1] % 7 * (1s / 16), .packet = {}};
  const std::size_t length = std::min<std::size_t>(load_be16(&input[2]), input.size() - 4);
  record.packet.assign(input.begin() + 4, input.begin() + 4 + static_cast<std::ptrdiff_t>(length));
  input = input.subspan(4 + length);
  return record;
}

void repair_header(std::vector<std::uint8_t>& packet) {
  if (packet.size() < 20 || packet[0] >> 4 != 4) return;
  const std::size_t header = std::min<std::size_t>((packet[0] & 15U) * 4U, packet.size());
  if (header < 20) return;
  store_be16(&packet[10], 0);
  wire::InternetSum sum;
  sum.add(Bytes(packet).first(header));
  store_be16(&packet[10], sum.checksum());
}

const Slices* payload_of(const ip::Input& input) {
  if (const auto* segment = std::get_if<wire::Segment>(&input)) return &segment->payload;
  if (const auto* datagram = std::get_if<ip::Datagram>(&input)) return &datagram->payload;
  return nullptr;
}

// Reads every byte, so that a sanitizer sees a slice that is not there.
void touch(const ip::Input& input, const std::vector<std::uint8_t>& packet, bool is_fragment) {
  const Slices* payload = payload_of(input);
  if (payload == nullptr) return;
  ENSURE(payload->to_vector().size() == payload->size());
  if (is_fragment) return;
  for (const Bytes slice : *payload) {
    ENSURE(slice.data() >= packet.data());
    ENSURE(slice.data() + slice.size() <= packet.data() + packet.size());
  }
}

bool same(const ip::Input& a, const ip::Input& b) {
  if (a.index() != b.index()) return false;
  if (const auto* s = std::get_if<wire::Segment>(&a)) return *s == std::get<wire::Segment>(b);
  if (const auto* e = std::get_if<wire::IcmpError>(&a)) return *e == std::get<wire::IcmpError>(b);
  if (const auto* d = std::get_if<ip::Datagram>(&a)) {
    const auto& e = std::get<ip::Datagram>(b);
    return d->source == e.source && d->destination == e.destination && d->protocol == e.protocol &&
           d->hop_limit == e.hop_limit && d->ecn == e.ecn && d->payload == e.payload;
  }
  return true;
}

// What was read as an error about TCP can be written as one, and reads back the same.
void round_trip(const ip::Input& input) {
  const auto* error = std::get_if<wire::IcmpError>(&input);
  if (error == nullptr || error->kind == wire::IcmpError::Kind::kOther) return;
  if (error->source.address.family() != error->reporter.family()) return;
  wire::Segment offending;
  offending.source = error->source;
  offending.destination = error->destination;
  offending.seq = error->seq;
  const PacketOut out = ip::make_icmp_error({.kind = error->kind,
                                             .reporter = error->reporter,
                                             .offending = offending,
                                             .mtu = error->mtu});
  const auto parsed = ip::parse_header(Bytes(out.header.data(), out.header_length));
  const auto* header = std::get_if<ip::Header>(&parsed);
  ENSURE(header != nullptr && ip::icmp_checksum_ok(*header));
  const auto again = ip::parse_icmp_error(*header);
  ENSURE(again && again->kind == error->kind && again->mtu == error->mtu);
  ENSURE(again->source == error->source && again->destination == error->destination);
  ENSURE(again->seq == error->seq);
}

// A fragment can be built from what was read of it, and reads back the same.
void build_again(const ip::Header& header) {
  if (!header.fragment) return;
  const std::vector<std::uint8_t> packet = ip::build_packet(header, header.transport);
  const auto parsed = ip::parse_header(packet);
  const auto* again = std::get_if<ip::Header>(&parsed);
  ENSURE(again != nullptr && again->fragment == header.fragment);
  ENSURE(again->source == header.source && again->destination == header.destination);
  ENSURE(again->first_protocol == header.first_protocol && again->ecn == header.ecn);
  ENSURE(std::ranges::equal(again->transport, header.transport));
}

// IPv4 fragments of one datagram that name different protocols: lwIP drops the datagram, since what
// it hears for is the last one's.
class ProtocolMix {
 public:
  void see(const ip::Header& header) {
    if (!header.fragment || !header.source.is_v4()) return;
    mixed_ = mixed_ || (protocol_ && *protocol_ != header.first_protocol);
    protocol_ = header.first_protocol;
  }
  bool mixed() const { return mixed_; }

 private:
  std::optional<std::uint8_t> protocol_;
  bool mixed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  ip::LwipLayer lwip;
  ip::PlainLayer plain;
  ProtocolMix protocols;
  Instant now{1h};
  for (std::size_t count = 0; count < kMaxPackets; ++count) {
    auto record = next_record(input);
    if (!record) break;
    now += record->step;
    if ((record->control & 1) != 0) repair_header(record->packet);
    const bool vouched = (record->control & 2) != 0;
    const std::uint16_t gso_size = (record->control & 4) != 0 ? 100 : 0;
    const PacketIn packet{
        .bytes = record->packet,
        .gso_size = gso_size,
        .checksum = vouched ? ChecksumState::kVerified : ChecksumState::kUnverified};
    const auto parsed = ip::parse_header(record->packet);
    const auto* header = std::get_if<ip::Header>(&parsed);
    if (header != nullptr) {
      protocols.see(*header);
      build_again(*header);
    }
    const bool is_fragment = header != nullptr && header->fragment;

    const auto before = record->packet;
    const ip::Input a = lwip.receive(0, packet, now);
    const ip::Input b = plain.receive(0, packet, now);
    ENSURE(record->packet == before);
    touch(a, record->packet, is_fragment);
    touch(b, record->packet, is_fragment);
    round_trip(a);
    ENSURE(same(a, b) || (is_fragment && protocols.mixed()));
    if ((record->control & 8) != 0) {
      ENSURE(lwip.flush(now).empty());
      ENSURE(plain.flush(now).empty());
    }
  }
  lwip.flush(now + 100s);
  plain.flush(now + 100s);
  ENSURE(lwip.next_deadline() == kNever);
  ENSURE(plain.next_deadline() == kNever);
  return 0;
}
