// PathMtu: how large packets may be on this path, found out from what arrives (RFC 8899, RFC 4821)
// and from what routers say (RFC 1191, RFC 8201). Sizes are of whole IP packets, in bytes.
//
//              large head lost again and again             size() is tried again, in vain
//   settled ------------------------------------> trial ---------------------------------->
//   searching
//    ^  ^                                          |                                          |
//    |  \--------- a packet of size() got through -/                                          |
//    \----------------- nothing left to try between what passes and what does not ------------/
//
// Trial: everything leaves in small packets, and believed() has not changed. Once a small one has
// arrived the suspected size is probed; lost three times while small ones pass, it does not pass.
// So neither an outage nor congestion changes the verdict: in an outage nothing small arrives, and
// under congestion one probe of three gets through, at the price of a round trip in small packets.
// Searching: sizes in between are probed, halving the list of common ones. A settled size below the
// ceiling is tried again after kRaiseAfter. There are no timers: next_probe() is asked while there
// is data to send.
#pragma once

#include <cstdint>

#include "stack/base/time.h"
#include "stack/wire/ip_address.h"

namespace braid::tcp {

class PathMtu {
 public:
  static constexpr Duration kRaiseAfter = 600s;   // RFC 8899 5.1.1 PMTU_RAISE_TIMER, RFC 1191 6.3
  static constexpr std::uint32_t kMaxProbes = 3;  // RFC 8899 5.1.2: of one size

  // How believed() came about.
  enum class Source : std::uint8_t { kInterface, kShared, kRouter, kProbing };

  // `interface`: the MTU of our end. `known`: what others have found on this path; 0: nothing.
  PathMtu(wire::Family family, std::uint32_t interface, std::uint32_t known);

  // Packets leave no larger than this now; probes excepted.
  std::uint32_t size() const { return size_; }
  // What the path is held to carry.
  std::uint32_t believed() const { return state_ == State::kTrial ? believed_ : size_; }
  Source source() const { return source_; }
  // The peer takes no larger packets than this: nothing above is worth a try.
  void set_ceiling(std::uint32_t ceiling);
  // A size to probe now; 0: none. The probe's outcome is told by probe_arrived() or probe_lost().
  std::uint32_t next_probe(Instant now);

  enum class Change : std::uint8_t {
    kNone,
    kResized,  // size() is another now
    kFound,    // size() is what the path carries; larger packets in flight will not arrive
  };
  // The retransmission timer fired for data last sent in packets of this size; `consecutive` counts
  // from 1 since something new was acknowledged.
  Change timed_out(std::uint32_t packet, std::uint32_t consecutive);
  // An ACK came for data sent in packets of this size.
  Change arrived(std::uint32_t packet);
  Change probe_arrived(Instant now);
  Change probe_lost(Instant now);
  // A router dropped a packet: its next link carries `mtu`; 0: it does not say.
  Change told(std::uint32_t mtu, Instant now);

  void validate() const;

 private:
  enum class State : std::uint8_t { kSettled, kTrial, kSearching };
  enum class Last : std::uint8_t { kNothing, kSmall, kLarge };  // arrived last

  std::uint32_t base() const;
  std::uint32_t least() const;
  std::uint32_t below(std::uint32_t size) const;
  Change begin_trial();
  Change lower_trial();
  Change shrink();
  Change search(Instant now);

  wire::Family family_;
  std::uint32_t ceiling_;
  std::uint32_t size_;
  std::uint32_t believed_ = 0;  // trial: the size in question
  Source source_;
  State state_ = State::kSettled;
  Instant raise_at_ = kNever;

  std::uint32_t largest_arrived_ = 0;
  Last last_arrived_ = Last::kNothing;
  std::uint32_t fruitless_ = 0;  // trial: timeouts, since something small arrived
  std::uint32_t failing_ = 0;    // searching: the least size known not to pass
  std::uint32_t candidate_ = 0;  // searching
  std::uint32_t failures_ = 0;   // of the probed size, in a row
};

}  // namespace braid::tcp
