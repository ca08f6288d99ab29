#include "tests/support/sim/packet_view.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::sim {

std::uint64_t add_words(std::uint64_t sum, Bytes bytes) {
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) sum += load_be32(bytes.data() + i);
  if (i + 2 <= bytes.size()) {
    sum += load_be16(bytes.data() + i);
    i += 2;
  }
  if (i < bytes.size()) sum += static_cast<std::uint64_t>(bytes[i]) << 8;
  return sum;
}

std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::optional<PacketView> PacketView::of(MutableBytes bytes) {
  PacketView view(bytes);
  if (bytes.size() < 20) return std::nullopt;
  if (bytes[0] >> 4 == 4) {
    view.v4_ = true;
    view.header_length_ = (bytes[0] & 0x0fU) * 4U;
    if (view.header_length_ < 20 || view.header_length_ > bytes.size()) return std::nullopt;
    if (load_be16(&bytes[2]) != bytes.size()) return std::nullopt;
    view.protocol_ = bytes[9];
    view.fragment_ = (load_be16(&bytes[6]) & 0x3fffU) != 0;
    view.first_piece_ = (load_be16(&bytes[6]) & 0x1fffU) == 0;
  } else if (bytes[0] >> 4 == 6) {
    if (bytes.size() < 40 || load_be16(&bytes[4]) + 40U != bytes.size()) return std::nullopt;
    view.header_length_ = 40;
    view.protocol_ = bytes[6];
    view.fragment_ = view.protocol_ == kFragmentHeader;
  } else {
    return std::nullopt;
  }
  if (view.protocol_ == kTcp && !view.fragment_ && view.transport_length() >= 20) {
    const std::uint32_t length = (view.transport()[12] >> 4) * 4U;
    if (length >= 20 && length <= view.transport_length()) view.tcp_header_length_ = length;
  }
  return view;
}

wire::IpAddress PacketView::source() const {
  return wire::IpAddress::from_bytes(v4_ ? bytes_.subspan(12, 4) : bytes_.subspan(8, 16));
}

wire::IpAddress PacketView::destination() const {
  return wire::IpAddress::from_bytes(v4_ ? bytes_.subspan(16, 4) : bytes_.subspan(24, 16));
}

void PacketView::set_source(const wire::IpAddress& address) { set_address(v4_ ? 12 : 8, address); }

void PacketView::set_destination(const wire::IpAddress& address) {
  set_address(v4_ ? 16 : 24, address);
}

void PacketView::set_address(std::size_t at, const wire::IpAddress& address) {
  ENSURE(address.is_v4() == v4_);
  const MutableBytes field = bytes_.subspan(at, address.bytes().size());
  const std::uint64_t before = add_words(0, field);
  const std::uint64_t after = add_words(0, address.bytes());
  std::copy(address.bytes().begin(), address.bytes().end(), field.begin());
  if (v4_) {
    // RFC 1624: ~(~HC + ~m + m')
    const std::uint64_t sum = (load_be16(&bytes_[10]) ^ 0xffffU) + (fold(before) ^ 0xffffU) + after;
    store_be16(&bytes_[10], static_cast<std::uint16_t>(fold(sum) ^ 0xffffU));
  }
  if (protocol_ == kTcp || protocol_ == kUdp) adjust_transport_checksum(before, after);
}

void PacketView::decrement_hop_limit() {
  if (!v4_) {
    --bytes_[7];
    return;
  }
  const std::uint16_t before = load_be16(&bytes_[8]);
  --bytes_[8];
  const std::uint64_t sum =
      (load_be16(&bytes_[10]) ^ 0xffffU) + (before ^ 0xffffU) + load_be16(&bytes_[8]);
  store_be16(&bytes_[10], static_cast<std::uint16_t>(fold(sum) ^ 0xffffU));
}

bool PacketView::has_ports() const {
  return (protocol_ == kTcp || protocol_ == kUdp) && first_piece_ && transport_length() >= 8;
}

void PacketView::set_port(std::size_t at, std::uint16_t port) {
  const std::uint16_t before = load_be16(transport() + at);
  store_be16(transport() + at, port);
  adjust_transport_checksum(before, port);
}

std::uint8_t* PacketView::transport_checksum() const {
  const std::uint32_t at = protocol_ == kTcp ? 16 : protocol_ == kUdp ? 6 : 2;
  if (!first_piece_ || transport_length() < at + 2) return nullptr;
  return transport() + at;
}

