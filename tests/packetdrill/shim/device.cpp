#include "tests/packetdrill/shim/device.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "tests/packetdrill/shim/addresses.h"

namespace braid::pd {
namespace {

std::optional<std::string> device_of(const wire::IpAddress& address) {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, ::freeifaddrs);
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const bool v4 = one->ifa_addr->sa_family == AF_INET;
    const auto here = endpoint_of(one->ifa_addr, v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (here && here->address == address) return one->ifa_name;
  }
  return std::nullopt;
}

}  // namespace

std::uint32_t device_mtu(const wire::IpAddress& address) {
  const auto name = device_of(address);
  const int fd = name ? ::socket(AF_INET, SOCK_DGRAM, 0) : -1;
  if (fd < 0) return kUsualMtu;
  ifreq request{};
  std::strncpy(request.ifr_name, name->c_str(), IFNAMSIZ - 1);
  const bool known = ::ioctl(fd, SIOCGIFMTU, &request) == 0;
  ::close(fd);
  return known ? static_cast<std::uint32_t>(request.ifr_mtu) : kUsualMtu;
}

}  // namespace braid::pd
