#include "tests/sim/random/noise.h"

#include <algorithm>
#include <array>
#include <utility>

#include "stack/wire/ip_header.h"
#include "stack/wire/segment.h"
#include "tests/support/sim/icmp.h"
#include "tests/support/sim/packet_view.h"
#include "tests/support/sim/resegmenters.h"

namespace braid::sim {

namespace {

using Kind = NoisePlan::Kind;

class NoiseMaker {
 public:
  NoiseMaker(const wire::IpAddress& from, const wire::Endpoint& to, Random& random)
      : from_(from), to_(to), random_(random) {}

  Packet echo(std::uint32_t bytes) {
    Packet message = random_bytes(8 + bytes);
    message[0] = from_.is_v4() ? 8 : 128;
    message[1] = 0;
    return with_header(from_.is_v4() ? kIcmp : kIcmp6, message);
  }

  Packet datagram() {
    Packet message = random_bytes(8 + random_.below(400));
    store_be16(&message[4], static_cast<std::uint16_t>(message.size()));
    const std::array<std::uint8_t, 5> kinds = {kUdp, kUdp, 47, 50, 132};
    return with_header(kinds[random_.below(kinds.size())], message);
  }

  // A segment of no connection.
  Packet stray() {
    wire::Segment segment = blank();
    segment.flags = {.fin = random_.chance(0.2),
                     .syn = random_.chance(0.1),
                     .rst = random_.chance(0.2),
                     .psh = random_.chance(0.2),
                     .ack = random_.chance(0.7),
                     .urg = random_.chance(0.1),
                     .ece = random_.chance(0.1),
                     .cwr = random_.chance(0.1)};
    // Above the servers of the world: a SYN there would be a connection like any other.
    segment.destination.port = static_cast<std::uint16_t>(2000 + random_.below(63535));
    const Packet payload = random_bytes(random_.below(200));
    segment.payload = Slices(Bytes(payload));
    return flat(segment);
  }

  Packet unknown_join() {
    wire::Segment syn = blank();
    syn.flags = {.syn = true};
    syn.options.mptcp.push_back(
        wire::MpJoinSyn{.address_id = 9, .token = random_.u32(), .nonce = random_.u32()});
    return flat(syn);
  }

  // A SYN with everything that is rare: a Fast Open cookie, options of unknown kinds, urgent bytes.
  Packet odd_syn() {
    wire::Segment syn = blank();
    syn.flags = {.syn = true, .urg = random_.chance(0.3)};
    syn.urgent_pointer = syn.flags.urg ? 3 : 0;
    syn.options.mss = static_cast<std::uint16_t>(random_.below(3000));
    syn.options.fast_open_cookie.emplace();
    for (int i = 0; i < 8; ++i) syn.options.fast_open_cookie->push_back(0x5a);
    const Packet payload = random_bytes(random_.below(100));
    syn.payload = Slices(Bytes(payload));
    Packet packet = flat(syn);
    if (!random_.chance(0.5)) return packet;
    const std::array<std::uint8_t, 8> unknown = {253, 4, 1, 2, 19, 3, 7, 1};
    return with_tcp_options(packet, unknown);
  }

  // An ICMP error about a packet nobody sent, of any type and code.
  Packet icmp() {
    wire::Segment imagined = blank();
    std::swap(imagined.source, imagined.destination);
    auto error = icmp_error(flat(imagined), IcmpAbout::kTooBig, from_, random_.below(1500));
    ENSURE(error.has_value());
    const auto view = PacketView::of(*error);
    const std::array<std::uint8_t, 6> v4 = {3, 3, 4, 5, 11, 12}, v6 = {1, 1, 2, 3, 4, 100};
    view->transport()[0] = (from_.is_v4() ? v4 : v6)[random_.below(6)];
    view->transport()[1] = static_cast<std::uint8_t>(random_.below(16));
    // Some quote too little to tell whose packet it was.
    if (random_.chance(0.2)) error->resize(view->ip_header_length() + 8 + random_.below(30));
    finish(*error);
    return *std::move(error);
  }

