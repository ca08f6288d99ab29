// FirstTrain: what the first flight tells of the path's capacity, and how much faster slow start may be.
//
// The initial window leaves in one go, so it passes the bottleneck at the pace of that, and its ACKs come
// back so spread: capacity = bytes after the first ACK / the time they took (Jain and Routhier's packet
// train). Slow start may then take larger steps as long as they stay far below capacity x RTT, as SUSS does
// (Arghavani et al., SIGCOMM 2024): the window is multiplied in a round trip by up to four instead of two,
// as long as that leaves it at half of the product at most. On a path of 300 ms that is a round trip or two less. Others'
// traffic and ACKs that were bunched make the estimate too large, hence the half; HyStart++ goes on
// watching. Only the first round that used the window is looked at, for later trains are paced. Too few ACKs,
// or all at once: no estimate, and slow start doubles.
#pragma once

#include <cstdint>

#include "stack/cc/controller.h"

namespace braid::cc {

class FirstTrain {
 public:
  static constexpr double kLargestStep = 4;  // times the window in a round trip
  static constexpr double kUsualStep = 2;
  static constexpr std::uint32_t kLeastAcks = 3;

  explicit FirstTrain(std::uint64_t initial_window) : initial_window_(initial_window) {}

  // Before the first ACK: what others have seen the path to hold. Its own train is believed more.
  void expect(std::uint64_t product, std::uint64_t window);
  // Every ACK of the first slow start; `window`: before it grows by that ACK.
  void on_ack(const Ack& ack, std::uint64_t window);
  // What the window is multiplied by in this round trip.
  double step() const { return step_; }
  // The first flight is not to be paced: spread by us it would tell of us.
  bool on_its_way(std::uint64_t window) const {
    return state_ == State::kWatching && window <= initial_window_;
  }
  // Bytes in flight that fill the path; 0: not known.
  std::uint64_t product() const { return product_; }

 private:
  void round_begins(const Ack& ack, std::uint64_t window);
  void choose_step(std::uint64_t window);

  std::uint64_t initial_window_;
  enum class State : std::uint8_t { kWatching, kSeen } state_ = State::kWatching;
  Instant first_;            // ACK of the round
  Instant last_;
  std::uint64_t bytes_ = 0;  // after the first ACK
  std::uint32_t acks_ = 0;   // so are these
  std::uint64_t product_ = 0;
  double step_ = kUsualStep;
};

}  // namespace braid::cc
