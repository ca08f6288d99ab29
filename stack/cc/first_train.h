// FirstTrain: what the first flight tells of the path's capacity, and how much faster slow start
// may be.
//
// The initial window leaves in one go, so it passes the bottleneck at the pace of that, and its
// ACKs come back so spread: capacity = bytes after the first ACK / the time they took (Jain and
// Routhier's packet train). Slow start may then take larger steps as long as they stay far below
// capacity x RTT, as SUSS does (Arghavani et al., SIGCOMM 2024): the window is multiplied in a
// round trip by up to four instead of two, as long as that leaves it at half of the product at
// most. On a path of 300 ms that is two round trips less. Past the product only a queue grows:
// while the latest answer shows one, the window then grows by a quarter in a round trip, past twice
// the product not at all, and when a whole round has shown one the path is full and slow start
// over. Doubling would overflow a short queue a round trip before HyStart++ can see it. Others'
// traffic and ACKs that were bunched make the estimate too large, hence the half; HyStart++ goes on
// watching. Only the first round that used the window is looked at, for later trains are paced. Too
// few ACKs, or all at once: no estimate, and slow start doubles.
#pragma once

#include <cstdint>

#include "stack/cc/controller.h"

namespace braid::cc {

class FirstTrain {
 public:
  static constexpr float kLargestStep = 4;  // times the window in a round trip
  static constexpr float kUsualStep = 2;
  static constexpr std::uint32_t kLeastAcks = 3;
  static constexpr std::int64_t kQueuePart = 4;       // of the path's RTT: a queue
  static constexpr std::uint64_t kGrowthDivisor = 4;  // past the product by as much, with a queue
  static constexpr std::uint64_t kMostFilled = 2;     // products

  explicit FirstTrain(std::uint64_t initial_window)
      : initial_window_(static_cast<std::uint32_t>(initial_window)) {}

  // Every ACK of the first slow start; `window`: before it grows by that ACK.
  void on_ack(const Ack& ack, std::uint64_t window);
  // What the window is multiplied by in this round trip.
  float step() const { return step_; }
  // What the window may grow by for `delivered` bytes. The first flight's own growth, which could
  // not know yet, is made up for when its last ACK is in.
  std::uint64_t growth(std::uint64_t delivered);
  // Slow start has nothing left to find.
  bool path_is_full() const { return queued_round_ == QueuedRound::kSeen; }
  // The first flight is not to be paced: spread by us it would tell of us.
  bool on_its_way(std::uint64_t window) const {
    return state_ == State::kWatching && window <= initial_window_;
  }
  // Bytes in flight that fill the path; 0: not known.
  std::uint64_t product() const { return product_; }

 private:
  void round_begins(const Ack& ack, std::uint64_t window);
  void judge(const Ack& ack);
  float step_from(std::uint64_t window) const;
  void look_for_queue(const Ack& ack, std::uint64_t window);
  enum class Room : std::uint8_t { kUnknown, kLittle, kNone };  // beside what is in flight
  Room room_beside(std::uint64_t window) const;

  // While it watches nothing is larger than the initial window.
  std::uint32_t initial_window_;
  std::uint32_t window_ = 0;  // when the round began; zero: none has
  std::uint32_t flight_ = 0;  // bytes acknowledged in the round
  std::uint32_t bytes_ = 0;   // those after the first ACK
  std::uint32_t acks_ = 0;    // so are these
  std::uint32_t owed_ = 0;    // growth
  Instant first_;             // ACK of the round
  Instant last_;
  std::uint64_t product_ = 0;
  float step_ = kUsualStep;
  Room room_ = Room::kUnknown;  // by the queue that the latest ACK has met
  enum class QueuedRound : std::uint8_t { kNo, kSoFar, kSeen } queued_round_ = QueuedRound::kNo;
  enum class State : std::uint8_t { kWatching, kSeen } state_ = State::kWatching;
};

}  // namespace braid::cc
