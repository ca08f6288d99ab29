#include "platform/tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>

#include "platform/scatter.h"
#include "platform/vnet_header.h"

namespace braid::platform {

Result<std::unique_ptr<Tun>> Tun::open(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return system_error(EINVAL);
  UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return last_error();
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(fd.get(), TUNSETIFF, &request) < 0) return last_error();
  int header_size = sizeof(VnetHeader);
  if (ioctl(fd.get(), TUNSETVNETHDRSZ, &header_size) < 0) return last_error();
  constexpr unsigned long kOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  if (ioctl(fd.get(), TUNSETOFFLOAD, kOffloads) < 0) return last_error();
  return std::unique_ptr<Tun>(new Tun(std::move(fd), request.ifr_name));
}

std::optional<PacketIn> Tun::read() {
  for (;;) {
    const ssize_t n = ::read(fd(), buffer_.data(), buffer_.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return std::nullopt;  // EAGAIN, or the interface is down or gone: nothing to read either way
    }
    const auto length = static_cast<std::size_t>(n);
    if (length <= sizeof(VnetHeader) || length - sizeof(VnetHeader) > kMaxPacket) {
      ++counters_.malformed;
      continue;
    }
    VnetHeader vnet;
    std::memcpy(&vnet, buffer_.data(), sizeof vnet);
    return received(packet_from(vnet, Bytes(buffer_).subspan(sizeof vnet, length - sizeof vnet)));
  }
}

Door::Sent Tun::send(const PacketOut& packet) {
  const VnetHeader vnet = vnet_header_for(packet, 0);
  Scatter parts(vnet, {}, packet);
  ssize_t n = 0;
  do {
    n = ::writev(fd(), parts.data(), static_cast<int>(parts.count()));
  } while (n < 0 && errno == EINTR);
  return outcome(n < 0 ? errno : 0, packet.total_length());
}

std::uint32_t Tun::max_super_packet() const { return kMaxPacket; }

}  // namespace braid::platform
