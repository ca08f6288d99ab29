// FrameSocket: whole Ethernet frames of one interface, in and out, cheaply: a memory-mapped receive
// ring (packet(7), TPACKET_V2) and batched sends. Each frame comes with the kernel's time of
// arrival, so an emulator that wakes up late still knows when the frame was there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/base/time.h"
#include "tests/support/sim/link_model.h"

namespace braid::linkemu {

// CLOCK_MONOTONIC.
Instant clock_now();

class FrameSocket {
 public:
  // Throws std::system_error; needs CAP_NET_RAW in the interface's network namespace.
  explicit FrameSocket(const std::string& interface);
  ~FrameSocket();
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;

  int descriptor() const { return fd_; }
  const std::string& interface() const { return interface_; }

  // Hands over every frame in the ring, with its arrival time, none later than the clock.
  void drain(const std::function<void(Bytes frame, Instant arrival)>& take);
  // Gathers frames; send() or a full batch puts them on the wire. Frames an interface that is down
  // or full does not take are lost and counted.
  void add(sim::Packet frame);
  void send();

  // Forgets a pending socket error (the interface went down), so that polling goes quiet again.
  void clear_error();
  // The interface's own up/down flag: its peer sees the carrier.
  void set_interface_up(bool up);

  std::uint64_t lost_in_ring();  // since the start: frames that found the ring full
  std::uint64_t lost_on_send() const { return lost_on_send_; }
  // Frames that an interface with offloads made unusable: larger than the MTU or without checksum.
  std::uint64_t unusable() const { return unusable_; }

 private:
  void map_ring(std::uint32_t mtu);
  std::uint8_t* slot(std::uint32_t index) const { return ring_ + std::size_t{index} * slot_size_; }

  std::string interface_;
  int fd_ = -1;
  std::uint8_t* ring_ = nullptr;
  std::size_t ring_bytes_ = 0;
  std::uint32_t slot_size_ = 0;
  std::uint32_t next_slot_ = 0;
  std::vector<sim::Packet> batch_;
  std::uint64_t lost_in_ring_ = 0;
  std::uint64_t lost_on_send_ = 0;
  std::uint64_t unusable_ = 0;
};

}  // namespace braid::linkemu