  std::vector<Packet> lone_fragments(std::uint32_t datagrams) {
    std::vector<Packet> out;
    for (std::uint32_t i = 0; i < datagrams; ++i) {
      std::vector<Packet> pieces = pieces_of(echo(1400));
      out.push_back(std::move(pieces[random_.below(static_cast<std::uint32_t>(pieces.size()))]));
    }
    return out;
  }

  // Two readings of one datagram: refused whole (RFC 5722), or the first counts (RFC 791).
  std::vector<Packet> overlap() {
    std::vector<Packet> pieces = pieces_of(echo(1400));
    Packet again = pieces[1];
    const std::size_t at = from_.is_v4() ? 6 : 42;  // the offset in words of eight bytes, and flags
    store_be16(&again[at],
               static_cast<std::uint16_t>(load_be16(&again[at]) - (from_.is_v4() ? 1 : 8)));
    again.back() ^= 0xff;
    if (from_.is_v4()) PacketView::of(again)->finish_ip_header();
    pieces.insert(pieces.begin() + (random_.chance(0.5) ? 1 : 2), std::move(again));
    return pieces;
  }

  // IPv6 extension headers, or IPv4 options, right and wrong, before a stray.
  Packet extensions() {
    Packet packet = stray();
    Packet inserted = random_bytes(from_.is_v4() ? 8 : 16);
    if (from_.is_v4()) {
      inserted[0] = random_.chance(0.5) ? 1 : 0x94;  // NOP, or Router Alert
      inserted[1] = random_.chance(0.5) ? 4 : 0;
      packet[0] = 0x47;
      packet.insert(packet.begin() + 20, inserted.begin(), inserted.end());
      finish(packet);
      return packet;
    }
    const std::array<std::uint8_t, 4> kinds = {0, 43, 44, 60};
    // Two headers of eight bytes: some are malformed by their length, type or segments left.
    for (std::size_t at : {std::size_t{0}, std::size_t{8}}) {
      inserted[at] = at == 0 ? kinds[random_.below(4)] : std::uint8_t{kTcp};
      inserted[at + 1] = random_.chance(0.9) ? 0 : 200;
      const std::array<std::uint8_t, 3> second = {0, 1, 0xc2};
      inserted[at + 2] = second[random_.below(3)];
      inserted[at + 3] = random_.chance(0.8) ? 0 : 4;
      inserted[at + 4] = inserted[at + 5] = inserted[at + 6] = inserted[at + 7] = 0;
    }
    packet[6] = kinds[random_.below(4)];
    packet.insert(packet.begin() + 40, inserted.begin(), inserted.end());
    store_be16(&packet[4], static_cast<std::uint16_t>(packet.size() - 40));
    return packet;
  }

  // From or to an address that is no single host.
  Packet not_unicast() {
    const std::array<const char*, 4> v4 = {"127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"};
    const std::array<const char*, 4> v6 = {"::1", "ff02::1", "::", "::ffff:10.0.0.1"};
    Packet packet = stray();
    Packet address;
    const auto odd = wire::IpAddress::parse((from_.is_v4() ? v4 : v6)[random_.below(4)]);
    const Bytes bytes = odd->bytes();
    const std::size_t width = from_.is_v4() ? 4 : 16;
    // Written as it is: the mapped form is read as IPv4 elsewhere.
    if (bytes.size() == width) {
      address.assign(bytes.begin(), bytes.end());
    } else {
      address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
    }
    const std::size_t source = from_.is_v4() ? 12 : 8;
    const std::size_t at = random_.chance(0.5) ? source : source + width;
    std::copy(address.begin(), address.end(), packet.begin() + static_cast<std::ptrdiff_t>(at));
    finish(packet);
    return packet;
  }

