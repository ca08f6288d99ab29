// Socket addresses of libc, as endpoints and back.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "stack/wire/ip_address.h"

namespace braid::pd {

// Nothing for a family that is neither IPv4 nor IPv6, or for an address cut short. A mapped IPv6
// address stays one.
std::optional<wire::Endpoint> endpoint_of(const sockaddr* address, socklen_t length);
// As getpeername() would: cut to *length, which becomes the full length. A null `to` is fine.
enum class As { kIs, kIpv6 };  // kIpv6: an IPv4 address in its mapped form
void put_endpoint(const wire::Endpoint& endpoint, As as, sockaddr* to, socklen_t* length);

}  // namespace braid::pd
