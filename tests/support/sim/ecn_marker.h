// EcnMarker: a congested hop that marks instead of dropping (RFC 3168 5), or an old one that clears
// the marks of ECN-capable packets.
#pragma once

#include <utility>

#include "stack/base/random.h"
#include "tests/support/sim/filter.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

class EcnMarker final : public Filter {
 public:
  enum class Manner { kMarks, kBleaches };
  // `chance`: of each intact ECN-capable TCP packet to be changed.
  EcnMarker(Manner manner, double chance, Random random)
      : manner_(manner), chance_(chance), random_(std::move(random)) {}

  void pass(Packet packet, Toward toward, Instant /*now*/, Output& out) override {
    const auto view = PacketView::of(packet);
    if (view && view->is_intact_tcp()) change(*view);
    out.emit(toward, std::move(packet));
  }
  std::uint64_t changed() const { return changed_; }

 private:
  void change(const PacketView& view) {
    const unsigned shift = view.is_v4() ? 0 : 4;  // the low bits of the traffic class
    std::uint8_t& octet = view.bytes()[1];
    const unsigned ecn = octet >> shift & 3U;
    if (ecn == 0 || !random_.chance(chance_)) return;
    const unsigned fresh = manner_ == Manner::kMarks ? 3U : 0U;
    octet = static_cast<std::uint8_t>((octet & ~(3U << shift)) | fresh << shift);
    PacketView(view).finish_ip_header();
    ++changed_;
  }

  Manner manner_;
  double chance_;
  Random random_;
  std::uint64_t changed_ = 0;
};

}  // namespace braid::sim
