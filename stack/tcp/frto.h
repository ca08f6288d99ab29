// Frto: was the retransmission timeout in vain? Forward RTO-Recovery (RFC 5682) for connections
// whose ACKs carry no timestamps; where they do, Recovery knows at the first ACK (Eifel).
//
//   off --timeout--> kHead --ACK moves, some is left--> kNewData --an original is delivered-->
//   spurious
//                      \--ACK covers everything--> off     \--nothing of them, or new data-->
//                      genuine
//
// Only the head is sent again. Once its ACK is in, two segments of new data leave in place of
// further retransmissions; if the next ACK then tells of bytes that were sent once only, they were
// on their way all the time, and so was the head.
#pragma once

#include <algorithm>
#include <cstdint>

namespace braid::tcp {

class Frto {
 public:
  enum class Verdict : std::uint8_t { kUnknown, kSpurious, kGenuine };
  struct Facts {
    std::uint64_t una = 0, nxt = 0;  // after the ACK
    bool advanced = false;           // the ACK moved una
    bool duplicate = false;          // it was a duplicate ACK (RFC 5681)
    bool sack = false;               // the peer sends SACK blocks
    std::uint64_t originals = 0;     // bytes it delivered that were sent once only
    std::uint64_t highest = 0;       // one past the highest position it delivered; 0: none
  };

  // The timer fired, outside any recovery.
  void begin() { stage_ = Stage::kHead; }
  void stop() {
    stage_ = Stage::kOff;
    quota_ = 0;
  }
  // An ACK is in. kSpurious and kGenuine end it.
  Verdict on_ack(const Facts& facts, std::uint32_t mss);

  // Retransmissions wait for the next ACK.
  bool holds_retransmissions() const { return stage_ == Stage::kNewData; }
  // New bytes that leave meanwhile, whatever the congestion window says.
  std::uint64_t quota() const { return quota_; }
  bool sent_any() const { return sent_ > 0; }
  void on_sent(std::uint64_t bytes) {
    sent_ += bytes;
    quota_ -= std::min(quota_, bytes);
  }

 private:
  static constexpr std::uint32_t kNewSegments = 2;  // RFC 5682 2.1 step 2b
  enum class Stage : std::uint8_t { kOff, kHead, kNewData };

  Verdict after_head(const Facts& facts, std::uint32_t mss);
  Verdict after_new_data(const Facts& facts) const;

  Stage stage_ = Stage::kOff;
  std::uint64_t point_ = 0;  // one past the last position sent before the new data
  std::uint64_t quota_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace braid::tcp
