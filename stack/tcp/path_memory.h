// PathMemory: what connections have found out about a path, for all that use it then or after them
// (RFC 9040). A path is an interface of ours and a host at its other end.
//
// Shared are the least round trip (it says how large bursts may be) and, where it is less than our
// interface's, the MTU: the second connection needs not run into the black hole that the first one
// found. Beside that, controllers look for a queue of their own together (cc/queue_trials.h).
// Windows and rates are not handed on: a window holds queues and others' share, and a slow start
// that knew the rate gained next to nothing (docs/law.md).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "stack/base/time.h"
#include "stack/tcp/tuple.h"
#include "stack/wire/ip_address.h"

namespace braid::cc {
class QueueTrials;
}

namespace braid::tcp {

class PathRecord {
 public:
  // RFC 1191 6.3, RFC 8899 PMTU_RAISE_TIMER: how long an MTU is believed; a round trip too.
  static constexpr Duration kLifetime = 600s;

  PathRecord();
  void note_rtt(Duration rtt, Instant now);  // zero: nothing was measured
  void note_mtu(std::uint32_t mtu, Instant now);

  Duration min_rtt(Instant now) const;   // the least; zero: unknown
  std::uint32_t mtu(Instant now) const;  // bytes of an IP packet; 0: unknown
  // What its connections try together.
  const std::shared_ptr<cc::QueueTrials>& queue_trials() const { return queue_trials_; }
  bool knows_anything(Instant now) const { return now <= last_ + kLifetime; }

 private:
  Duration min_rtt_{};
  Instant min_rtt_at_;
  std::uint32_t mtu_ = 0;
  Instant mtu_at_;
  Instant last_ = Instant::min();  // anything was noted
  std::shared_ptr<cc::QueueTrials> queue_trials_;
};

class PathMemory {
 public:
  // Records nobody uses are dropped beyond so many: first those that know nothing any more.
  static constexpr std::size_t kSpare = 4096;

  // The path's one record, for a connection to hold while it lives.
  std::shared_ptr<PathRecord> of(InterfaceId interface, const wire::IpAddress& remote, Instant now);
  // Another network is at the interface's other end.
  void forget(InterfaceId interface);
  std::size_t size() const { return records_.size(); }

 private:
  void sweep(Instant now);

  std::map<std::pair<InterfaceId, wire::IpAddress>, std::shared_ptr<PathRecord>> records_;
  std::size_t sweep_at_ = kSpare;  // records
};

}  // namespace braid::tcp
