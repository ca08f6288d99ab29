// PathManager: which additional subflows a connection should have, and what it knows of addresses
// (RFC 8684 3.2, 3.4). Pure bookkeeping: the connection opens and closes.
//
// One subflow per local path. Candidates, in this order: the address another connection was let in
// at over this path; the peer's first address when its family fits and the peer did not forbid it
// (M29); those it advertised. A join that failed is tried at the next candidate at once, and when
// all were tried after a pause that doubles: M48 and M95 advise against the same address at all,
// but a path that was down is why this connection has several. An address once in use is never
// replaced under the same id without REMOVE_ADDR (M92, M93). Timer: one per local path, until its
// next attempt.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "stack/mptcp/paths.h"

namespace braid::mptcp {

class PathManager {
 public:
  static constexpr Duration kLongestPause = 60s;
  static constexpr std::size_t kMaxAddresses = 16;  // of the peer, remembered

  explicit PathManager(Duration retry_after) : retry_after_(retry_after) {}

  enum class Joinable : std::uint8_t { kYes, kDenied };  // C in the peer's MP_CAPABLE
  void set_primary(const wire::Endpoint& remote, Joinable joinable);
  void set_primary_joinable(Joinable joinable) { primary_joinable_ = joinable; }
  // ADD_ADDR whose HMAC was right; without a port the first subflow's is meant (M94).
  void advertised(std::uint8_t id, const wire::IpAddress& address,
                  std::optional<std::uint16_t> port);
  void withdrawn(std::uint8_t id);  // REMOVE_ADDR

  struct Join {
    LocalPath path;
    wire::Endpoint remote;
  };
  using Occupied = std::function<bool(const LocalPath&)>;
  // What should be joined now. Each answer is followed by attempted().
  std::optional<Join> next(std::span<const LocalPath> paths, const Occupied& occupied,
                           Instant now) const;
  void attempted(const LocalPath& path, Instant now);
  // How long the present attempt may stay unanswered: short while there is another address to try.
  Duration patience(const LocalPath& path) const;
  void succeeded(const LocalPath& path);
  // M105: a permanent refusal is given a long pause.
  enum class Refusal : std::uint8_t { kTransient, kPermanent };
  void failed(const LocalPath& path, Refusal refusal, Instant now);
  // Paths that became usable, or alive again, start afresh; these are they.
  std::vector<LocalPath> paths_changed(std::span<const LocalPath> paths);
  // When next() may have another answer.
  Instant next_deadline(std::span<const LocalPath> paths, const Occupied& occupied,
                        Instant now) const;

 private:
  struct Address {
    std::uint8_t id = 0;
    wire::Endpoint endpoint;
  };
  struct Attempts {
    std::uint32_t failures = 0;  // in a row
    Instant next = Instant::min();
    bool was_usable = true;
    std::optional<std::uint32_t> revivals;  // of the path, when it was looked at last
  };
  struct Tried {
    tcp::InterfaceId interface = 0;
    wire::IpAddress address;
    Attempts attempts;
  };
  static bool is_over(const Tried& tried, const LocalPath& path);
  std::vector<wire::Endpoint> candidates(const LocalPath& path) const;
  std::optional<wire::Endpoint> remote_for(const LocalPath& path) const;
  const Attempts& attempts_of(const LocalPath& path) const;
  Attempts& attempts_of(const LocalPath& path);

  Duration retry_after_;
  wire::Endpoint primary_;
  Joinable primary_joinable_ = Joinable::kYes;
  std::vector<Address> addresses_;  // advertised by the peer, ascending ids
  std::vector<Tried> tried_;        // over which of our paths; few
};

}  // namespace braid::mptcp
