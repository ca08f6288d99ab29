#include "tools/linkemu/frame_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace braid::linkemu {
namespace {

constexpr std::uint32_t kSlots = 2048;
constexpr std::uint32_t kSlotOverhead = 128;  // tpacket2_hdr, sockaddr_ll and their alignment
constexpr std::size_t kBatch = 64;
// A clock that was stepped must not turn into a wild arrival time.
constexpr Duration kOldest = 1s;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void check(int result, const std::string& what) {
  if (result < 0) fail(what);
}

template <typename T>
void set_option(int fd, int name, const T& value, const std::string& what) {
  check(setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)), what);
}

Duration read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

ifreq request_for(const std::string& interface) {
  ifreq request{};
  std::copy_n(interface.begin(), std::min<std::size_t>(interface.size(), IFNAMSIZ - 1),
              request.ifr_name);
  return request;
}

}  // namespace

Instant clock_now() { return Instant(read_clock(CLOCK_MONOTONIC)); }

FrameSocket::FrameSocket(const std::string& interface) : interface_(interface) {
  // Protocol 0 keeps frames out until the ring is there.
  fd_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  check(fd_, "packet socket");
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) fail("no interface " + interface);
  ifreq request = request_for(interface);
  check(ioctl(fd_, SIOCGIFMTU, &request), "MTU of " + interface);
  map_ring(static_cast<std::uint32_t>(request.ifr_mtu));
  set_option(fd_, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
  set_option(fd_, PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  check(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        "binding to " + interface);
  // Promiscuous: the frames are for the hosts at the ends, not for us.
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(index);
  membership.mr_type = PACKET_MR_PROMISC;
  set_option(fd_, PACKET_ADD_MEMBERSHIP, membership, "promiscuous " + interface);
}

FrameSocket::~FrameSocket() {
  if (ring_ != nullptr) munmap(ring_, ring_bytes_);
  if (fd_ >= 0) close(fd_);
}

void FrameSocket::map_ring(std::uint32_t mtu) {
  slot_size_ = std::bit_ceil(mtu + ETH_HLEN + kSlotOverhead);
  const int version = TPACKET_V2;
  set_option(fd_, PACKET_VERSION, version, "TPACKET_V2");
  tpacket_req ring{};
  ring.tp_frame_size = slot_size_;
  ring.tp_block_size = std::max<std::uint32_t>(slot_size_, 1U << 16);
  ring.tp_frame_nr = kSlots;
  ring.tp_block_nr = static_cast<unsigned>(std::uint64_t{kSlots} * slot_size_ / ring.tp_block_size);
  set_option(fd_, PACKET_RX_RING, ring, "receive ring of " + interface_);
  ring_bytes_ = std::size_t{ring.tp_block_size} * ring.tp_block_nr;
  void* memory = mmap(nullptr, ring_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (memory == MAP_FAILED) fail("mapping the ring of " + interface_);
  ring_ = static_cast<std::uint8_t*>(memory);
}

void FrameSocket::drain(const std::function<void(Bytes, Instant)>& take) {
  const Instant now = clock_now();
  const Duration to_monotonic = now.time_since_epoch() - read_clock(CLOCK_REALTIME);
  for (std::uint32_t count = 0; count < kSlots; ++count) {
    auto* header = reinterpret_cast<tpacket2_hdr*>(slot(next_slot_));
    std::atomic_ref<std::uint32_t> status(header->tp_status);
    const std::uint32_t flags = status.load(std::memory_order_acquire);
    if ((flags & TP_STATUS_USER) == 0) return;
    if (header->tp_snaplen < header->tp_len || (flags & TP_STATUS_CSUMNOTREADY) != 0) {
      ++unusable_;
    } else {
      Instant arrival(std::chrono::seconds(header->tp_sec) +
                      std::chrono::nanoseconds(header->tp_nsec) + to_monotonic);
      if (arrival > now || arrival < now - kOldest) arrival = now;
      take(Bytes(slot(next_slot_) + header->tp_mac, header->tp_snaplen), arrival);
    }
    status.store(TP_STATUS_KERNEL, std::memory_order_release);
    next_slot_ = (next_slot_ + 1) % kSlots;
  }
}

void FrameSocket::add(sim::Packet frame) {
  batch_.push_back(std::move(frame));
  if (batch_.size() == kBatch) send();
}

void FrameSocket::send() {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    parts[i] = {batch_[i].data(), batch_[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::size_t done = 0;
  while (done < batch_.size()) {
    const int sent = sendmmsg(fd_, &messages[done], static_cast<unsigned>(batch_.size() - done), 0);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else {
      ++lost_on_send_;  // the first of the rest; the others have their own chance
      ++done;
    }
  }
  batch_.clear();
}

void FrameSocket::clear_error() {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
}

void FrameSocket::set_interface_up(bool up) {
  ifreq request = request_for(interface_);
  check(ioctl(fd_, SIOCGIFFLAGS, &request), "flags of " + interface_);
  if (up)
    request.ifr_flags |= IFF_UP;
  else
    request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
  check(ioctl(fd_, SIOCSIFFLAGS, &request), "flags of " + interface_);
}

std::uint64_t FrameSocket::lost_in_ring() {
  tpacket_stats statistics{};
  socklen_t size = sizeof(statistics);
  // The kernel counts from the last time it was asked.
  if (getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) {
    lost_in_ring_ += statistics.tp_drops;
  }
  return lost_in_ring_;
}

}  // namespace braid::linkemu
