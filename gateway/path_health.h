// PathHealth: whether (uplink, concentrator) is alive, learnt from what arrives there and from Info
// requests, never from Convert SYNs: those wait for a server (DESIGN 6).
//
// A path may live and still be no place to begin: some box on it swallows SYNs with payload, while
// joins, whose SYNs have none, get through. Such a path is deaf; only an answered Convert message
// proves that it is not.
//
// It is also what connections know of the path together (RFC 9040): its round trip, its windows,
// its segment size. New ones begin with the round trip alone. A window is one connection's share at
// a moment, and a slow start that stops at somebody else's share costs a lone connection more than
// it saves; the windows are kept for who asks.
#pragma once

#include <cstdint>

#include "stack/base/time.h"
#include "stack/tcp/connection.h"

namespace braid::gateway {

class PathHealth {
 public:
  // A packet of the concentrator's has arrived by this uplink.
  void heard(Instant now);
  // An Info request is on its way.
  void asked(Instant now);
  // A Convert message in a SYN was answered there.
  void answered(Instant now);
  // A round trip to the concentrator itself was measured (Info, or an established subflow).
  void measured(Duration rtt, Instant now);
  // What a subflow has found; news is what was heard later than what is known.
  void learnt(const tcp::Connection::PathInfo& info, Instant now);
  // An Info request stayed unanswered. New connections shun the path until something is heard or
  // the quarantine ends, which each failure in a row doubles (1 s to 60 s). If a connection misses
  // answers there as well, and the path is not known to be deaf, it is lost.
  void probe_failed(Instant now);
  // An Info request stayed unanswered although other packets came in meanwhile. Quarantined alike.
  void found_deaf(Instant now);
  // A SYN without MP_CAPABLE was answered where those with it were not: connections that begin
  // there are plain for a while, one minute at first, doubled each time up to an hour (RFC 8684
  // M35).
  void found_capable_blocked(Instant now);
  // MPTCP was agreed on there.
  void capable_passed();
  bool blocks_capable(Instant now) const { return now < capable_blocked_until_; }
  // The link changed under us: what was learnt no longer holds (S24: a new attachment re-probes).
  void forget();

  // What was due on it since `last_heard` did not come: it is to be asked, unless it was heard
  // since or asked just before.
  void suspected(Instant last_heard, Instant now);
  // A connection with bytes to carry misses it.
  void missed(Instant now) { last_missed_ = now; }

  // Found silent, and nothing heard since: no connection is to rely on it.
  bool is_lost() const { return lost_ == Lost::kYes; }
  std::uint32_t revivals() const { return revivals_; }
  bool is_suspect() const { return suspect_ == Suspect::kYes; }
  bool is_dead(Instant now) const { return now < dead_until_; }
  bool is_deaf(Instant now) const { return now < deaf_until_; }
  bool hears(Instant now) const { return !is_dead(now) && !is_deaf(now); }
  // Asked in vain, and no Convert message answered since, whatever else came in and whether the
  // quarantine is over or not: to begin there, any other path is better.
  bool is_doubtful() const { return last_failed_ > last_answered_; }
  // When a path is to be asked though no connection begins there: a doubtful one at the end of its
  // quarantine, or kIdle after the last question when something else was heard (a refusal, say);
  // another after kIdle of silence. A failed one that is missed is asked all the time.
  Instant next_question(Instant now) const;
  bool heard_since(Instant when) const { return last_heard_ >= when; }
  // Something came in since then, and a Convert message was answered not long before: a Convert SYN
  // without an answer waits for its server.
  bool proven_since(Instant when) const {
    return heard_since(when) && !is_doubtful() && last_answered_ >= when - kTrust;
  }
  // How long a Convert SYN may stay silent before the path is asked: max(2 x RTT, 100 ms).
  Duration patience(Instant now) const;
  // How long an Info request may stay silent before the path counts as dead: 3 x RTT, 200 ms at
  // least, doubled with each one unanswered (twice at most): else a slower path would never be
  // measured.
  Duration verdict_after(Instant now) const;
  // When the quarantine ends; the distant past when there is none.
  Instant dead_until() const { return dead_until_; }
  Instant deaf_until() const { return deaf_until_; }
  // The round trip as it should be now: the last one while it is fresh, queues and all, else the
  // least. Zero: never measured.
  Duration rtt(Instant now) const;
  static constexpr Duration kIdle = 5s;
  static constexpr Duration kTrust = 10s;
  // How long a measured round trip stands for the present one.
  static constexpr Duration kFresh = 1s;
  // How long the least of them is believed while all that come are larger.
  static constexpr Duration kLeastMemory = 300s;
  // How long after a connection missed it a failed path is asked all the time, and how often (an
  // Info request repeats itself meanwhile).
  static constexpr Duration kMissing = 10s;
  static constexpr Duration kEager = 600ms;

 private:
  void note_least(Duration rtt, Instant now);

  Instant last_heard_ = Instant::min();
  Instant last_answered_ = Instant::min();
  Instant last_failed_ = Instant::min();
  Instant last_asked_ = Instant::min();
  Instant dead_until_ = Instant::min();
  Instant deaf_until_ = Instant::min();
  enum class Lost : std::uint8_t { kNo, kYes } lost_ = Lost::kNo;
  enum class Suspect : std::uint8_t { kNo, kYes, kAsked } suspect_ = Suspect::kNo;
  // Silent to Convert messages while nothing else was wrong; until one is answered.
  enum class Hearing : std::uint8_t { kFine, kDeaf } hearing_ = Hearing::kFine;
  std::uint32_t revivals_ = 0;
  Instant last_missed_ = Instant::min();
  Instant measured_at_ = Instant::min();
  Duration rtt_{};
  Duration least_rtt_{};
  Instant least_rtt_at_ = Instant::min();
  std::uint32_t failures_ = 0;
  std::uint32_t deaf_failures_ = 0;
  Instant capable_blocked_until_ = Instant::min();
  std::uint32_t capable_failures_ = 0;
  std::uint32_t unanswered_ = 0;  // Info requests, since one was answered
};

}  // namespace braid::gateway
