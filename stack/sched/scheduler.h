// Scheduler: which path carries the next bytes. Gets facts per path, answers with one of them.
//
// Asked at the moment a path could send, once per super-segment, never in advance: bytes are handed
// out as ranges and cut into segments only by the path that got them. One file per policy. A policy
// may answer with nothing although a path has room ("better wait"), but only while something else
// is sure to ask again: bytes in flight on the path it waits for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "stack/base/rate.h"
#include "stack/base/time.h"

namespace braid::sched {

struct PathView {
  std::uint32_t id = 0;
  bool backup = false;       // used only when no other path is usable (RFC 8684 M46, M77)
  bool in_doubt = false;     // timed out and not yet heard of again
  bool in_reserve = false;   // its link is dearer than those that suffice (overflow_gate.h)
  bool in_recovery = false;  // it has lost some of what it carries
  std::uint32_t cost = 0;    // of a byte on its link, in no particular unit
  Duration srtt{};           // zero: no sample yet
  Duration rttvar{};
  Duration min_rtt{};           // zero: no sample yet
  std::uint64_t cwnd = 0;       // bytes
  std::uint64_t in_flight = 0;  // bytes, queued on the subflow included
  std::uint64_t lost = 0;       // bytes it has to send again, not in flight
  std::uint64_t budget = 0;     // bytes it would take now
  std::uint32_t mss = 0;
  std::uint32_t super_segment = 0;  // bytes it can send as one
  Rate pacing_rate;                 // zero: not paced
  Rate delivery_rate;               // what it was last seen to carry; zero: unknown
};

struct StreamView {
  std::uint64_t unsent = 0;       // bytes waiting
  std::uint64_t window = 0;       // bytes the peer's connection-level window still allows
  std::uint64_t send_window = 0;  // bytes that may be outstanding at once, those that are included
  Instant now{};
};

struct Pick {
  std::uint32_t path = 0;
  // kCopies: bytes that travel on other paths already, from the lowest on; when this path has
  // carried them all, the next ones.
  enum class Bytes : std::uint8_t { kNext, kCopies } bytes = Bytes::kNext;
  bool operator==(const Pick&) const = default;
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // A path with budget > 0, or nothing: better wait than use any of them now.
  virtual std::optional<Pick> pick(std::span<const PathView> paths, const StreamView& stream) = 0;
  // The window is full, and a slow path holds its head: a policy that learns hears of it here.
  virtual void window_blocked(Instant /*now*/) {}
  virtual std::string_view name() const = 0;
};

enum class Policy : std::uint8_t { kMinRtt, kBlest, kEcf, kRoundRobin, kRedundant, kOverflow };
std::optional<Policy> policy_by_name(std::string_view name);
std::span<const std::string_view> policy_names();
std::unique_ptr<Scheduler> make_scheduler(Policy policy);

}  // namespace braid::sched
