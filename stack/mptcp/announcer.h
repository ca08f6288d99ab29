// Announcer: our ADD_ADDRs until the peer has echoed them (RFC 8684 3.4.1).
//
// Timer: repetition of each announcement after one RTO, doubled each time, a few times (M90). What
// is still not echoed then rests until there is a new subflow to say it on.
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/time.h"
#include "stack/mptcp/keys.h"

namespace braid::mptcp {

class Announcer {
 public:
  static constexpr std::uint32_t kMaxRepeats = 4;

  // A port of 0 says: the first subflow's.
  void announce(std::uint8_t address_id, const wire::IpAddress& address, std::uint16_t port);
  void withdraw(std::uint8_t address_id);
  void echoed(std::uint8_t address_id);
  // A subflow has opened: what nobody echoed is said again, as if it were new (M91).
  void start_over();

  // The options to send now (each on a pure ACK), by these keys.
  std::vector<wire::AddAddr> due(MptcpKey local, MptcpKey remote, Duration rto, Instant now);
  Instant next_deadline() const;

 private:
  struct Announcement {
    std::uint8_t address_id = 0;
    wire::IpAddress address;
    std::uint16_t port = 0;
    std::uint32_t sent = 0;
    Instant next = Instant::min();
  };
  std::vector<Announcement> pending_;
};

}  // namespace braid::mptcp
