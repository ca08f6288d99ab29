#include "stack/mptcp/announcer.h"

#include <algorithm>

namespace braid::mptcp {

void Announcer::announce(std::uint8_t address_id, const wire::IpAddress& address,
                         std::uint16_t port) {
  withdraw(address_id);
  pending_.push_back({.address_id = address_id, .address = address, .port = port});
}

void Announcer::withdraw(std::uint8_t address_id) {
  std::erase_if(pending_, [=](const Announcement& a) { return a.address_id == address_id; });
}

void Announcer::echoed(std::uint8_t address_id) { withdraw(address_id); }

void Announcer::start_over() {
  for (Announcement& a : pending_) {
    a.sent = 0;
    a.next = Instant::min();
  }
}

std::vector<wire::AddAddr> Announcer::due(MptcpKey local, MptcpKey remote, Duration rto,
                                          Instant now) {
  std::vector<wire::AddAddr> out;
  for (Announcement& a : pending_) {
    if (a.next > now) continue;
    wire::AddAddr option{.address_id = a.address_id, .address = a.address};
    if (a.port != 0) option.port = a.port;
    option.truncated_hmac = add_addr_hmac(local, remote, a.address_id, a.address, a.port);
    out.push_back(option);
    a.next = a.sent < kMaxRepeats ? now + rto * (1 << a.sent) : kNever;
    ++a.sent;
  }
  return out;
}

Instant Announcer::next_deadline() const {
  Instant earliest = kNever;
  for (const Announcement& a : pending_) earliest = std::min(earliest, a.next);
  return earliest;
}

}  // namespace braid::mptcp
