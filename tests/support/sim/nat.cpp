#include "tests/support/sim/nat.h"

#include <algorithm>

namespace braid::sim {

void Nat::pass(Packet packet, Toward toward, Instant now, Output& out) {
  auto view = PacketView::of(packet);
  if (!view) return;
  if (view->is_v4()) {
    if (toward == Toward::kB ? !outwards(*view, now) : !inwards(*view, now)) return;
  }
  out.emit(toward, std::move(packet));
}

bool Nat::outwards(PacketView& view, Instant now) {
  if (!view.has_ports() || view.is_fragment()) return false;
  const Inside inside{view.protocol(), {view.source(), view.source_port()}};
  auto found = by_inside_.find(inside);
  if (found != by_inside_.end() && now - found->second.used > settings_.timeout) {
    by_port_.erase({inside.protocol, found->second.port});
    by_inside_.erase(found);
    found = by_inside_.end();
  }
  if (found == by_inside_.end()) {
    const std::uint16_t port = free_port(inside.protocol);
    found = by_inside_.emplace(inside, Mapping{port, now, {}}).first;
    by_port_.emplace(std::pair(inside.protocol, port), inside);
  }
  found->second.used = now;
  found->second.peers.insert({view.destination(), view.destination_port()});
  view.set_source(settings_.outside);
  view.set_source_port(found->second.port);
  return true;
}

bool Nat::inwards(PacketView& view, Instant now) {
  if (view.destination() != settings_.outside || view.is_fragment()) return false;
  if (view.protocol() == kIcmp) return error_inwards(view, now);
  if (!view.has_ports()) return false;
  const auto inside = inside_of(view.protocol(), view.destination_port(), now);
  if (!inside) return false;
  const Mapping& mapping = by_inside_.at(*inside);
  if (settings_.inbound == Inbound::kFromPeersOnly &&
      !mapping.peers.contains({view.source(), view.source_port()})) {
    return false;
  }
  view.set_destination(inside->endpoint.address);
  view.set_destination_port(inside->endpoint.port);
  return true;
}

bool Nat::error_inwards(PacketView& view, Instant now) {
  const MutableBytes icmp(view.transport(), view.transport_length());
  if (icmp.size() < 8 + 28 || fold(add_words(0, icmp)) != 0xffff) return false;
  const MutableBytes quoted = icmp.subspan(8);
  const std::size_t header = (quoted[0] & 0x0fU) * 4U;
  if (quoted[0] >> 4 != 4 || header < 20 || quoted.size() < header + 8) return false;
  const auto inside = inside_of(quoted[9], load_be16(&quoted[header]), now);
  if (!inside) return false;
  const Bytes address = inside->endpoint.address.bytes();
  std::copy(address.begin(), address.end(), quoted.begin() + 12);
  store_be16(&quoted[header], inside->endpoint.port);
  store_be16(&quoted[10], 0);
  store_be16(&quoted[10],
             static_cast<std::uint16_t>(fold(add_words(0, quoted.first(header))) ^ 0xffffU));
  view.set_destination(inside->endpoint.address);
  view.finish();
  return true;
}

std::optional<Nat::Inside> Nat::inside_of(std::uint8_t protocol, std::uint16_t port, Instant now) {
  const auto found = by_port_.find({protocol, port});
  if (found == by_port_.end()) return std::nullopt;
  if (now - by_inside_.at(found->second).used > settings_.timeout) return std::nullopt;
  return found->second;
}

std::uint16_t Nat::free_port(std::uint8_t protocol) {
  while (by_port_.contains({protocol, next_port_})) {
    if (++next_port_ == 0) next_port_ = settings_.first_port;
  }
  const std::uint16_t port = next_port_;
  if (++next_port_ == 0) next_port_ = settings_.first_port;
  return port;
}

void Nat::rebind() {
  by_inside_.clear();
  by_port_.clear();
}

void Nat::renumber(const wire::IpAddress& outside) {
  settings_.outside = outside;
  rebind();
}

}  // namespace braid::sim
