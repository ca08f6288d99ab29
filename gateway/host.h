// Host: what both roles are made of: doors, IP, TCP, MPTCP and one memory budget, as one machine.
//
// receive() takes a packet of a door, flush() lets flows, MPTCP and TCP act in this order and
// emits, next_deadline() says when to come back. A role derives from it and decides about new SYNs.
#pragma once

#include <cstdint>

#include "gateway/doors.h"
#include "stack/base/agenda.h"
#include "stack/base/chunk_pool.h"
#include "stack/base/packet.h"
#include "stack/base/random.h"
#include "stack/ip/layer.h"
#include "stack/mptcp/layer.h"
#include "stack/tcp/layer.h"

namespace braid::gateway {

// The inside door's number in both roles; outside doors follow.
inline constexpr tcp::InterfaceId kInside = 0;

// A flow, a session, a probe: what the role owns per connection. Its flush() is called when it was
// woken or its deadline has come.
class Activity : public Agenda::Entry {
 public:
  virtual ~Activity() = default;
  virtual void flush(Instant now) = 0;
};

class Host {
 public:
  // `ip` may be shared with nobody. `memory_bytes`: of all pipes together.
  Host(ip::Layer& ip, Random& random, std::uint64_t memory_bytes);
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void set_door(tcp::InterfaceId interface, Door* door) { doors_.set(interface, door); }
  void receive(tcp::InterfaceId interface, const PacketIn& packet, Instant now);
  // Whether packets of so many bytes (IP) are what one flush should follow. A flush after each of a
  // crowd's packets would answer each alone, small ones beget small ones, and their number is what
  // costs: so the batch grows with the connections it has woken, to about two super-segments of
  // each. Of a few connections it stays so small that it is in the cache when it is sent on.
  bool is_batch(std::size_t bytes) const;
  // The device can send again after kBusy.
  void door_opened(tcp::InterfaceId interface) { tcp_.door_opened(interface); }
  void flush(Instant now);
  Instant next_deadline() const;

  Doors& doors() { return doors_; }
  tcp::Layer& tcp() { return tcp_; }
  mptcp::Layer& mptcp() { return mptcp_; }
  ip::Layer& ip() { return ip_; }
  ChunkPool& pool() { return pool_; }
  Agenda& agenda() { return agenda_; }
  Random& random() { return random_; }

  // A connection's settings for this door: MTU and super-segment size.
  tcp::ConnectionConfig connection_config(tcp::InterfaceId interface,
                                          cc::Algorithm algorithm) const;
  // Payload bytes of one super-segment there; 0: plain segments only.
  std::uint32_t max_super_payload(tcp::InterfaceId interface) const;

 protected:
  // A SYN without a connection. Answer with accept, refuse, or silence.
  virtual void new_syn(tcp::InterfaceId interface, const wire::Segment& syn, Instant now) = 0;
  // Any TCP segment that came in, before TCP sees it (path health listens).
  virtual void overhear(tcp::InterfaceId interface, const wire::Segment& segment, Instant now) = 0;
  // After a flush: free what is done.
  virtual void tidy(Instant now) = 0;

 private:
  ip::Layer& ip_;
  Random& random_;
  ChunkPool pool_;
  Doors doors_;
  Agenda agenda_;
  tcp::Layer tcp_;
  mptcp::Layer mptcp_;
};

}  // namespace braid::gateway
