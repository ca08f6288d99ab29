#include "tests/support/sim/icmp_boxes.h"

#include <utility>

namespace braid::sim {

void SynWall::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  const auto view = PacketView::of(packet);
  const bool opens = view && toward == toward_ && view->is_intact_tcp() &&
                     (view->tcp_flags() & (kSyn | kAck)) == kSyn;
  if (!opens || (port_ && view->destination_port() != *port_)) {
    out.emit(toward, std::move(packet));
    return;
  }
  if (auto error = icmp_error(packet, about_, reporters_.of(*view))) {
    out.emit(opposite(toward), std::move(*error));
  }
}

void Complainer::pass(Packet packet, Toward toward, Instant /*now*/, Output& out) {
  std::optional<Packet> error;
  const auto view = PacketView::of(packet);
  if (view && view->is_intact_tcp() && (view->tcp_flags() & kSyn) == 0 && ++seen_ % every_ == 0) {
    error = icmp_error(packet, about_, reporters_.of(*view), mtu_);
  }
  out.emit(toward, std::move(packet));
  if (!error) return;
  ++complaints_;
  out.emit(opposite(toward), std::move(*error));
}

}  // namespace braid::sim
