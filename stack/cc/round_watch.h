// RoundWatch: what the round trips of one round, by delivery, have shown: the least RTT, which is
// that of the path and of a queue that stood all the while, and whether the window was used.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "stack/cc/controller.h"

namespace braid::cc {

class RoundWatch {
 public:
  static constexpr Duration kNoQueue = 1ms;         // as short as this there is none; or
  static constexpr std::int64_t kNoQueuePart = 64;  // as this part of the path's RTT

  enum class Window : std::uint8_t { kUnsure, kUsed };
  struct Round {
    Duration least_rtt;  // max(): no ACK gave a sample
    Window window;
    bool tells_of_queue() const { return window == Window::kUsed && least_rtt != Duration::max(); }
    // `path`: its RTT without a queue.
    bool tells_of_room(Duration path) const {
      return tells_of_queue() && least_rtt - path <= std::max(kNoQueue, path / kNoQueuePart);
    }
  };

  // Every ACK; answers with the round that it has ended.
  std::optional<Round> on_ack(const Ack& ack) {
    std::optional<Round> ended;
    if (ack.round_ended) {
      ended = Round{.least_rtt = std::exchange(least_rtt_, Duration::max()),
                    .window = std::exchange(window_, Window::kUnsure)};
    }
    if (ack.latest_rtt > Duration::zero()) least_rtt_ = std::min(least_rtt_, ack.latest_rtt);
    if (ack.cwnd_limited) window_ = Window::kUsed;
    return ended;
  }
  // What the round that runs has shown.
  Round so_far() const { return {.least_rtt = least_rtt_, .window = window_}; }

 private:
  Duration least_rtt_ = Duration::max();
  Window window_ = Window::kUnsure;
};

}  // namespace braid::cc
