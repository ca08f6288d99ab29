// EdgeWatch: a box that changes nothing and sees whether the right edge of a window one side
// promised ever moves left (RFC 9293 3.8.6). It must stand where nothing is reordered.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "tests/support/sim/filter.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

class EdgeWatch final : public Filter {
 public:
  // Only what goes in this direction is watched.
  explicit EdgeWatch(Toward toward) : toward_(toward) {}

  void pass(Packet packet, Toward toward, Instant /*now*/, Output& out) override {
    const auto view = PacketView::of(packet);
    if (view && view->is_intact_tcp()) {
      if (toward == toward_) look(*view);
      if (toward != toward_ && (view->tcp_flags() & kSyn) != 0) note_peer(*view);
    }
    out.emit(toward, std::move(packet));
  }
  std::uint64_t taken_back() const { return taken_back_; }

 private:
  using Ends = std::pair<wire::Endpoint, wire::Endpoint>;
  struct Promise {
    std::uint8_t shift = 0;
    bool scaled = true;  // the other side's SYN has the option, too
    bool begun = false;
    std::uint32_t edge = 0;
  };

  static Ends ends_of(const PacketView& view) {
    return {{view.source(), view.source_port()}, {view.destination(), view.destination_port()}};
  }

  void note_peer(const PacketView& view) {
    const auto [from, to] = ends_of(view);
    bool scaled = false;
    for_each_option(view, [&](std::uint8_t kind, MutableBytes) { scaled |= kind == kWindowScale; });
    promises_[{to, from}].scaled = scaled;
  }

  void look(const PacketView& view) {
    const Ends key = ends_of(view);
    const std::uint8_t flags = view.tcp_flags();
    if ((flags & kSyn) != 0) {
      Promise& fresh = promises_[key];
      fresh = {.shift = 0, .scaled = fresh.scaled};
      for_each_option(view, [&](std::uint8_t kind, MutableBytes option) {
        if (kind == kWindowScale && option.size() == 3) fresh.shift = option[2];
      });
      return;
    }
    if ((flags & kAck) == 0 || (flags & kRst) != 0) return;
    Promise& promise = promises_[key];
    const std::uint32_t window = load_be16(view.transport() + 14);
    const int shift = promise.scaled ? promise.shift : 0;
    const std::uint32_t edge = view.ack() + (window << shift);
    // One unit of rounding is not a broken promise.
    const auto moved = static_cast<std::int32_t>(edge - promise.edge);
    if (promise.begun && moved < -(1 << shift)) ++taken_back_;
    if (!promise.begun || moved > 0) promise.edge = edge;
    promise.begun = true;
  }

  static constexpr std::uint8_t kWindowScale = 3;
  Toward toward_;
  std::map<Ends, Promise> promises_;
  std::uint64_t taken_back_ = 0;
};

}  // namespace braid::sim
