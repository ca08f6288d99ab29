// DataRecord: a range of the stream that was given out, and what became of it on each subflow.
//
// Kept by DataSender until it is DATA_ACKed. All bytes of a record share one fate; where fates part
// the sender cuts it in two.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/seq.h"
#include "stack/base/time.h"

namespace braid::mptcp {

using SubflowId = std::uint32_t;

struct DataRecord {
  // How the range fares on one subflow: on its way, acknowledged by its TCP, or overdue there.
  enum class Standing : std::uint8_t { kInFlight, kAcked, kTimedOut };
  struct Carrier {
    SubflowId subflow = 0;
    Standing standing = Standing::kInFlight;
  };
  static constexpr std::size_t kMaxCarriers = 8;

  StreamOffset begin;
  std::uint32_t length = 0;  // bytes
  Instant mapped_at;         // onto the subflow that got it last
  bool due = false;          // should go out once more
  std::uint8_t carrier_count = 0;
  std::array<Carrier, kMaxCarriers> carriers;

  StreamOffset end() const { return begin + length; }
  // The entry of this subflow, or nullptr.
  Carrier* find(SubflowId subflow);
  const Carrier* find(SubflowId subflow) const;
  bool any(Standing standing) const;
  // No carrier gives hope of delivery: none in flight, none that delivered.
  bool hopeless() const { return !any(Standing::kInFlight) && !any(Standing::kAcked); }
  // Who got it last. Only with a carrier.
  SubflowId last_carrier() const { return carriers[carrier_count - 1].subflow; }
  // A new mapping on this subflow makes sense.
  bool may_ride_on(SubflowId subflow) const;
  // Delivered by a subflow and in flight on none: only a DATA_ACK is missing (M73).
  bool awaits_data_ack() const;
  // Mapped once more; a ninth carrier makes the oldest forgotten.
  void add(SubflowId subflow);
  void remove(SubflowId subflow);
};

}  // namespace braid::mptcp
