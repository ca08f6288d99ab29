// PathHealth: whether (uplink, concentrator) is alive, learnt from what arrives there and from Info
// requests, never from Convert SYNs: those wait for a server (DESIGN 6).
//
// A path may live and still be no place to begin: some box on it swallows SYNs with payload, while
// joins, whose SYNs have none, get through. Such a path is deaf; only an answered Convert message
// proves that it is not.
#pragma once

#include <cstdint>

#include "stack/base/time.h"

namespace braid::gateway {

class PathHealth {
 public:
  // A packet of the concentrator's has arrived by this uplink.
  void heard(Instant now);
  // An Info request is on its way.
  void asked(Instant now) { last_asked_ = now; }
  // A Convert message in a SYN was answered there.
  void answered(Instant now);
  // A round trip to the concentrator itself was measured (Info, or an established subflow).
  void measured(Duration rtt);
  // An Info request stayed unanswered. The path is dead until something is heard, or until the
  // quarantine ends; each failure in a row doubles it (1 s to 60 s).
  void probe_failed(Instant now);
  // An Info request stayed unanswered although other packets came in meanwhile. Quarantined alike.
  void found_deaf(Instant now);
  // A SYN without MP_CAPABLE was answered where those with it were not: connections that begin there
  // are plain for a while, one minute at first, doubled each time up to an hour (RFC 8684 M35).
  void found_capable_blocked(Instant now);
  // MPTCP was agreed on there.
  void capable_passed();
  bool blocks_capable(Instant now) const { return now < capable_blocked_until_; }
  // The link changed under us: what was learnt no longer holds (S24: a new attachment re-probes).
  void forget();

  bool is_dead(Instant now) const { return now < dead_until_; }
  bool is_deaf(Instant now) const { return now < deaf_until_; }
  bool hears(Instant now) const { return !is_dead(now) && !is_deaf(now); }
  // Asked in vain, and no Convert message answered since, whatever else came in and whether the
  // quarantine is over or not: to begin there, any other path is better.
  bool is_doubtful() const { return last_failed_ > last_answered_; }
  // When a path is to be asked though no connection begins there: a doubtful one at the end of its
  // quarantine, or kIdle after the last question when something else was heard (a refusal, say);
  // another after kIdle of silence.
  Instant next_question() const;
  bool heard_since(Instant when) const { return last_heard_ >= when; }
  // Something came in since then, and a Convert message was answered not long before: a Convert SYN
  // without an answer waits for its server.
  bool proven_since(Instant when) const {
    return heard_since(when) && !is_doubtful() && last_answered_ >= when - kTrust;
  }
  // How long a Convert SYN may stay silent before the path is asked: max(2 x RTT, 100 ms).
  Duration patience() const;
  // How long an Info request may stay silent before the path counts as dead: 3 x RTT, 200 ms at
  // least, doubled with each one unanswered (twice at most): else a slower path would never be
  // measured.
  Duration verdict_after() const;
  // When the quarantine ends; the distant past when there is none.
  Instant dead_until() const { return dead_until_; }
  Instant deaf_until() const { return deaf_until_; }
  Duration rtt() const { return rtt_; }  // zero: never measured

  static constexpr Duration kIdle = 5s;
  static constexpr Duration kTrust = 10s;

 private:
  Instant last_heard_ = Instant::min();
  Instant last_answered_ = Instant::min();
  Instant last_failed_ = Instant::min();
  Instant last_asked_ = Instant::min();
  Instant dead_until_ = Instant::min();
  Instant deaf_until_ = Instant::min();
  Duration rtt_{};
  std::uint32_t failures_ = 0;
  std::uint32_t deaf_failures_ = 0;
  Instant capable_blocked_until_ = Instant::min();
  std::uint32_t capable_failures_ = 0;
  std::uint32_t unanswered_ = 0;  // Info requests, since one was answered
};

}  // namespace braid::gateway
