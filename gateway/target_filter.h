// TargetFilter: where a concentrator may connect to, so that it is no open proxy into its own
// house.
//
// Asked about the address really connected to. Always refused: loopback, unspecified, link-local,
// multicast, broadcast, every address of the own host, and the v4-mapped, NAT64 and 6to4 forms of
// these. Private networks are refused unless the configuration serves them.
#pragma once

#include <set>
#include <vector>

#include "gateway/config.h"
#include "stack/wire/ip_address.h"

namespace braid::gateway {

class TargetFilter {
 public:
  enum class Verdict : std::uint8_t {
    kAllowed,
    kMalformed,  // RFC 8803 C24: an address no connection can go to -> error 1
    kForbidden,  // policy -> error 32
  };

  explicit TargetFilter(ConcentratorConfig::PrivateTargets private_targets)
      : private_targets_(private_targets) {}

  void set_private_targets(ConcentratorConfig::PrivateTargets value) { private_targets_ = value; }
  // Every address of this host, and the directed broadcast addresses of its subnets.
  void set_own_addresses(std::vector<wire::InterfaceAddress> interfaces);
  Verdict judge(const wire::Endpoint& target) const;

 private:
  Verdict judge_address(const wire::IpAddress& address) const;

  ConcentratorConfig::PrivateTargets private_targets_;
  std::set<wire::IpAddress> own_;
};

}  // namespace braid::gateway
