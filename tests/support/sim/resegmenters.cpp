#include "tests/support/sim/resegmenters.h"

#include <algorithm>
#include <vector>

#include "tests/support/sim/icmp.h"

namespace braid::sim {
namespace {

// Segments that carry data and nothing that ties them to their place.
bool is_plain_data(const PacketView& view) {
  return view.is_intact_tcp() && !view.tcp_payload().empty() &&
         (view.tcp_flags() & ~(kPsh | kFin)) == kAck;
}

std::vector<Packet> fragments_v4(const Packet& packet, std::uint32_t header, std::uint32_t mtu,
                                 std::uint16_t identification) {
  const std::uint32_t step = (mtu - header) / 8 * 8;
  std::vector<Packet> out;
  for (std::size_t at = header; at < packet.size(); at += step) {
    const std::size_t end = std::min<std::size_t>(at + step, packet.size());
    Packet piece(packet.begin(), packet.begin() + header);
    piece.insert(piece.end(), packet.begin() + static_cast<std::ptrdiff_t>(at),
                 packet.begin() + static_cast<std::ptrdiff_t>(end));
    const std::size_t more = end == packet.size() ? 0 : 0x2000;
    store_be16(&piece[2], static_cast<std::uint16_t>(piece.size()));
    store_be16(&piece[4], identification);
    store_be16(&piece[6], static_cast<std::uint16_t>(more | (at - header) / 8));
    PacketView::of(piece)->finish_ip_header();
    out.push_back(std::move(piece));
  }
  return out;
}

std::vector<Packet> fragments_v6(const Packet& packet, std::uint32_t mtu,
                                 std::uint32_t identification) {
  const std::uint32_t step = (mtu - 48) / 8 * 8;
  std::vector<Packet> out;
  for (std::size_t at = 40; at < packet.size(); at += step) {
    const std::size_t end = std::min<std::size_t>(at + step, packet.size());
    Packet piece(packet.begin(), packet.begin() + 40);
    piece.resize(48);
    piece[40] = packet[6];
    piece[6] = kFragmentHeader;
    const std::size_t more = end == packet.size() ? 0 : 1;
    store_be16(&piece[42], static_cast<std::uint16_t>((at - 40) | more));
    store_be32(&piece[44], identification);
    piece.insert(piece.end(), packet.begin() + static_cast<std::ptrdiff_t>(at),
                 packet.begin() + static_cast<std::ptrdiff_t>(end));
    store_be16(&piece[4], static_cast<std::uint16_t>(piece.size() - 40));
    out.push_back(std::move(piece));
  }
  return out;
}

}  // namespace

void Splitter::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  const auto view = PacketView::of(packet);
  if (!view || !is_plain_data(*view) || view->tcp_payload().size() <= most_) {
    out.emit(toward, std::move(packet));
    return;
  }
  const Bytes payload = view->tcp_payload();
  for (std::size_t at = 0; at < payload.size(); at += most_) {
    const std::size_t length = std::min<std::size_t>(most_, payload.size() - at);
    Packet piece = with_tcp_payload(packet, payload.subspan(at, length));
    if (at != 0 && keep_ == KeepOptions::kFirst) piece = with_tcp_options(piece, {});
    auto part = PacketView::of(piece);
    store_be32(part->transport() + 4, view->seq() + static_cast<std::uint32_t>(at));
    if (at + length != payload.size()) {
      part->transport()[13] &= static_cast<std::uint8_t>(~(kFin | kPsh));
    }
    part->finish();
    out.emit(toward, std::move(piece));
  }
}

void Coalescer::pass(Packet packet, Toward toward, Instant now, Output& out) {
  std::optional<Held>& waiting = held(toward);
  if (waiting && join(waiting->packet, packet)) return;
  if (waiting) {
    out.emit(toward, std::move(waiting->packet));
    waiting.reset();
  }
  const auto view = PacketView::of(packet);
  if (view && is_plain_data(*view) && packet.size() < most_ && (view->tcp_flags() & kFin) == 0) {
    waiting = Held{std::move(packet), now + patience_};
  } else {
    out.emit(toward, std::move(packet));
  }
}

bool Coalescer::join(Packet& first, Packet& second) const {
  const auto a = PacketView::of(first);
  const auto b = PacketView::of(second);
  if (!b || !is_plain_data(*b) || (a->tcp_flags() & kFin) != 0) return false;
  if (a->source() != b->source() || a->destination() != b->destination() ||
      a->source_port() != b->source_port() || a->destination_port() != b->destination_port()) {
    return false;
  }
  const MutableBytes head = a->tcp_payload();
  if (b->seq() != a->seq() + static_cast<std::uint32_t>(head.size())) return false;
  std::vector<std::uint8_t> payload(head.begin(), head.end());
  payload.insert(payload.end(), b->tcp_payload().begin(), b->tcp_payload().end());
  // The later segment knows the later acknowledgement and window.
  Packet joined = with_tcp_payload(second, payload);
  if (keep_ == KeepOptions::kFirst) joined = with_tcp_options(joined, a->tcp_options());
  if (joined.size() > most_) return false;
  auto view = PacketView::of(joined);
  store_be32(view->transport() + 4, a->seq());
  view->finish();
  first = std::move(joined);
  return true;
}

Instant Coalescer::next_deadline() {
  Instant deadline = kNever;
  for (const auto& waiting : held_) {
    if (waiting) deadline = std::min(deadline, waiting->until);
  }
  return deadline;
}

void Coalescer::flush(Instant now, Output& out) {
  for (const Toward toward : {Toward::kA, Toward::kB}) {
    std::optional<Held>& waiting = held(toward);
    if (!waiting || waiting->until > now) continue;
    Packet packet = std::move(waiting->packet);
    waiting.reset();
    out.emit(toward, std::move(packet));
  }
}

std::vector<Packet> fragments(Packet packet, std::uint32_t mtu, std::uint32_t identification) {
  const auto view = PacketView::of(packet);
  if (!view || packet.size() <= mtu || view->is_fragment()) {
    std::vector<Packet> whole;
    whole.push_back(std::move(packet));
    return whole;
  }
  if (!view->is_v4()) return fragments_v6(packet, mtu, identification);
  return fragments_v4(packet, view->ip_header_length(), mtu,
                      static_cast<std::uint16_t>(identification));
}

void Fragmenter::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  std::vector<Packet> pieces = fragments(std::move(packet), mtu_, next_identification_++);
  if (order_ == Order::kBackward) std::reverse(pieces.begin(), pieces.end());
  for (Packet& piece : pieces) out.emit(toward, std::move(piece));
}

void NarrowHop::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  if (packet.size() <= mtu_) {
    out.emit(toward, std::move(packet));
    return;
  }
  const auto view = PacketView::of(packet);
  if (!view) return;
  const auto& reporter = view->is_v4() ? v4_ : v6_;
  if (!reporter) return;
  if (auto answer = icmp_error(packet, IcmpAbout::kTooBig, *reporter, mtu_)) {
    out.emit(opposite(toward), std::move(*answer));
  }
}

}  // namespace braid::sim
