// RoomWatch: finds that a window held down by delay is too small for the path. Ours.
//
// HyStart++ leaves slow start when round trips grow longer (RFC 9406), and the queue guard cuts the
// window for the same reason. Where a radio was slow for a moment, the window then stands far below
// what the path carries a moment later, and CUBIC, on its plateau, takes many seconds to notice.
// But a window that fills the path leaves some queue, the guard's cut included. When for two rounds
// in which it was used round trips are as short as the path itself, there is room: the window grows
// by a quarter in a round trip until a queue shows. (Slow start instead would run far past it: its
// own alarm needs a longer round trip to ring, and a few more to believe it.) What was cut for a
// loss is none of its business.
#pragma once

#include <cstdint>

#include "stack/cc/controller.h"
#include "stack/cc/round_watch.h"

namespace braid::cc {

class RoomWatch {
 public:
  static constexpr std::uint32_t kRounds = 2;
  static constexpr std::uint64_t kGrowthDivisor = 4;

  // Every ACK while delay holds the window down.
  void on_ack(const Ack& ack);
  bool has_room() const { return rounds_ >= kRounds; }
  // The window was cut.
  void forget() { *this = RoomWatch(); }

 private:
  [[no_unique_address]] RoundWatch watch_;  // its padding is used
  std::uint32_t rounds_ = 0;                // without a queue, one after another
};

}  // namespace braid::cc
