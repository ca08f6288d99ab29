#include "tests/support/sim/offload.h"

#include <algorithm>
#include <optional>

#include "stack/base/ensure.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {
namespace {

Packet flat(const PacketOut& packet) {
  Packet out(packet.total_length());
  std::copy_n(packet.header.begin(), packet.header_length, out.begin());
  packet.payload.copy_to(MutableBytes(out).subspan(packet.header_length));
  return out;
}

// The IP header's length field, and for IPv4 the identification and checksum, for piece `index`.
void write_ip_lengths(Packet& piece, std::uint32_t transport_offset, std::uint16_t index) {
  std::uint8_t* ip = piece.data();
  if (ip[0] >> 4 != 4) {
    store_be16(ip + 4, static_cast<std::uint16_t>(piece.size() - 40));
    return;
  }
  store_be16(ip + 2, static_cast<std::uint16_t>(piece.size()));
  store_be16(ip + 4, static_cast<std::uint16_t>(load_be16(ip + 4) + index));
  store_be16(ip + 10, 0);
  store_be16(ip + 10,
             static_cast<std::uint16_t>(fold(add_words(0, Bytes(ip, transport_offset))) ^ 0xffffU));
}

// `whole_length`: the transport length the partial sum in the packet was made for.
void complete_checksum(Packet& piece, const PacketOut& from, std::uint32_t whole_length) {
  if (from.checksum_offset == 0) return;
  std::uint8_t* field = piece.data() + from.transport_offset + from.checksum_offset;
  const std::uint32_t length = static_cast<std::uint32_t>(piece.size()) - from.transport_offset;
  // The field holds the pseudo-header's sum, so it is summed up with the rest.
  std::uint64_t sum = add_words(0, Bytes(piece.data() + from.transport_offset, length));
  sum += (whole_length ^ 0xffffU) + length;
  const std::uint16_t checksum = fold(sum) ^ 0xffffU;
  store_be16(field, checksum == 0 ? 0xffff : checksum);  // zero would mean "none" to UDP
}

std::uint32_t tcp_payload_offset(const PacketOut& packet) {
  ENSURE(packet.header_length >= packet.transport_offset + 20U);
  const std::uint32_t length = (packet.header[packet.transport_offset + 12] >> 4) * 4U;
  return packet.transport_offset + length;
}

struct FlowPacket {
  PacketView view;
  Bytes payload;
};

// What may be joined at all.
std::optional<FlowPacket> joinable(Packet& packet) {
  auto view = PacketView::of(packet);
  if (!view || !view->is_tcp() || view->tcp_payload().empty()) return std::nullopt;
  if (view->is_v4() && view->ip_header_length() != 20) return std::nullopt;
  if ((view->tcp_flags() & ~(kFin | kPsh)) != kAck) return std::nullopt;
  if (view->is_v4() && fold(add_words(0, Bytes(packet).first(20))) != 0xffff) return std::nullopt;
  if (!view->tcp_checksum_ok()) return std::nullopt;
  return FlowPacket{*view, view->tcp_payload()};
}

bool same_headers(const FlowPacket& a, const FlowPacket& b) {
  const PacketView& x = a.view;
  const PacketView& y = b.view;
  if (x.is_v4() != y.is_v4() || x.source() != y.source() || x.destination() != y.destination()) {
    return false;
  }
  // Traffic class, hop limit and DF are part of a flow.
  const bool same_ip =
      x.is_v4() ? x.bytes()[1] == y.bytes()[1] && x.bytes()[8] == y.bytes()[8] &&
                      x.bytes()[6] == y.bytes()[6]
                : std::equal(x.bytes().begin(), x.bytes().begin() + 4, y.bytes().begin()) &&
                      x.bytes()[7] == y.bytes()[7];
  return same_ip && x.source_port() == y.source_port() &&
         x.destination_port() == y.destination_port() && x.ack() == y.ack() &&
         load_be16(x.transport() + 14) == load_be16(y.transport() + 14) &&
         std::equal(x.tcp_options().begin(), x.tcp_options().end(), y.tcp_options().begin(),
                    y.tcp_options().end());
}

// A run of packets being joined into its first.
class Joining {
 public:
  explicit Joining(Packet first) : packet_(std::move(first)) {
    if (const auto start = joinable(packet_)) {
      open_ = (start->view.tcp_flags() & (kFin | kPsh)) == 0;
      piece_ = static_cast<std::uint32_t>(start->payload.size());
      next_seq_ = start->view.seq() + piece_;
    }
  }

