#include "platform/device.h"

#include "platform/result.h"
#include "platform/vnet_header.h"

namespace braid::platform {

namespace {

// vnet and link headers before a packet of the largest size, and one byte that tells longer ones.
constexpr std::size_t kBufferSize = kMaxPacket + sizeof(VnetHeader) + 64;

}  // namespace

Device::Device(UniqueFd fd) : fd_(std::move(fd)), buffer_(kBufferSize) {}

Door::Sent Device::outcome(int error_number, std::uint32_t ip_bytes) {
  if (error_number == 0) {
    ++counters_.packets_out;
    counters_.bytes_out += ip_bytes;
    return Sent::kYes;
  }
  if (error_number == EAGAIN) {
    ++counters_.busy;
    if (!blocked_) {
      blocked_ = true;
      if (on_blocked_) on_blocked_();
    }
    return Sent::kBusy;
  }
  // ENOBUFS is a full queue; ENETDOWN, EIO, EMSGSIZE and the like lose the packet just the same.
  ++counters_.lost;
  counters_.last_send_error = system_error(error_number);
  return Sent::kLost;
}

PacketIn Device::received(PacketIn packet) {
  ++counters_.packets_in;
  counters_.bytes_in += packet.bytes.size();
  return packet;
}

}  // namespace braid::platform
