#include "gateway/config_change.h"

#include <algorithm>

namespace braid::gateway {

namespace {

class Fixed {
 public:
  template <typename T>
  void compare(const char* key, const T& running, const T& fresh) {
    if (!(running == fresh)) keys_.emplace_back(key);
  }
  void add(const std::string& key) { keys_.push_back(key); }
  std::vector<std::string> keys() && { return std::move(keys_); }

 private:
  std::vector<std::string> keys_;
};

void take_over_common(CommonConfig& running, const CommonConfig& fresh, Fixed& fixed) {
  running.scheduler = fresh.scheduler;
  running.congestion_control = fresh.congestion_control;
  running.dss_checksums = fresh.dss_checksums;
  running.log = fresh.log;
  fixed.compare("tun", running.tun, fresh.tun);
  fixed.compare("memory", running.memory_bytes, fresh.memory_bytes);
}

// The uplinks themselves stay; what is said about them may change.
void take_over_uplinks(std::vector<UplinkConfig>& running, const std::vector<UplinkConfig>& fresh,
                       Fixed& fixed) {
  bool same = running.size() == fresh.size();
  for (UplinkConfig& uplink : running) {
    const auto found = std::find_if(fresh.begin(), fresh.end(), [&](const UplinkConfig& other) {
      return other.name == uplink.name;
    });
    if (found == fresh.end()) {
      same = false;
      continue;
    }
    uplink.congestion_control = found->congestion_control;
    uplink.cost = found->cost;
    uplink.rate_up = found->rate_up;
    uplink.rate_down = found->rate_down;
    same &= uplink == *found;
  }
  if (!same) fixed.add("uplinks");
}

}  // namespace

std::vector<std::string> take_over(GatewayConfig& running, const GatewayConfig& fresh) {
  Fixed fixed;
  take_over_common(running, fresh, fixed);
  running.overflow = fresh.overflow;
  running.nat_timeout = fresh.nat_timeout;
  fixed.compare("lan.interfaces", running.lan_interfaces, fresh.lan_interfaces);
  fixed.compare("lan.capture", running.capture, fresh.capture);
  take_over_uplinks(running.uplinks, fresh.uplinks, fixed);
  if (running.concentrator_v4 != fresh.concentrator_v4 ||
      running.concentrator_v6 != fresh.concentrator_v6) {
    fixed.add("concentrator.address");
  }
  fixed.compare("concentrator.port", running.concentrator_port, fresh.concentrator_port);
  if (running.first_port != fresh.first_port || running.last_port != fresh.last_port) {
    fixed.add("ports");
  }
  fixed.compare("other_traffic", running.other_traffic, fresh.other_traffic);
  return std::move(fixed).keys();
}

std::vector<std::string> take_over(ConcentratorConfig& running, const ConcentratorConfig& fresh) {
  Fixed fixed;
  take_over_common(running, fresh, fixed);
  running.allow = fresh.allow;
  running.private_targets = fresh.private_targets;
  running.max_pending_per_client = fresh.max_pending_per_client;
  fixed.compare("listen.interface", running.listen_interface, fresh.listen_interface);
  fixed.compare("listen.port", running.listen_port, fresh.listen_port);
  return std::move(fixed).keys();
}

}  // namespace braid::gateway