  // True when `next` became part of the run.
  bool take(Packet& next) {
    if (!open_) return false;
    const auto mine = headers();
    const auto more = joinable(next);
    if (!more || !same_headers(mine, *more) || more->view.seq() != next_seq_) return false;
    if (more->payload.size() > piece_ || packet_.size() + more->payload.size() > 65535)
      return false;
    const std::uint8_t last_flags = more->view.tcp_flags() & (kFin | kPsh);
    if (more->payload.size() < piece_ || last_flags != 0) open_ = false;
    next_seq_ += static_cast<std::uint32_t>(more->payload.size());
    mine.view.transport()[13] |= last_flags;
    packet_.insert(packet_.end(), more->payload.begin(), more->payload.end());
    ++pieces_;
    return true;
  }

  Received finish() {
    if (pieces_ == 1) return {std::move(packet_), 0, ChecksumState::kUnverified};
    if (packet_[0] >> 4 == 4)
      store_be16(&packet_[2], static_cast<std::uint16_t>(packet_.size()));
    else
      store_be16(&packet_[4], static_cast<std::uint16_t>(packet_.size() - 40));
    auto view = PacketView::of(packet_);
    ENSURE(view.has_value());
    view->finish_ip_header();
    store_be16(view->transport() + 16, fold(view->pseudo_sum(view->transport_length())));
    return {std::move(packet_), static_cast<std::uint16_t>(piece_), ChecksumState::kPartial};
  }

 private:
  // The first packet's headers, whose length fields are of the first piece until finish().
  FlowPacket headers() {
    const bool v4 = packet_[0] >> 4 == 4;
    const std::size_t length = v4 ? load_be16(&packet_[2]) : load_be16(&packet_[4]) + 40U;
    auto view = PacketView::of(MutableBytes(packet_).first(length));
    ENSURE(view.has_value());
    return {*view, view->tcp_payload()};
  }

  Packet packet_;
  std::uint32_t piece_ = 0;
  std::uint32_t next_seq_ = 0;
  int pieces_ = 1;
  bool open_ = false;
};

}  // namespace

std::vector<Packet> segment(const PacketOut& packet) {
  std::vector<Packet> pieces;
  const Packet whole = flat(packet);
  const std::uint32_t whole_length =
      static_cast<std::uint32_t>(whole.size()) - packet.transport_offset;
  const std::uint32_t start = packet.gso_size == 0 ? 0 : tcp_payload_offset(packet);
  if (packet.gso_size == 0 || whole.size() - start <= packet.gso_size) {
    pieces.push_back(whole);
    complete_checksum(pieces.back(), packet, whole_length);
    return pieces;
  }
  std::uint16_t index = 0;
  for (std::size_t at = start; at < whole.size(); at += packet.gso_size, ++index) {
    const std::size_t end = std::min<std::size_t>(at + packet.gso_size, whole.size());
    Packet piece(whole.begin(), whole.begin() + start);
    piece.insert(piece.end(), whole.begin() + static_cast<std::ptrdiff_t>(at),
                 whole.begin() + static_cast<std::ptrdiff_t>(end));
    write_ip_lengths(piece, packet.transport_offset, index);
    std::uint8_t* tcp = piece.data() + packet.transport_offset;
    store_be32(tcp + 4, load_be32(tcp + 4) + static_cast<std::uint32_t>(at - start));
    if (end != whole.size()) tcp[13] &= static_cast<std::uint8_t>(~(kFin | kPsh));
    if (index != 0) tcp[13] &= static_cast<std::uint8_t>(~kCwr);
    complete_checksum(piece, packet, whole_length);
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

std::vector<Received> coalesce(std::vector<Packet> packets) {
  std::vector<Received> out;
  std::optional<Joining> run;
  for (Packet& packet : packets) {
    if (run && run->take(packet)) continue;
    if (run) out.push_back(run->finish());
    run.emplace(std::move(packet));
  }
  if (run) out.push_back(run->finish());
  return out;
}

}  // namespace braid::sim
