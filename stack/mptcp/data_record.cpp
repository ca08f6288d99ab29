#include "stack/mptcp/data_record.h"

#include <algorithm>

namespace braid::mptcp {

DataRecord::Carrier* DataRecord::find(SubflowId subflow) {
  const auto last = carriers.begin() + carrier_count;
  const auto it = std::find_if(carriers.begin(), last,
                               [subflow](const Carrier& c) { return c.subflow == subflow; });
  return it == last ? nullptr : &*it;
}

const DataRecord::Carrier* DataRecord::find(SubflowId subflow) const {
  return const_cast<DataRecord*>(this)->find(subflow);
}

bool DataRecord::any(Standing standing) const {
  return std::any_of(carriers.begin(), carriers.begin() + carrier_count,
                     [standing](const Carrier& c) { return c.standing == standing; });
}

// What a subflow has not delivered yet it retransmits by itself (M72); what it has delivered may go
// over it again, as a new mapping.
bool DataRecord::may_ride_on(SubflowId subflow) const {
  const Carrier* const carrier = find(subflow);
  return carrier == nullptr || carrier->standing == Standing::kAcked;
}

bool DataRecord::awaits_data_ack() const {
  return !due && any(Standing::kAcked) && !any(Standing::kInFlight);
}

void DataRecord::add(SubflowId subflow) {
  if (Carrier* const former = find(subflow)) {
    former->standing = Standing::kInFlight;
    return;
  }
  if (carrier_count == kMaxCarriers) remove(carriers[0].subflow);  // the oldest loses its say
  carriers[carrier_count++] = Carrier{subflow, Standing::kInFlight};
}

void DataRecord::remove(SubflowId subflow) {
  const auto last = carriers.begin() + carrier_count;
  const auto kept = std::remove_if(carriers.begin(), last,
                                   [subflow](const Carrier& c) { return c.subflow == subflow; });
  carrier_count = static_cast<std::uint8_t>(kept - carriers.begin());
}

}  // namespace braid::mptcp
