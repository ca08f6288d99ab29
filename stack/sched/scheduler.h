// Scheduler: which path carries the next bytes. Gets facts per path, answers with one of them.
//
// Asked at the moment a path could send, once per super-segment, never in advance: bytes are handed
// out as ranges and cut into segments only by the path that got them. One file per policy.
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
  bool backup = false;          // used only when no other path is usable (RFC 8684 M46, M77)
  bool in_doubt = false;        // timed out and not yet heard of again
  Duration srtt{};              // zero: no sample yet
  std::uint64_t cwnd = 0;       // bytes
  std::uint64_t in_flight = 0;  // bytes, queued on the subflow included
  std::uint64_t budget = 0;     // bytes it would take now
  std::uint32_t mss = 0;
  std::uint32_t super_segment = 0;  // bytes it can send as one
};

struct StreamView {
  std::uint64_t unsent = 0;  // bytes waiting
  std::uint64_t window = 0;  // bytes the peer's connection-level window still allows
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // The id of a path with budget > 0, or nothing: better wait than use any of them now.
  virtual std::optional<std::uint32_t> pick(std::span<const PathView> paths,
                                            const StreamView& stream) = 0;
  virtual std::string_view name() const = 0;
};

enum class Policy { kMinRtt };
std::optional<Policy> policy_by_name(std::string_view name);
std::span<const std::string_view> policy_names();
std::unique_ptr<Scheduler> make_scheduler(Policy policy);

}  // namespace braid::sched
