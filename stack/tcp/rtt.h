// Rtt: the round-trip estimate and the retransmission timeout (RFC 6298), and the path's minimum.
//
// The timeout is srtt + max(4 * rttvar, 200 ms): the floor is under the variance term and not under
// the sum, so a path whose variance has settled still keeps 200 ms of mercy above its RTT. Backoff
// is the sender's business. The minimum is kept over a sliding window, so a changed route is
// noticed.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/time.h"

namespace braid::tcp {

class Rtt {
 public:
  static constexpr Duration kInitialTimeout = 1s;  // RFC 6298 2.1
  static constexpr Duration kAfterLostSyn = 3s;    // RFC 6298 5.7
  static constexpr Duration kVarianceFloor = 200ms;
  static constexpr Duration kMaxTimeout = 60s;  // RFC 6298 2.5
  static constexpr Duration kMinWindow = 60s;   // how long a minimum is remembered

  // The timer expired while the SYN was waited for: until something is measured, a path may well be
  // slower than the initial timeout (RFC 6298 5.7).
  void syn_was_lost() { initial_ = kAfterLostSyn; }
  // One measurement for srtt and rttvar; raised to 1 us, so that zero can mean "none".
  void sample(Duration rtt);
  // One exact measurement for the minimum and latest(): of what was sent last, no coarse clock.
  void sample_minimum(Duration rtt, Instant now);

  bool has_sample() const { return srtt_ != Duration::zero(); }
  Duration srtt() const { return srtt_; }  // zero while there is no sample
  Duration rttvar() const { return rttvar_; }
  Duration latest() const { return latest_; }
  Duration min_rtt() const;  // of the last kMinWindow; zero while none
  Duration timeout() const;  // without backoff

 private:
  // The window is cut into slots; the minimum is that of all slots still inside.
  static constexpr std::size_t kSlots = 6;
  struct Slot {
    std::int64_t epoch = -1;
    Duration minimum{};
  };

  Duration initial_ = kInitialTimeout;
  Duration srtt_{};
  Duration rttvar_{};
  Duration latest_{};
  std::array<Slot, kSlots> slots_{};
  std::int64_t last_epoch_ = 0;
};

}  // namespace braid::tcp
