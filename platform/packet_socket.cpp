#include "platform/packet_socket.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "platform/clock.h"
#include "platform/scatter.h"
#include "platform/vnet_header.h"

namespace braid::platform {

namespace {

// A burst of super-packets while the process is not scheduled; and, on the way out, what the device
// may have queued before it says it is full.
constexpr int kReceiveBuffer = 32 << 20;
constexpr int kSendBuffer = 4 << 20;

std::error_code set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) < 0 ? last_error()
                                                                   : std::error_code();
}

void set_buffer(int fd, int forced_option, int option, int size) {
  // Without CAP_NET_ADMIN net.core.[rw]mem_max is the limit; smaller buffers still work.
  if (set_option(fd, SOL_SOCKET, forced_option, size)) set_option(fd, SOL_SOCKET, option, size);
}

bool is_v4(const PacketOut& packet) { return packet.header[0] >> 4 == 4; }

IpAddress destination_of(const PacketOut& packet) {
  const Bytes header(packet.header);
  return IpAddress::from_bytes(is_v4(packet) ? header.subspan(16, 4) : header.subspan(24, 16));
}

}  // namespace

Result<std::unique_ptr<PacketSocket>> PacketSocket::open(const Link& link,
                                                         const PacketFilter& filter,
                                                         NextHops& next_hops) {
  if (!link.known_kind) return system_error(EAFNOSUPPORT);
  // Protocol 0: nothing arrives before the filter is in place and bind() names a protocol.
  UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return last_error();
  std::unique_ptr<PacketSocket> door(new PacketSocket(std::move(fd), link, next_hops));
  const int socket = door->fd();
  if (auto error = set_option(socket, SOL_PACKET, PACKET_VNET_HDR, 1)) return error;
  if (auto error = set_option(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)) return error;
  set_buffer(socket, SO_RCVBUFFORCE, SO_RCVBUF, kReceiveBuffer);
  set_buffer(socket, SO_SNDBUFFORCE, SO_SNDBUF, kSendBuffer);
  if (auto error = door->set_filter(filter)) return error;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(link.index);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return last_error();
  }
  next_hops.on_settled([raw = door.get()] { raw->send_held(); });
  return door;
}

PacketSocket::~PacketSocket() { next_hops_.on_settled(nullptr); }

std::error_code PacketSocket::set_filter(const PacketFilter& filter) {
  PacketFilter mine = filter;
  mine.link = link_.kind;
  std::vector<sock_filter> program = compile(mine);
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  return ::setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) < 0
             ? last_error()
             : std::error_code();
}

std::uint64_t PacketSocket::take_kernel_drops() {
  tpacket_stats statistics{};
  socklen_t length = sizeof statistics;
  if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length) < 0) return 0;
  return statistics.tp_drops;
}

std::optional<PacketIn> PacketSocket::read() {
  const std::size_t before = sizeof(VnetHeader) + link_header_length(link_.kind);
  for (;;) {
    // MSG_TRUNC: the true length of a frame that does not fit.
    const ssize_t n = ::recv(fd(), buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EINVAL) {  // a kind of super-packet the vnet header has no word for
        ++counters_.malformed;
        continue;
      }
      return std::nullopt;  // EAGAIN, or ENETDOWN once when the interface goes down
    }
    const auto length = static_cast<std::size_t>(n);
    if (length <= before || length - before > kMaxPacket) {
      ++counters_.malformed;
      continue;
    }
    VnetHeader vnet;
    std::memcpy(&vnet, buffer_.data(), sizeof vnet);
    return received(packet_from(vnet, Bytes(buffer_).subspan(before, length - before)));
  }
}

Door::Sent PacketSocket::hold(const PacketOut& packet) {
  if (held_.size() >= kMostHeld) return outcome(ENOBUFS, packet.total_length());
  Held& held = held_.emplace_back(Held{packet, packet.payload.to_vector()});
  held.packet.payload = Slices();
  return Sent::kYes;
}

// Their link address is known, or known not to be: send() now lets them go or counts them lost.
void PacketSocket::send_held() {
  const std::vector<Held> held = std::exchange(held_, {});
  for (const Held& one : held) {
    PacketOut packet = one.packet;
    packet.payload = Slices(Bytes(one.payload));
    // A full device loses them: they have been counted as sent already.
    static_cast<void>(send(packet));
  }
}

Door::Sent PacketSocket::send(const PacketOut& packet) {
  if (link_.kind == LinkKind::kRawIp) return transmit(packet, {});
  const auto answer = next_hops_.lookup(destination_of(packet), clock_now());
  switch (answer.state) {
    case NextHops::Answer::State::kPending: return hold(packet);
    case NextHops::Answer::State::kUnreachable: return outcome(EHOSTUNREACH, packet.total_length());
    case NextHops::Answer::State::kReady: break;
  }
  std::array<std::uint8_t, link_header_length(LinkKind::kEthernet)> header{};
  std::copy(answer.mac.begin(), answer.mac.end(), header.begin());
  std::copy(link_.mac.begin(), link_.mac.end(), header.begin() + 6);
  store_be16(header.data() + 12, is_v4(packet) ? ETH_P_IP : ETH_P_IPV6);
  return transmit(packet, header);
}

Door::Sent PacketSocket::transmit(const PacketOut& packet, Bytes link_header) {
  const VnetHeader vnet = vnet_header_for(packet, static_cast<std::uint16_t>(link_header.size()));
  Scatter parts(vnet, link_header, packet);
  // Raw-IP devices have no header the kernel could read the protocol from: it is said here.
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(is_v4(packet) ? ETH_P_IP : ETH_P_IPV6);
  to.sll_ifindex = static_cast<int>(link_.index);
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.count();
  ssize_t n = 0;
  do {
    n = ::sendmsg(fd(), &message, 0);
  } while (n < 0 && errno == EINTR);
  return outcome(n < 0 ? errno : 0, packet.total_length());
}

std::uint32_t PacketSocket::max_super_packet() const {
  // The device's limit counts the link header, and is itself already too much.
  const std::uint32_t overhead = link_header_length(link_.kind) + 1U;
  return std::min(kMaxPacket, link_.gso_max_size - overhead);
}

}  // namespace braid::platform
