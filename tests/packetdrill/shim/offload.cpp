#include "tests/packetdrill/shim/offload.h"

#include <algorithm>
#include <iterator>

namespace braid::pd {
namespace {

constexpr std::uint64_t kLargestTrain = 65536;  // bytes
constexpr std::uint64_t kKept = 512;            // ends of trains that are remembered

}  // namespace

// The kernel's pacing rate is twice the window per round trip while it grows fast, 1.2 times later;
// to short round trips it adds up to a whole train.
std::uint32_t Offload::longest_train(const tcp::Connection::PathInfo& path,
                                     std::uint32_t least_segments) {
  const std::uint32_t mss = std::max<std::uint32_t>(path.mss, 1);
  const std::uint64_t half = std::max<std::uint64_t>(path.cwnd / mss / 2, 1);
  std::uint64_t bytes = kLargestTrain;
  if (path.srtt > Duration::zero()) {
    const auto rtt_us = static_cast<std::uint64_t>(std::max<std::int64_t>(to_us(path.srtt), 1));
    const std::uint64_t percent = path.cwnd < path.ssthresh / 2 ? 200 : 120;
    bytes = path.cwnd * percent * 10'000 / rtt_us / 1024;
    const auto shift = static_cast<std::uint64_t>(to_us(path.min_rtt)) >> 9;
    if (shift < 17) bytes += kLargestTrain >> shift;
  }
  const std::uint64_t most = std::max<std::uint64_t>(kLargestTrain / mss, 1);
  const std::uint64_t paced = std::max<std::uint64_t>(bytes / mss, least_segments);
  return static_cast<std::uint32_t>(std::min({paced, most, half}));
}

void Offload::begin(const wire::Segment& syn) {
  Flow& flow = flows_[{syn.source, syn.destination}];
  flow = Flow{};
  flow.first = syn.seq + 1;
  flow.next = flow.syn_text = syn.payload.size();
}

void Offload::extend(Flow& flow, wire::Segment& segment, std::uint32_t longest) {
  const auto begin = static_cast<std::uint32_t>(segment.seq - flow.first);
  const std::uint32_t size = segment.payload.size();
  const bool fresh = begin == flow.next;
  const bool joins = flow.last != nullptr && begin == flow.end && size <= flow.piece &&
                     flow.last->payload.size() == flow.piece &&
                     (fresh ? flow.segments < longest : !flow.ends.contains(begin));
  if (!joins) {
    end_train(flow);
    flow.segments = 0;
    flow.piece = size;
  }
  ++flow.segments;
  flow.last = &segment;
  flow.end = begin + size;
  if (fresh) flow.next = flow.end;
  if (flow.end == flow.syn_text) segment.flags.psh = true;
  if (fresh && segment.flags.psh) flow.pushed.insert(flow.end);
  if (!fresh && flow.pushed.contains(flow.end)) segment.flags.psh = true;
  while (flow.pushed.size() > kKept) flow.pushed.erase(flow.pushed.begin());
}

void Offload::end_train(Flow& flow) {
  if (flow.last == nullptr) return;
  if (flow.segments > 1) flow.last->flags.psh = true;
  flow.ends.insert(flow.end);
  while (flow.ends.size() > kKept) flow.ends.erase(flow.ends.begin());
  flow.last = nullptr;
}

}  // namespace braid::pd
