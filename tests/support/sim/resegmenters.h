// Middleboxes that cut or join: TCP segments, and IP packets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/sim/filter.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

// Which of the resulting segments carry the options of the segment that was cut; when joining,
// kFirst: the first one's options stay, kAll: the last one's.
enum class KeepOptions { kFirst, kAll };

// Cuts TCP payload into segments of at most this many bytes.
class Splitter final : public Filter {
 public:
  Splitter(std::uint32_t most, KeepOptions keep) : most_(most), keep_(keep) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

 private:
  std::uint32_t most_;
  KeepOptions keep_;
};

// Joins consecutive TCP segments of one connection while the packet stays within `most` bytes. A
// segment waits at most `patience` for its follower.
class Coalescer final : public Filter {
 public:
  Coalescer(std::uint32_t most, KeepOptions keep, Duration patience = 1ms)
      : most_(most), keep_(keep), patience_(patience) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;
  Instant next_deadline() override;
  void flush(Instant now, Output& out) override;

 private:
  struct Held {
    Packet packet;
    Instant until;
  };
  std::optional<Held>& held(Toward toward) { return held_[toward == Toward::kA ? 0 : 1]; }
  bool join(Packet& first, Packet& second) const;

  std::uint32_t most_;
  KeepOptions keep_;
  Duration patience_;
  std::optional<Held> held_[2];
};

// The fragments of an IP packet that does not fit `mtu`, with DF cleared; the packet itself when it
// fits or is a fragment already. IPv6 gets a fragment header, as from a host that cuts its own.
std::vector<Packet> fragments(Packet packet, std::uint32_t mtu, std::uint32_t identification);

// Cuts IP packets into fragments that fit `mtu`, DF or not.
class Fragmenter final : public Filter {
 public:
  enum class Order { kForward, kBackward };
  Fragmenter(std::uint32_t mtu, Order order) : mtu_(mtu), order_(order) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;

 private:
  std::uint32_t mtu_;
  Order order_;
  std::uint32_t next_identification_ = 1;
};

// A narrow hop: what is above `mtu` is dropped and answered with ICMP "too big" from `reporter` of
// the packet's family; without one, in silence (a PMTU black hole).
class NarrowHop final : public Filter {
 public:
  NarrowHop(std::uint32_t mtu, std::optional<wire::IpAddress> v4, std::optional<wire::IpAddress> v6)
      : mtu_(mtu), v4_(v4), v6_(v6) {}
  void pass(Packet packet, Toward toward, Instant now, Output& out) override;
  void set_mtu(std::uint32_t mtu) { mtu_ = mtu; }

 private:
  std::uint32_t mtu_;
  std::optional<wire::IpAddress> v4_;
  std::optional<wire::IpAddress> v6_;
};

}  // namespace braid::sim
