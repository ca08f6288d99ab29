// LocalPaths: the ways out a host has, as MPTCP sees them. Implemented by the machine above.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "stack/cc/factory.h"
#include "stack/sched/link.h"
#include "stack/tcp/connection.h"
#include "stack/wire/ip_address.h"

namespace braid::mptcp {

// One local address on one interface. Two addresses of one interface are two LocalPaths.
struct LocalPath {
  tcp::InterfaceId interface = 0;
  wire::IpAddress address;
  std::uint8_t address_id = 0;     // unique per address among all paths, 1..255 (M87)
  bool usable = true;              // link up and not known dead
  bool backup = false;
  // Which address of the peer joins over it go to first. kAdvertised: never the first subflow's, so a
  // host may have one path per address the peer is willing to be joined at.
  enum class Towards : std::uint8_t { kFirst, kAdvertised } towards = Towards::kFirst;
  std::uint32_t mtu = 1500;
  std::uint32_t max_super_payload = 60000;
  std::optional<cc::Algorithm> algorithm;  // of its subflows, when not the connection's
  std::shared_ptr<sched::Link> link;       // what schedulers know of it; may be none
};

class LocalPaths {
 public:
  virtual ~LocalPaths() = default;
  virtual std::span<const LocalPath> paths() const = 0;
  // A free local port for a subflow to `remote`; nothing when the range is used up.
  virtual std::optional<std::uint16_t> allocate_port(const LocalPath& path,
                                                     const wire::Endpoint& remote) = 0;
};

}  // namespace braid::mptcp
