// PacketView: an IP packet as raw bytes that a middlebox may read and change.
//
// The simulator has its own, deliberately simple reading of headers and its own checksum, so a
// mistake in stack/wire is not judged by itself. IPv6 extension headers are not looked into: such a
// packet has no transport here.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"
#include "tests/support/sim/link_model.h"

namespace braid::sim {

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kFragmentHeader = 44;
inline constexpr std::uint8_t kIcmp6 = 58;

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kCwr = 0x80;

// The Internet checksum's running sum, not folded: add up, then fold.
std::uint64_t add_words(std::uint64_t sum, Bytes bytes);
std::uint16_t fold(std::uint64_t sum);

class PacketView {
 public:
  // Nothing when it is not a whole IP packet: version, lengths. The view points into `bytes`, and
  // is stale when they move.
  static std::optional<PacketView> of(MutableBytes bytes);
  static std::optional<PacketView> of(Packet& packet) { return of(MutableBytes(packet)); }

  bool is_v4() const { return v4_; }
  MutableBytes bytes() const { return bytes_; }
  std::uint8_t protocol() const { return protocol_; }
  // Not the whole of a datagram: no ports to be read unless it is the first piece.
  bool is_fragment() const { return fragment_; }
  std::uint32_t ip_header_length() const { return header_length_; }
  std::uint8_t* transport() const { return bytes_.data() + header_length_; }
  std::uint32_t transport_length() const {
    return static_cast<std::uint32_t>(bytes_.size()) - header_length_;
  }
  wire::IpAddress source() const;
  wire::IpAddress destination() const;
  // Of the same family as the packet. The IP and TCP/UDP checksums are changed by the difference,
  // as NATs do it: a damaged packet stays damaged.
  void set_source(const wire::IpAddress& address);
  void set_destination(const wire::IpAddress& address);
  std::uint8_t hop_limit() const { return v4_ ? bytes_[8] : bytes_[7]; }
  void decrement_hop_limit();

  // TCP with a whole header and not a fragment; the accessors below are for such packets.
  bool is_tcp() const { return tcp_header_length_ != 0; }
  bool has_ports() const;
  std::uint16_t source_port() const { return load_be16(transport()); }
  std::uint16_t destination_port() const { return load_be16(transport() + 2); }
  void set_source_port(std::uint16_t port) { set_port(0, port); }
  void set_destination_port(std::uint16_t port) { set_port(2, port); }
  std::uint32_t seq() const { return load_be32(transport() + 4); }
  std::uint32_t ack() const { return load_be32(transport() + 8); }
  std::uint8_t tcp_flags() const { return transport()[13]; }
  std::uint32_t tcp_header_length() const { return tcp_header_length_; }
  MutableBytes tcp_options() const;
  MutableBytes tcp_payload() const;
  bool tcp_checksum_ok() const;
  // TCP whose checksums are right: what a box may rewrite. One that made the checksum anew for a
  // damaged packet would wash the damage clean.
  bool is_intact_tcp() const;

  // The pseudo-header's sum for a transport length of `length` bytes.
  std::uint64_t pseudo_sum(std::uint32_t length) const;
  // After changes to the bytes: both length fields to the real length, checksums made anew. For
  // TCP, UDP, ICMP and ICMPv6 that are not fragments; other packets get their IP header put right
  // only.
  void finish();
  void finish_ip_header();

 private:
  explicit PacketView(MutableBytes bytes) : bytes_(bytes) {}
  void set_address(std::size_t at, const wire::IpAddress& address);
  void set_port(std::size_t at, std::uint16_t port);
  std::uint8_t* transport_checksum() const;
  void adjust_transport_checksum(std::uint64_t minus, std::uint64_t plus);

  MutableBytes bytes_;
  bool v4_ = false;
  bool fragment_ = false;
  bool first_piece_ = true;
  std::uint8_t protocol_ = 0;
  std::uint32_t header_length_ = 0;
  std::uint32_t tcp_header_length_ = 0;
};

// Calls `each(kind, bytes)` for every TCP option but NOP and end of list; `bytes` is the whole
// option.
template <typename F>
void for_each_option(const PacketView& view, F&& each) {
  const MutableBytes area = view.tcp_options();
  for (std::size_t at = 0; at < area.size() && area[at] != 0;) {
    if (area[at] == 1) {
      ++at;
      continue;
    }
    if (at + 1 >= area.size() || area[at + 1] < 2 || at + area[at + 1] > area.size()) return;
    const MutableBytes option = area.subspan(at, area[at + 1]);
    at += option.size();
    each(option[0], option);
  }
}

// The same packet with the TCP payload or options replaced, checksums right. `packet` must be TCP.
Packet with_tcp_payload(const Packet& packet, Bytes payload);
Packet with_tcp_options(const Packet& packet, Bytes options);

}  // namespace braid::sim
