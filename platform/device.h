// Device: what TUN and packet socket have in common as doors: counters, readiness, batches.
//
// A device belongs to one event loop; watch_device() ties them together: packets are read in
// bounded batches when the descriptor is readable, and after kBusy the device is ready again when
// writable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "platform/event_loop.h"
#include "platform/fd.h"
#include "stack/base/packet.h"

namespace braid::platform {

struct DeviceCounters {
  std::uint64_t packets_in = 0;  // super-packets count once
  std::uint64_t bytes_in = 0;    // IP bytes
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t busy = 0;       // sends refused because the device was full
  std::uint64_t lost = 0;       // sends the device dropped
  std::uint64_t malformed = 0;  // incoming packets too short or too long
  std::error_code last_send_error;
};

class Device : public Door {
 public:
  int fd() const { return fd_.get(); }
  const DeviceCounters& counters() const { return counters_; }

  // The next packet, valid until the following read(); empty when there is none.
  virtual std::optional<PacketIn> read() = 0;
  static constexpr std::size_t kMostPackets = 512;  // of one drain()
  // Hands packets to on_packet(const PacketIn&) until is_enough(bytes handed over, IP), at most
  // kMostPackets. Returns how many there were.
  template <typename OnPacket, typename IsEnough>
  std::size_t drain(OnPacket&& on_packet, IsEnough&& is_enough) {
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < kMostPackets && !is_enough(bytes); ++count) {
      const auto packet = read();
      if (!packet) break;
      bytes += packet->bytes.size();
      on_packet(*packet);
    }
    return count;
  }

  bool ready() const override { return !blocked_; }
  // Called on each change from ready to blocked: somebody must call unblock() when fd() is
  // writable.
  void on_blocked(std::function<void()> handler) { on_blocked_ = std::move(handler); }
  void unblock() { blocked_ = false; }

 protected:
  explicit Device(UniqueFd fd);

  // Counts a send's outcome: `error_number` 0 is success.
  Sent outcome(int error_number, std::uint32_t ip_bytes);
  PacketIn received(PacketIn packet);

  UniqueFd fd_;
  DeviceCounters counters_;
  std::vector<std::uint8_t> buffer_;  // one packet with everything before it

 private:
  bool blocked_ = false;
  std::function<void()> on_blocked_;
};

// `receive(const PacketIn&, Instant now)` for every packet, in one wake-up until
// `is_enough(bytes)`; `opened()` when the device can send again after kBusy. The device outlives
// the watch, which ends with loop.unwatch(device.fd()).
template <typename Receive, typename IsEnough, typename Opened>
void watch_device(EventLoop& loop, Device& device, Receive receive, IsEnough is_enough,
                  Opened opened) {
  loop.watch(device.fd(), [&device, receive, is_enough](Instant now) {
    device.drain([&](const PacketIn& packet) { receive(packet, now); }, is_enough);
  });
  device.on_blocked([&loop, &device, opened] {
    loop.await_writable(device.fd(), [&device, opened](Instant) {
      device.unblock();
      opened();
    });
  });
}

}  // namespace braid::platform
