// QueueTrials: what the flows of one path do together to find a queue of their own (queue_guard.h).
//
// A flow that gives way alone finds the queue still standing when its siblings keep it, and would
// take them for strangers. So when one begins a trial, the others cut at their next ACK, if they
// see the queue as well; and when one has found that the queue is not theirs, all of them rest.
// None begins while more than a quarter of the path's flight belongs to those who could not join:
// in slow start, in recovery, or just after. A trial that such flows were no part of, or left for a
// loss, tells nothing where the queue still stands.
//
// They share the least round trip as well: who begins while the queue stands has never seen the
// path without it.
//
// Flows of one path are those between one interface of ours and one host (tcp/path_memory.h).
// Behind an address that many hosts share they may meet in no queue at all, or have paths of
// different lengths. Then trials find nothing, and the guard rests. Beside strangers many flows see
// late that a queue is not theirs alone, and give way meanwhile (docs/congestion-control.md, table
// 1b).
#pragma once

#include <cstdint>

#include "stack/base/time.h"
#include "stack/cc/recent_least.h"

namespace braid::cc {

class QueueTrials {
 public:
  static constexpr Duration kLeastRest = 10s;
  static constexpr Duration kLongestRest = 80s;

  // What is known of one flow, which keeps it.
  struct Flow {
    std::uint32_t in_flight = 0;  // bytes
    std::uint32_t cut = 0;        // while it is in a trial: what was in flight before; else none
    enum class Ready : std::uint8_t { kNo, kYes } ready = Ready::kNo;  // it would join
    std::uint64_t ready_flight() const { return ready == Ready::kYes ? in_flight : 0; }
  };
  void update(Flow& flow, Flow now);
  // Another flow is there. The first one after nobody was finds nothing remembered.
  void joined();

  bool may_begin() const { return ready_ / 3 >= in_flight_ - ready_; }
  void begin(Instant now);
  std::uint32_t begun() const { return begun_; }  // how many
  // What a flow has measured at an ACK: its record of a minute (zero: none), and just now (zero:
  // nothing).
  void measured(Duration least, Duration latest, Instant now);
  Duration path_rtt() const { return path_rtt_; }  // without a queue; max(): unknown
  // The least that any flow has measured since; max(): nothing was.
  Duration least_since(Instant when) const { return recent_.since(when); }

  std::uint64_t in_flight() const { return in_flight_; }  // bytes, of all flows
  // Nearly all of what was in flight when the last trial began is in it.
  bool tells() const { return cut_ >= flight_before_ / 10 * 9; }
  // How long the last one has run.
  Duration running(Instant now) const { return now - last_began_; }

  // Long enough after a rest it is forgotten: strangers may be few for a moment.
  void was_ours(Instant now) {
    if (now - rest_until_ >= next_rest_) next_rest_ = kLeastRest;
  }
  void not_ours(Instant now);
  bool resting(Instant now) const { return now < rest_until_; }

 private:
  // Bytes, of all flows.
  std::uint64_t in_flight_ = 0;
  std::uint64_t ready_ = 0;
  std::uint64_t cut_ = 0;
  std::uint64_t flight_before_ = 0;  // bytes, of all, when the last trial began
  std::uint32_t begun_ = 0;
  Instant last_began_{};
  Duration path_rtt_ = Duration::max();
  RecentLeast recent_;
  Duration next_rest_ = kLeastRest;
  Instant rest_until_{};
};

}  // namespace braid::cc