void PacketView::adjust_transport_checksum(std::uint64_t minus, std::uint64_t plus) {
  std::uint8_t* field = transport_checksum();
  if (field == nullptr) return;
  if (protocol_ == kUdp && load_be16(field) == 0) return;  // the sender gave none
  const std::uint64_t sum = (load_be16(field) ^ 0xffffU) + (fold(minus) ^ 0xffffU) + plus;
  store_be16(field, static_cast<std::uint16_t>(fold(sum) ^ 0xffffU));
}

MutableBytes PacketView::tcp_options() const {
  return {transport() + 20, static_cast<std::size_t>(tcp_header_length_ - 20)};
}

MutableBytes PacketView::tcp_payload() const {
  return {transport() + tcp_header_length_,
          static_cast<std::size_t>(transport_length() - tcp_header_length_)};
}

bool PacketView::tcp_checksum_ok() const {
  const Bytes tcp(transport(), transport_length());
  return fold(add_words(pseudo_sum(transport_length()), tcp)) == 0xffff;
}

bool PacketView::is_intact_tcp() const {
  if (!is_tcp() || !tcp_checksum_ok()) return false;
  return !v4_ || fold(add_words(0, Bytes(bytes_).first(header_length_))) == 0xffff;
}

std::uint64_t PacketView::pseudo_sum(std::uint32_t length) const {
  const Bytes addresses = v4_ ? Bytes(bytes_).subspan(12, 8) : Bytes(bytes_).subspan(8, 32);
  return add_words(0, addresses) + protocol_ + length;
}

void PacketView::finish_ip_header() {
  if (v4_) {
    store_be16(&bytes_[2], static_cast<std::uint16_t>(bytes_.size()));
    store_be16(&bytes_[10], 0);
    const std::uint16_t sum = fold(add_words(0, Bytes(bytes_).first(header_length_)));
    store_be16(&bytes_[10], static_cast<std::uint16_t>(sum ^ 0xffffU));
  } else {
    store_be16(&bytes_[4], static_cast<std::uint16_t>(bytes_.size() - 40));
  }
}

void PacketView::finish() {
  finish_ip_header();
  const bool known = protocol_ == kTcp || protocol_ == kUdp || protocol_ == (v4_ ? kIcmp : kIcmp6);
  std::uint8_t* field = known && !fragment_ ? transport_checksum() : nullptr;
  if (field == nullptr) return;
  store_be16(field, 0);
  const std::uint64_t pseudo = protocol_ == kIcmp ? 0 : pseudo_sum(transport_length());
  std::uint16_t sum = fold(add_words(pseudo, Bytes(transport(), transport_length())));
  sum ^= 0xffffU;
  if (sum == 0 && protocol_ == kUdp) sum = 0xffff;
  store_be16(field, sum);
}

namespace {

Packet rebuilt(const Packet& packet, Bytes options, Bytes payload, std::uint32_t ip_header) {
  ENSURE(options.size() % 4 == 0 && options.size() <= 40);
  Packet out(packet.begin(), packet.begin() + ip_header + 20);
  out.insert(out.end(), options.begin(), options.end());
  out.insert(out.end(), payload.begin(), payload.end());
  std::uint8_t& offset = out[ip_header + 12];
  offset = static_cast<std::uint8_t>((5 + options.size() / 4) << 4 | (offset & 0x0fU));
  // Lengths first: a view is of whole packets only.
  const bool v4 = out[0] >> 4 == 4;
  if (v4)
    store_be16(&out[2], static_cast<std::uint16_t>(out.size()));
  else
    store_be16(&out[4], static_cast<std::uint16_t>(out.size() - 40));
  auto view = PacketView::of(out);
  ENSURE(view.has_value());
  view->finish();
  return out;
}

}  // namespace

Packet with_tcp_payload(const Packet& packet, Bytes payload) {
  Packet copy = packet;
  const auto view = PacketView::of(copy);
  ENSURE(view && view->is_tcp());
  return rebuilt(packet, view->tcp_options(), payload, view->ip_header_length());
}

Packet with_tcp_options(const Packet& packet, Bytes options) {
  Packet copy = packet;
  const auto view = PacketView::of(copy);
  ENSURE(view && view->is_tcp());
  return rebuilt(packet, options, view->tcp_payload(), view->ip_header_length());
}

}  // namespace braid::sim
