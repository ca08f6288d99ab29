// LinkModel: one direction of a link, as a machine. The simulator runs it in virtual time and
// tools/linkemu in real time, so the two agree.
//
// A packet waits in a queue, is clocked out at `rate`, may be lost or damaged, flies for `delay`
// (and jitter) and is delivered. Nothing happens by itself: enqueue, advance and pop_delivered
// bring the model to `now`, in order of time, so late callers see exact instants.
//
//   enqueue -> [waiting, one in service] -> loss, damage -> [flying] -> pop_delivered
//                    ends: service_end_                   ends: due
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "stack/base/random.h"
#include "tests/support/sim/link_settings.h"

namespace braid::sim {

using Packet = std::vector<std::uint8_t>;

struct LinkStats {
  std::uint64_t offered_packets = 0;
  std::uint64_t offered_bytes = 0;
  std::uint64_t delivered_packets = 0;
  std::uint64_t delivered_bytes = 0;
  std::uint64_t dropped_queue = 0;
  std::uint64_t dropped_loss = 0;
  std::uint64_t dropped_down = 0;
  std::uint64_t dropped_too_big = 0;
  std::uint64_t damaged = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  bool operator==(const LinkStats&) const = default;
};

class LinkModel {
 public:
  enum class Fate { kAccepted, kQueueFull, kTooBig, kDown };

  struct Delivery {
    Packet packet;
    Instant at;  // when it came out, which is not after the `now` it was asked for with
    bool damaged = false;
  };

  // `now` is when the schedule begins.
  LinkModel(LinkSettings settings, Random random, Instant now);

  // `now` must not go back from one call to the next, over all the calls below. What a later packet
  // loses on the wire is not told: kAccepted promises nothing.
  Fate enqueue(Packet packet, Instant now);
  // When pop_delivered may have something: never late, sometimes early.
  Instant next_deadline() const;
  std::optional<Delivery> pop_delivered(Instant now);
  // Brings the model to `now` without taking anything out.
  void advance(Instant now);

  // New settings: what waits is clocked out at the new rate from now on, what flies is not touched.
  // The schedule begins anew; whether the link is up stays as it is.
  void set(LinkSettings settings, Instant now);
  // Going down loses what waits and what flies.
  void set_state(LinkState state, Instant now);

  const LinkSettings& settings() const { return settings_; }
  LinkState state() const { return state_; }
  Rate rate() const { return rate_; }  // as the schedule has it now
  const LinkStats& stats() const { return stats_; }
  std::uint64_t waiting_bytes() const { return waiting_bytes_; }  // the one in service included

 private:
  struct Flying {
    Instant due;
    std::uint64_t order;
    Packet packet;
    bool damaged;
  };
  struct LandsLater {
    bool operator()(const Flying& a, const Flying& b) const {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };

  std::uint64_t counted(const Packet& packet) const;
  Duration waiting_time(Instant now) const;
  void start_service(Instant now);
  void end_service();
  void take_off(Packet packet, Instant from);
  void fly(Packet packet, Instant due, bool damaged);
  bool damage(Packet& packet);
  bool lost();
  void change_rate(Rate rate, Instant now);
  void change_state(LinkState state);
  Instant next_step() const;
  void run_step();
  std::uint64_t error_gap();

  LinkSettings settings_;
  Random random_;
  LinkState state_ = LinkState::kUp;
  Rate rate_;
  LinkStats stats_;

  std::deque<Packet> waiting_;  // the first is in service
  std::uint64_t waiting_bytes_ = 0;
  Instant service_end_ = kNever;

  std::vector<Flying> flying_;  // a heap by (due, order)
  std::uint64_t next_order_ = 0;
  Instant latest_due_ = Instant::min();

  bool in_burst_ = false;
  std::uint64_t bits_to_error_ = 0;
  Instant schedule_start_;
  std::size_t schedule_index_ = 0;
};

}  // namespace braid::sim
