// Device: what the host around the test says of the device an address is on.
#pragma once

#include <cstdint>

#include "stack/wire/ip_address.h"

namespace braid::pd {

constexpr std::uint32_t kUsualMtu = 1500;  // bytes

// The MTU of the device that has this address; kUsualMtu when none has it.
std::uint32_t device_mtu(const wire::IpAddress& address);

}  // namespace braid::pd