  // A packet with one mistake.
  Packet mangled() {
    Packet packet = random_.chance(0.8) ? stray() : icmp();
    const std::size_t header = from_.is_v4() ? 20 : 40;
    switch (random_.below(7)) {
      case 0: packet.resize(1 + random_.below(static_cast<std::uint32_t>(packet.size()))); break;
      case 1: packet[0] = static_cast<std::uint8_t>(random_.u32()); break;
      case 2:
        store_be16(&packet[from_.is_v4() ? 2 : 4], static_cast<std::uint16_t>(random_.u32()));
        break;
      case 3:  // the header length of TCP
        packet[header + 12] = static_cast<std::uint8_t>(random_.u32());
        finish(packet);
        break;
      case 4:  // the checksum of the transport
        packet[header + 16] ^= 0x40;
        break;
      case 5:  // that of the header
        packet[10] ^= 0x40;
        break;
      default:  // a fragment that leaves the longest datagram
        if (!from_.is_v4()) break;
        store_be16(&packet[6], 0x1fff);
        finish(packet);
    }
    return packet;
  }

 private:
  wire::Segment blank() {
    return {.source = {from_, static_cast<std::uint16_t>(1024 + random_.below(60000))},
            .destination = to_,
            .seq = SeqNum(random_.u32()),
            .ack = SeqNum(random_.u32()),
            .window = static_cast<std::uint16_t>(random_.u32())};
  }
  Packet flat(const wire::Segment& segment) {
    return wire::flatten(wire::make_packet(segment, static_cast<std::uint16_t>(random_.u32())));
  }
  Packet random_bytes(std::uint32_t length) {
    Packet bytes(length);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_.u32());
    return bytes;
  }
  Packet with_header(std::uint8_t protocol, const Packet& message) {
    wire::IpHeader header{.source = from_,
                          .destination = to_.address,
                          .protocol = protocol,
                          .identification = random_.u32() & 0xffffU};
    Packet packet(wire::ip_header_bytes(header));
    header.total_length = static_cast<std::uint32_t>(packet.size() + message.size());
    wire::write_ip_header(header, packet);
    packet.insert(packet.end(), message.begin(), message.end());
    finish(packet);
    return packet;
  }
  std::vector<Packet> pieces_of(Packet packet) {
    return fragments(std::move(packet), 600, random_.u32());
  }
  static void finish(Packet& packet) {
    if (packet.size() >= 20 && packet[0] >> 4 == 4) {
      store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
    } else if (packet.size() >= 40) {
      store_be16(&packet[4], static_cast<std::uint16_t>(packet.size() - 40));
    }
    if (auto view = PacketView::of(packet)) view->finish();
  }

  wire::IpAddress from_;
  wire::Endpoint to_;
  Random& random_;
};

}  // namespace

std::vector<Packet> make_noise(Kind kind, const wire::IpAddress& from, const wire::Endpoint& to,
                               Random& random) {
  // More datagrams than a reassembler keeps, more strays than are answered in a second.
  constexpr std::uint32_t kManyDatagrams = 90, kManyStrays = 300;
  NoiseMaker make(from, to, random);
  std::vector<Packet> out;
  switch (kind) {
    case Kind::kEcho: out.push_back(make.echo(kEchoBytes)); break;
    case Kind::kBigEcho: return fragments(make.echo(kBigEchoBytes), 1500, random.u32());
    case Kind::kDatagram: out.push_back(make.datagram()); break;
    case Kind::kLoneFragments: return make.lone_fragments(random.chance(0.5) ? 3 : kManyDatagrams);
    case Kind::kOverlap: return make.overlap();
    case Kind::kExtensions:
      for (int i = 0; i < 8; ++i) out.push_back(make.extensions());
      break;
    case Kind::kNotUnicast:
      for (int i = 0; i < 4; ++i) out.push_back(make.not_unicast());
      break;
    case Kind::kMangled:
      for (int i = 0; i < 8; ++i) out.push_back(make.mangled());
      break;
    case Kind::kStray:
      for (int i = 0; i < 4; ++i) out.push_back(make.stray());
      break;
    case Kind::kStorm:
      for (std::uint32_t i = 0; i < kManyStrays; ++i) out.push_back(make.stray());
      break;
    case Kind::kUnknownJoin: out.push_back(make.unknown_join()); break;
    case Kind::kOddSyn: out.push_back(make.odd_syn()); break;
    case Kind::kIcmpErrors:
      for (int i = 0; i < 8; ++i) out.push_back(make.icmp());
      break;
    case Kind::kCount: break;
  }
  return out;
}

}  // namespace braid::sim
