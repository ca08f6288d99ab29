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
  std::uint8_t address_id = 0;  // unique per address among all paths, 1..255 (M87)
  bool usable = true;           // link up and not known dead
  std::uint32_t revivals = 0;   // how often it was found alive after it had been given up
  bool backup = false;
  // Which address of the peer joins over it go to first. kAdvertised: never the first subflow's, so
  // a host may have one path per address the peer is willing to be joined at.
  enum class Towards : std::uint8_t { kFirst, kAdvertised } towards = Towards::kFirst;
  // Where a connection of ours was let in by this path before: joins go there first.
  std::optional<wire::Endpoint> proven;
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

  // What all connections over a path know of it together (RFC 9040). Who has no such memory leaves
  // it at that.
  // A round trip as it should be now; zero: nobody knows.
  virtual Duration expected_rtt(const LocalPath&, Instant /*now*/) const { return {}; }
  // How a subflow has found the path.
  virtual void learnt(const LocalPath&, const tcp::Connection::PathInfo&, Instant /*now*/) {}
  // The peer let us in there.
  virtual void let_in(const LocalPath&, const wire::Endpoint& /*remote*/) {}
  // What was due from the peer by this path did not come; the last that did, if any, came then.
  virtual void suspected(const LocalPath&, Instant /*last_heard*/, Instant /*now*/) {}
  // A connection with bytes to carry has no subflow over this path.
  virtual void missed(const LocalPath&, Instant /*now*/) {}
};

}  // namespace braid::mptcp
