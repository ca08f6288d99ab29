// FakeDoor: a device that keeps what it is given, and answers as the test wishes.
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/packet.h"
#include "stack/wire/segment.h"

namespace braid::gateway {

class FakeDoor final : public Door {
 public:
  bool ready() const override { return is_ready; }
  Sent send(const PacketOut& packet) override {
    if (answer == Sent::kYes) packets.push_back(wire::flatten(packet));
    return answer;
  }
  std::uint32_t mtu() const override { return 1500; }
  std::uint32_t max_super_packet() const override { return 65535; }

  bool is_ready = true;
  Sent answer = Sent::kYes;
  std::vector<std::vector<std::uint8_t>> packets;  // whole, checksums filled in
};

}  // namespace braid::gateway
