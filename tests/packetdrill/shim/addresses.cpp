#include "tests/packetdrill/shim/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace braid::pd {

std::optional<wire::Endpoint> endpoint_of(const sockaddr* address, socklen_t length) {
  if (address == nullptr) return std::nullopt;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(address);
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    return wire::Endpoint{wire::IpAddress::from_bytes({bytes + offsetof(sockaddr_in, sin_addr), 4}),
                          ntohs(v4->sin_port)};
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address);
    return wire::Endpoint{
        wire::IpAddress::from_bytes({bytes + offsetof(sockaddr_in6, sin6_addr), 16}),
        ntohs(v6->sin6_port)};
  }
  return std::nullopt;
}

void put_endpoint(const wire::Endpoint& endpoint, As as, sockaddr* to, socklen_t* length) {
  if (to == nullptr || length == nullptr) return;
  sockaddr_storage full{};
  socklen_t full_length = sizeof(sockaddr_in);
  if (endpoint.address.is_v4() && as == As::kIs) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&full);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::memcpy(&v4->sin_addr, endpoint.address.bytes().data(), 4);
  } else {
    const wire::IpAddress wide =
        endpoint.address.is_v4() ? endpoint.address.mapped() : endpoint.address;
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&full);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::memcpy(&v6->sin6_addr, wide.bytes().data(), 16);
    full_length = sizeof(sockaddr_in6);
  }
  std::memcpy(to, &full, std::min(*length, full_length));
  *length = full_length;
}

}  // namespace braid::pd
