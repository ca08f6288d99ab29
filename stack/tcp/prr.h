// Prr: how much may leave during fast recovery (Proportional Rate Reduction, RFC 9937).
//
// While more is in flight than the new window, sending is spread over the round trip in proportion
// to what arrives; below it, the window is refilled, by slow start only on ACKs that show progress
// and no further loss, else packet for packet.
#pragma once

#include <cstdint>

namespace braid::tcp {

class Prr {
 public:
  enum class Progress : std::uint8_t {
    kGood,
    kDoubtful
  };  // kGood: snd_una moved, nothing new lost

  // Recovery begins. `flight_size`: bytes outstanding before the ACK that began it, without what
  // had been SACKed by then; `target`: the window to end with.
  void enter(std::uint64_t flight_size, std::uint64_t target, std::uint32_t mss);
  // An ACK delivered `delivered` bytes and left `in_flight` (losses taken out).
  void on_ack(std::uint64_t delivered, std::uint64_t in_flight, Progress progress);
  void on_sent(std::uint64_t bytes);
  // Bytes that may leave now. The first retransmission is always allowed.
  std::uint64_t allowance() const { return allowance_; }

 private:
  std::uint64_t flight_size_ = 1;
  std::uint64_t target_ = 0;
  std::uint64_t mss_ = 1;
  std::uint64_t delivered_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t allowance_ = 0;
};

}  // namespace braid::tcp
