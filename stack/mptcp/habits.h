// Habits: where the RFCs leave a choice and the Linux kernel's sockets choose otherwise than ours.
// The defaults are ours; the kernel's are there so that what was written to judge a kernel can
// judge the rest of this stack (tests/packetdrill).
#pragma once

#include <cstdint>

#include "stack/base/time.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/receiver.h"

namespace braid::mptcp {

struct Habits {
  // The FINs of subflows leave once the peer's DATA_FIN is acknowledged, or beside that DATA_ACK.
  enum class SubflowFins : std::uint8_t { kAfterDataAck, kWithDataAck };
  SubflowFins subflow_fins = SubflowFins::kAfterDataAck;
  // What is said of a DATA_FIN, ours or the peer's: on one subflow unless it is repeated; or at
  // once on each.
  enum class DataFinTold : std::uint8_t { kOnOneSubflow, kOnEverySubflow };
  DataFinTold data_fin_told = DataFinTold::kOnOneSubflow;
  // How wide the data sequence numbers of our mappings are. Two bytes of one stream whose numbers
  // agree in 32 bits are 4 GiB apart: before half of that has passed four octets say it all, and
  // leave eight more in each segment to the data, for the peer's DATA_ACKs are then as short (M55,
  // M56). kLong: always eight.
  enum class SequenceWidth : std::uint8_t { kShortAtFirst, kLong };
  SequenceWidth sequence_width = SequenceWidth::kShortAtFirst;
  // The scheduler at the other end compares subflows by the round trips our ACKs show.
  tcp::ConnectionConfig::AckDelay ack_delay = tcp::ConnectionConfig::AckDelay::kByPath;
  std::uint8_t syns_with_capable = 3;    // the next one goes without (M35)
  std::uint8_t linear_syn_timeouts = 0;  // see tcp::ConnectionConfig
  // The longest the peer keeps a lone segment's ACK: our own ends not for 200 ms. A probe too early
  // costs one segment.
  Duration peer_ack_delay = tcp::Receiver::kAckDelay;
  // A join's SYN is answered at once, whatever the server does: one that is not after this long, or
  // three round trips if they take longer, may be lost, and TCP's own timer is a second.
  Duration join_impatience = 250ms;
  // A join's third ACK comes again after a timeout, two, four; or every two round trips (M44).
  enum class ThirdAckPace : std::uint8_t { kBacksOff, kSteady };
  ThirdAckPace third_ack_pace = ThirdAckPace::kBacksOff;
  // What lacks only its DATA_ACK, data or DATA_FIN, comes again after the longest round trip's
  // timeout, twice that, four times; where this is not zero, after this long, as long again, twice
  // that.
  Duration data_ack_timeout = 0s;
  bool operator==(const Habits&) const = default;
};

inline constexpr Habits kOurHabits;

}  // namespace braid::mptcp
