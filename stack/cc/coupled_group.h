// CoupledGroup: the subflows of one MPTCP connection, as far as congestion control couples them.
//
// Members state their window, their RTT and how long they run between losses; each algorithm makes
// of it what its paper says. alpha() is LIA's (RFC 6356 4), the aggressiveness that makes all of
// them together take what one TCP would on the best path:
//
//     alpha = total * max(w_i / rtt_i^2) / (sum(w_i / rtt_i))^2
//
// It is computed anew when a member joined, left, lost something or ended a round trip.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stack/base/time.h"
#include "stack/cc/bottleneck_watch.h"

namespace braid::cc {

class CoupledGroup {
 public:
  // One subflow's share of the truth. `window`: cwnd, ssthresh in fast recovery, and not more than
  // is in flight when the application is the limit. A member without RTT does not count yet.
  struct Member {
    std::uint64_t window = 0;  // bytes
    Duration rtt{};
    std::uint64_t loss_run = 0;  // bytes: the longer one of between the last two losses, and since
    // Bytes per second, the x of the papers. Only of a member with an RTT.
    double rate() const { return static_cast<double>(window) / to_seconds(rtt); }
    bool counts() const { return rtt > Duration::zero(); }
  };

  CoupledGroup() = default;
  CoupledGroup(const CoupledGroup&) = delete;
  CoupledGroup& operator=(const CoupledGroup&) = delete;
  ~CoupledGroup();  // every member has left

  void join(const Member& member);
  void leave(const Member& member);
  // Something alpha depends on has changed enough to matter.
  void changed() { stale_ = true; }

  double alpha() const;
  std::uint64_t total_window() const;  // bytes, of members that count
  double total_rate() const;           // bytes per second, of members that count
  std::span<const Member* const> members() const { return members_; }
  std::size_t size() const { return members_.size(); }
  BottleneckWatch& watch() { return watch_; }

 private:
  double compute_alpha() const;

  std::vector<const Member*> members_;
  BottleneckWatch watch_;
  mutable double alpha_ = 1;
  mutable bool stale_ = true;
};

}  // namespace braid::cc
