#include "gateway/target_filter.h"

namespace braid::gateway {

void TargetFilter::set_own_addresses(std::vector<wire::InterfaceAddress> interfaces) {
  own_.clear();
  for (const wire::InterfaceAddress& p : interfaces) {
    own_.insert(p.address);
    if (p.address.is_v4() && p.prefix_length < 31) {
      const std::uint32_t host_bits =
          p.prefix_length == 0 ? UINT32_MAX : UINT32_MAX >> p.prefix_length;
      own_.insert(wire::IpAddress::v4(p.address.v4_host_order() | host_bits));
    }
  }
}

TargetFilter::Verdict TargetFilter::judge(const wire::Endpoint& target) const {
  if (target.port == 0) return Verdict::kMalformed;
  const Verdict verdict = judge_address(target.address);
  if (verdict != Verdict::kAllowed) return verdict;
  if (const auto inner = target.address.embedded_v4()) return judge_address(*inner);
  return Verdict::kAllowed;
}

TargetFilter::Verdict TargetFilter::judge_address(const wire::IpAddress& a) const {
  const bool v4 = a.is_v4();
  if (a.is_loopback() || a.is_multicast() || a.is_unspecified()) return Verdict::kMalformed;
  // 0.0.0.0/8 is "this network", 240/4 reserved with the limited broadcast on top (RFC 6890).
  if (v4 && (a.v4_host_order() >> 24 == 0 || a.v4_host_order() >> 28 == 0xF)) {
    return Verdict::kMalformed;
  }
  if (a.is_link_local() || own_.contains(a)) return Verdict::kForbidden;
  if (a.is_private() && private_targets_ == ConcentratorConfig::PrivateTargets::kRefuse) {
    return Verdict::kForbidden;
  }
  return Verdict::kAllowed;
}

}  // namespace braid::gateway
