#include "tests/support/sim/router.h"

#include "stack/base/ensure.h"
#include "tests/support/sim/resegmenters.h"

namespace braid::sim {

void Router::add_interface(int interface, SimDoor& door, const wire::IpAddress& v4,
                           const wire::IpAddress& v6) {
  // A router sees packets as they came over the wire.
  DoorSettings settings = door.settings();
  settings.gro = Gro::kOff;
  door.set(settings);
  interfaces_[interface] = {&door, v4, v6};
}

void Router::add_route(const wire::Prefix& prefix, int interface) {
  ENSURE(interfaces_.contains(interface));
  routes_.push_back({prefix, Verdict::kForward, interface});
}

void Router::refuse(const wire::Prefix& prefix, Verdict verdict) {
  ENSURE(verdict != Verdict::kForward);
  routes_.push_back({prefix, verdict, 0});
}

const Router::Route* Router::route_for(const wire::IpAddress& destination) const {
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (!route.prefix.contains(destination)) continue;
    // Of equals the later one: routes are changed by adding.
    if (best == nullptr || route.prefix.length >= best->prefix.length) best = &route;
  }
  return best;
}

void Router::receive(int interface, const PacketIn& in, Instant /*now*/) {
  Packet packet(in.bytes.begin(), in.bytes.end());
  auto view = PacketView::of(packet);
  if (!view) return;
  const Bytes header = Bytes(packet).first(view->ip_header_length());
  if (view->is_v4() && fold(add_words(0, header)) != 0xffff) return;
  for (const auto& [id, own] : interfaces_) {
    if (view->destination() == own.v4 || view->destination() == own.v6) return;
  }
  if (view->hop_limit() <= 1) {
    complain(interface, packet, IcmpAbout::kTimeExceeded);
    return;
  }
  const Route* route = route_for(view->destination());
  const Verdict verdict = route == nullptr ? Verdict::kNoRoute : route->verdict;
  switch (verdict) {
    case Verdict::kForward:
      forward(interface, std::move(packet), *view, interfaces_.at(route->interface),
              route->interface);
      break;
    case Verdict::kSilent: break;
    case Verdict::kNoRoute: complain(interface, packet, IcmpAbout::kNoRoute); break;
    case Verdict::kHostUnreachable: complain(interface, packet, IcmpAbout::kHostUnreachable); break;
    case Verdict::kProhibited: complain(interface, packet, IcmpAbout::kProhibited); break;
  }
}

void Router::forward(int from, Packet packet, PacketView& view, const Interface& to,
                     int interface) {
  const std::uint32_t mtu = to.door->mtu();
  if (packet.size() > mtu) {
    const bool may_cut = view.is_v4() && (packet[6] & 0x40) == 0;
    if (!may_cut) {
      complain(from, packet, IcmpAbout::kTooBig, mtu);
      return;
    }
  }
  view.decrement_hop_limit();
  ++forwarded_;
  const std::uint16_t identification = load_be16(&packet[4]);
  for (Packet& piece : fragments(std::move(packet), mtu, identification)) {
    outgoing_.push_back({interface, std::move(piece)});
  }
}

void Router::complain(int interface, const Packet& packet, IcmpAbout about, std::uint32_t mtu) {
  const Interface& from = interfaces_.at(interface);
  const bool v4 = packet[0] >> 4 == 4;
  if (auto error = icmp_error(packet, about, v4 ? from.v4 : from.v6, mtu)) {
    outgoing_.push_back({interface, std::move(*error)});
  }
}

void Router::flush(Instant /*now*/) {
  std::vector<Outgoing> held;
  for (Outgoing& one : outgoing_) {
    SimDoor& door = *interfaces_.at(one.interface).door;
    if (door.send_raw(one.packet) == Door::Sent::kBusy) held.push_back(std::move(one));
  }
  outgoing_ = std::move(held);
}

Instant Router::next_deadline() { return kNever; }

}  // namespace braid::sim
