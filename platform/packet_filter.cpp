#include "platform/packet_filter.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <array>
#include <optional>

#include "stack/base/bytes.h"

namespace braid::platform {

namespace {

constexpr std::uint32_t kWholePacket = 0xffffffff;

// A tiny assembler: jumps name labels, which are placed later. Classic BPF jumps forward only.
class Assembler {
 public:
  enum Label { kAccept, kDrop, kIpv4, kIpv6, kIcmp6, kTcp4, kTcp6, kPorts4, kPorts6, kLabels };
  static constexpr int kNext = -1;  // fall through

  void load(std::uint16_t size, std::uint32_t offset) { emit(BPF_LD | BPF_ABS | size, offset); }
  void load_ancillary(std::uint32_t what) {
    load(BPF_W, static_cast<std::uint32_t>(SKF_AD_OFF) + what);
  }
  void emit(int code, std::uint32_t k) {
    program_.push_back({static_cast<std::uint16_t>(code), 0, 0, k});
  }
  void jump(std::uint16_t op, std::uint32_t k, int if_true, int if_false) {
    jumps_.push_back({program_.size(), if_true, if_false});
    emit(BPF_JMP | BPF_K | op, k);
  }
  // Goes on when the accumulator is k, else leaves out the next `count` instructions.
  void require_or_skip(std::uint32_t k, std::size_t count) {
    program_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, static_cast<std::uint8_t>(count), k});
  }
  void place(Label label) { places_[label] = program_.size(); }

  std::vector<sock_filter> finish() {
    for (const Jump& jump : jumps_) {
      program_[jump.at].jt = distance(jump.at, jump.if_true);
      program_[jump.at].jf = distance(jump.at, jump.if_false);
    }
    return std::move(program_);
  }

 private:
  struct Jump {
    std::size_t at;
    int if_true;
    int if_false;
  };

  std::uint8_t distance(std::size_t from, int label) const {
    if (label == kNext) return 0;
    const auto& place = places_[static_cast<std::size_t>(label)];
    ENSURE(place && *place > from && *place - from - 1 <= 0xff);
    return static_cast<std::uint8_t>(*place - from - 1);
  }

  std::vector<sock_filter> program_;
  std::vector<Jump> jumps_;
  std::array<std::optional<std::size_t>, kLabels> places_{};
};

using A = Assembler;

void emit_link(Assembler& out, LinkKind kind) {
  // skb->pkt_type 0 is PACKET_HOST: to our own MAC, neither broadcast nor somebody else's.
  out.load_ancillary(SKF_AD_PKTTYPE);
  out.jump(BPF_JEQ, 0, A::kNext, A::kDrop);
  out.load_ancillary(SKF_AD_VLAN_TAG_PRESENT);
  out.jump(BPF_JEQ, 0, A::kNext, A::kDrop);
  if (kind == LinkKind::kEthernet) {
    out.load(BPF_H, 12);
    out.jump(BPF_JEQ, ETH_P_IP, A::kIpv4, A::kNext);
    out.jump(BPF_JEQ, ETH_P_IPV6, A::kIpv6, A::kDrop);
  } else {
    out.load(BPF_B, 0);
    out.emit(BPF_ALU | BPF_AND | BPF_K, 0xf0);
    out.jump(BPF_JEQ, 0x40, A::kIpv4, A::kNext);
    out.jump(BPF_JEQ, 0x60, A::kIpv6, A::kDrop);
  }
}

// Goes on to `found` when the source is one of the peers of this family, which lies at `source`.
void emit_peers(Assembler& out, const PacketFilter& filter, bool v4, std::uint32_t source,
                A::Label found) {
  if (filter.peers.empty() || filter.peers.size() > PacketFilter::kMaxPeers) return;
  for (const IpAddress& peer : filter.peers) {
    if (peer.is_v4() != v4) continue;
    const std::uint8_t* address = peer.bytes().data();
    const std::uint32_t words = v4 ? 1 : 4;
    for (std::uint32_t word = 0; word + 1 < words; ++word) {
      out.load(BPF_W, source + 4 * word);
      out.require_or_skip(load_be32(address + 4 * word), 2 * (words - 1 - word));
    }
    out.load(BPF_W, source + 4 * (words - 1));
    out.jump(BPF_JEQ, load_be32(address + 4 * (words - 1)), found, A::kNext);
  }
  out.emit(BPF_RET | BPF_K, 0);
}

