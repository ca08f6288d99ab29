// What one direction of a link is like. Plain values; LinkModel gives them behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::sim {

// Up; or swallowing everything in silence, as a dead radio behind a live router does; or dead in a
// way the host's interface shows.
enum class LinkState { kUp, kBlackHole, kNoCarrier };

enum class JitterOrder { kKept, kMayReorder };

// Gilbert's two-state loss: in the bad state packets are lost with `loss_when_bad`.
struct BurstLoss {
  double enter = 0.0;  // probability per packet of good -> bad
  double leave = 1.0;  // probability per packet of bad -> good
  double loss_when_bad = 1.0;
  bool operator==(const BurstLoss&) const = default;
};

// A change that happens by itself, `at` after the schedule began.
struct ScheduleStep {
  Duration at{0};
  std::optional<Rate> rate;
  std::optional<LinkState> state;
  bool operator==(const ScheduleStep&) const = default;
};

struct LinkSettings {
  Rate rate;           // zero: packets take no time on the wire
  Duration delay{0};   // propagation, one way
  Duration jitter{0};  // each packet takes up to this much longer, uniformly
  JitterOrder jitter_order = JitterOrder::kKept;

  // A packet that finds more waiting than this is dropped; zero: no such limit.
  std::uint64_t queue_bytes = 0;
  Duration queue_time{0};

  double loss = 0.0;  // of each packet, independently, after it has used its time on the wire
  BurstLoss burst;
  // Of each bit. At most one bit of a packet is flipped: TCP's checksum catches every single flip
  // but not every double one, and a stream damaged past its checksum says nothing about braid.
  double bit_error_rate = 0.0;
  double duplicate = 0.0;
  double reorder = 0.0;  // this share of packets is held back by reorder_delay
  Duration reorder_delay = 1ms;

  std::uint32_t mtu = 0;  // larger packets are refused; zero: none is
  // Leading bytes of each packet that are neither counted nor damaged: an Ethernet header.
  std::uint32_t frame_header = 0;

  // Changes in ascending order of `at`, from the moment these settings are given; begun again every
  // `schedule_period` unless that is zero.
  std::vector<ScheduleStep> schedule;
  Duration schedule_period{0};

  bool operator==(const LinkSettings&) const = default;
};

}  // namespace braid::sim
