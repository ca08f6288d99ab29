// Cell: one pair of uplinks the law is tried on, and the matrix of all of them.
//
// The law: one bonded connection is never slower than the better of its uplinks alone. It is owed
// everywhere, so the matrix crosses what uplinks differ in: rate and RTT (either may have the
// better of both, or one of each), loss, depth of the queue, and a rate that wanders as a radio's
// does. The rates are small because nothing in the protocol depends on a megabit: a cell must be
// cheap.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "stack/base/rate.h"
#include "stack/base/time.h"
#include "tests/support/sim/link_settings.h"

namespace braid::law {

enum class Wander : std::uint8_t { kSteady, kRadio };

struct Uplink {
  Rate rate;         // the mean of a wandering one
  Duration rtt{};    // without queues
  double loss = 0;   // of each packet, in both directions
  double queue = 1;  // rate * rtt, but never less than kShortestQueue packets
  Wander wander = Wander::kSteady;
};

// A queue shorter than this is no device anybody has, and rate * rtt of a slow short link is less
// than two packets.
inline constexpr std::uint64_t kShortestQueue = 5;

struct Cell {
  std::uint32_t id = 0;
  std::array<Uplink, 2> uplinks;  // the first has the higher rate

  bool lossless() const { return uplinks[0].loss == 0 && uplinks[1].loss == 0; }
  // What a transfer must be long enough for: 20 * rates * longest RTT, and 10 s of the rates.
  std::uint64_t bulk_bytes() const;
  // Payload both uplinks together can carry: each packet of 1500 bytes holds 1420.
  Rate ceiling() const;
  std::string describe() const;  // "16.0+1.6 Mbit/s, 20+200 ms, ..."
};

// All cells, by id. The same list in every run.
const std::vector<Cell>& matrix();

// One direction of the uplink. `seed` makes the way a radio's rate wanders.
sim::LinkSettings link_settings(const Uplink& uplink, std::uint64_t seed);

}  // namespace braid::law
