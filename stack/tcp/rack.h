// Rack: time tells what is lost (RFC 8985 section 6), and the tail loss probe (section 7).
//
// A transmission is lost when a later one was delivered and it is overdue by the reordering window
// beyond that one's RTT. The window is zero until the path has shown that it reorders, a quarter of
// the minimum RTT then, and widens when DSACKs tell of needless retransmissions.
//   reordering timer   the earliest moment another record becomes overdue; kept by the sender
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/interval_set.h"
#include "stack/base/time.h"
#include "stack/tcp/scoreboard.h"

namespace braid::tcp {

class Rack {
 public:
  struct Facts {
    Duration srtt{};
    Duration min_rtt{};
    std::uint32_t mss = 1;
    bool in_recovery = false;
  };

  // An ACK delivered this.
  void on_delivered(const Scoreboard::Delivery& delivery, Instant now);
  // The ACK reported a duplicate: the window was too small. Counted once per round trip.
  void on_dsack(std::uint64_t snd_una, std::uint64_t snd_nxt);
  // A recovery ended; sixteen in a row without DSACK narrow the window again.
  void on_recovery_end();
  // The retransmission timer fired: the head is lost, and of the rest what is overdue by its own
  // age (RFC 8985 6.3); what left a moment ago is given its time.
  void on_timeout(Scoreboard& scoreboard, const Facts& facts, Instant now);
  // Marks what is lost by now; returns when to look again (kNever: only at the next ACK).
  Instant detect(Scoreboard& scoreboard, const Facts& facts, Instant now);

  Duration reordering_window(const Scoreboard& scoreboard, const Facts& facts) const;
  bool reordering_seen() const { return reordering_seen_; }

 private:
  static constexpr std::uint32_t kDupThresh = 3;  // segments, RFC 6675
  static constexpr std::uint32_t kPersist = 16;   // recoveries, RFC 8985 6.2 step 4

  Scoreboard::Sending newest_;  // of all delivered transmissions
  Duration rtt_{};              // of that one
  bool reordering_seen_ = false;
  std::uint32_t multiplier_ = 1;
  std::uint32_t persist_ = 0;
  std::uint64_t dsack_round_ = 0;  // a DSACK counts again when una is past this
};

// The tail loss probe: one segment, sent when the ACKs stop before the retransmission timer fires.
class TailLossProbe {
 public:
  enum class Verdict : std::uint8_t { kNothing, kRepairedLoss };
  enum class Kind : std::uint8_t { kNewData, kRetransmission };

  // How long after the last sending the probe leaves (RFC 8985 7.2). `srtt` zero: unknown.
  // `ack_delay`: the longest a peer may keep the ACK of a lone segment.
  static Duration timeout(Duration srtt, Duration ack_delay, std::uint64_t in_flight,
                          std::uint32_t mss);

  bool outstanding() const { return end_.has_value(); }
  // The DSACK reports this probe's copy, and says nothing of reordering or of a recovery.
  bool explains(const Interval& dsack) const {
    return kind_ == Kind::kRetransmission && end_ == dsack.end;
  }
  void sent(std::uint64_t snd_nxt, Kind kind);
  // kRepairedLoss: the probe was a retransmission and filled a hole: a congestion event nobody saw.
  Verdict on_ack(std::uint64_t ack, std::optional<Interval> dsack, bool duplicate_without_sack);
  void cancel() { end_.reset(); }

 private:
  std::optional<std::uint64_t> end_;
  Kind kind_ = Kind::kNewData;
};

}  // namespace braid::tcp