void emit_ports(Assembler& out, PortRange ports) {
  out.jump(BPF_JGE, ports.first, A::kNext, A::kDrop);
  out.jump(BPF_JGT, ports.last, A::kDrop, A::kAccept);
}

void emit_ipv4(Assembler& out, const PacketFilter& filter) {
  const std::uint32_t ip = link_header_length(filter.link);
  constexpr std::uint32_t kMoreFragmentsOrOffset = 0x3fff;
  out.place(A::kIpv4);
  out.load(BPF_B, ip + 9);
  out.jump(BPF_JEQ, IPPROTO_TCP, A::kTcp4, A::kNext);
  out.jump(BPF_JEQ, IPPROTO_ICMP, A::kNext, A::kDrop);
  out.load(BPF_H, ip + 6);
  out.jump(BPF_JSET, kMoreFragmentsOrOffset, A::kAccept, A::kNext);
  out.emit(BPF_LDX | BPF_B | BPF_MSH, ip);
  out.emit(BPF_LD | BPF_B | BPF_IND, ip);
  out.jump(BPF_JEQ, 3, A::kAccept, A::kNext);   // destination unreachable
  out.jump(BPF_JEQ, 11, A::kAccept, A::kNext);  // time exceeded
  out.jump(BPF_JEQ, 12, A::kAccept, A::kDrop);  // parameter problem
  out.place(A::kTcp4);
  emit_peers(out, filter, true, ip + 12, A::kPorts4);
  out.place(A::kPorts4);
  out.load(BPF_H, ip + 6);
  out.jump(BPF_JSET, kMoreFragmentsOrOffset, A::kAccept, A::kNext);
  out.emit(BPF_LDX | BPF_B | BPF_MSH, ip);
  out.emit(BPF_LD | BPF_H | BPF_IND, ip + 2);
  emit_ports(out, filter.local_ports);
}

void emit_ipv6(Assembler& out, const PacketFilter& filter) {
  const std::uint32_t ip = link_header_length(filter.link);
  const std::uint32_t next = ip + 40;
  out.place(A::kIpv6);
  out.load(BPF_B, ip + 6);
  out.jump(BPF_JEQ, IPPROTO_TCP, A::kTcp6, A::kNext);
  out.jump(BPF_JEQ, IPPROTO_ICMPV6, A::kIcmp6, A::kNext);
  out.jump(BPF_JEQ, IPPROTO_FRAGMENT, A::kNext, A::kDrop);
  out.load(BPF_B, next);
  out.jump(BPF_JEQ, IPPROTO_ICMPV6, A::kAccept, A::kNext);
  out.jump(BPF_JEQ, IPPROTO_TCP, A::kTcp6, A::kDrop);
  out.place(A::kIcmp6);
  out.load(BPF_B, next);
  out.jump(BPF_JGE, 1, A::kNext, A::kDrop);    // unreachable, too big, time exceeded,
  out.jump(BPF_JGT, 4, A::kDrop, A::kAccept);  // parameter problem
  out.place(A::kTcp6);
  emit_peers(out, filter, false, ip + 8, A::kPorts6);
  out.place(A::kPorts6);
  out.load(BPF_B, ip + 6);
  out.jump(BPF_JEQ, IPPROTO_FRAGMENT, A::kAccept, A::kNext);
  out.load(BPF_H, next + 2);
  emit_ports(out, filter.local_ports);
}

}  // namespace

std::vector<sock_filter> compile(const PacketFilter& filter) {
  Assembler out;
  emit_link(out, filter.link);
  emit_ipv4(out, filter);
  emit_ipv6(out, filter);
  out.place(A::kAccept);
  out.emit(BPF_RET | BPF_K, kWholePacket);
  out.place(A::kDrop);
  out.emit(BPF_RET | BPF_K, 0);
  return out.finish();
}

}  // namespace braid::platform
