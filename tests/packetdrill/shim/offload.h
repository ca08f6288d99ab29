// Offload: which of the segments that leave carry PSH, as a kernel with segmentation offload shows
// it.
//
// The kernel scripts are written for hands its device trains of several full segments, and a
// train's last segment always has PSH, wherever the writer's data ends. A train is as long as
// pacing sends in a millisecond, two segments at least, and half the congestion window at most.
// What was one train goes again as one, as far as it is sent again. The stack knows nothing of it:
// it asks for PSH at the end of the data (RFC 9293 SHLD-27), and that stays.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "stack/tcp/connection.h"
#include "stack/wire/segment.h"

namespace braid::pd {

class Offload {
 public:
  // The longest train this connection may send now, in segments.
  static std::uint32_t longest_train(const tcp::Connection::PathInfo& path,
                                     std::uint32_t least_segments);

  // One burst: segments of all connections, as they leave. `longest` is asked for each connection.
  // `cut`: a written packet (see SendQueue) ends at this offset, and with it a train.
  template <typename Longest, typename Cut>
  void mark(std::vector<wire::Segment>& burst, const Longest& longest, const Cut& cut) {
    for (wire::Segment& segment : burst) take(segment, longest, cut);
    for (auto& [ends, flow] : flows_) end_train(flow);
  }
  void forget(const wire::Segment& segment) { flows_.erase({segment.source, segment.destination}); }

 private:
  struct Flow {
    SeqNum first;                    // of the stream
    std::uint32_t next = 0;          // never sent yet, counted from `first`
    std::uint32_t syn_text = 0;      // bytes of the SYN's: they end with PSH when said again
    std::set<std::uint32_t> ends;    // of the trains sent so far
    std::set<std::uint32_t> pushed;  // ends of data, of which PSH told: it is told again
    wire::Segment* last = nullptr;   // of the train that is growing
    std::uint32_t segments = 0;      // in it
    std::uint32_t end = 0;           // of it
    std::uint32_t piece = 0;         // bytes of its first segment
  };

  template <typename Longest, typename Cut>
  void take(wire::Segment& segment, const Longest& longest, const Cut& cut) {
    if (segment.flags.syn) begin(segment);
    if (segment.payload.empty() || segment.flags.syn) return;
    Flow& flow = flows_[{segment.source, segment.destination}];
    if (cut(segment, static_cast<std::uint32_t>(segment.seq - flow.first))) end_train(flow);
    extend(flow, segment, longest(segment));
  }
  void begin(const wire::Segment& syn);
  static void extend(Flow& flow, wire::Segment& segment, std::uint32_t longest);
  static void end_train(Flow& flow);

  std::map<std::pair<wire::Endpoint, wire::Endpoint>, Flow> flows_;
};

}  // namespace braid::pd
