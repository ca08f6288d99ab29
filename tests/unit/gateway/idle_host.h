// IdleHost: a host that is nobody's role, with a small budget: it starts nothing by itself.
#pragma once

#include "gateway/host.h"

namespace braid::gateway {

class IdleHost : public Host {
 public:
  IdleHost(ip::Layer& ip, Random& random) : Host(ip, random, 1 << 20) {}

 private:
  void new_syn(tcp::InterfaceId, const wire::Segment&, Instant) override {}
  void overhear(tcp::InterfaceId, const wire::Segment&, Instant) override {}
  void tidy(Instant) override {}
};

}  // namespace braid::gateway
