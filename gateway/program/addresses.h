// The two rooms' IP addresses, turned into each other by their bytes.
#pragma once

#include "platform/ip_address.h"
#include "stack/wire/ip_address.h"

namespace braid::program {

inline platform::IpAddress to_platform(const wire::IpAddress& address) {
  return platform::IpAddress::from_bytes(address.bytes());
}
inline wire::IpAddress to_wire(const platform::IpAddress& address) {
  return wire::IpAddress::from_bytes(address.bytes());
}
inline platform::IpPrefix to_platform(const wire::InterfaceAddress& address) {
  return {to_platform(address.address), address.prefix_length};
}
inline wire::InterfaceAddress to_wire(const platform::IpPrefix& prefix) {
  return {to_wire(prefix.address), prefix.length};
}

}  // namespace braid::program
