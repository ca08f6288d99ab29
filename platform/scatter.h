// Scatter: the iovec list of one outgoing packet: vnet header, link header, IP headers, payload
// slices.
#pragma once

#include <sys/uio.h>

#include <array>

#include "platform/vnet_header.h"

namespace braid::platform {

class Scatter {
 public:
  // References `vnet`, `link` and `packet`, which must outlive it.
  Scatter(const VnetHeader& vnet, Bytes link, const PacketOut& packet) {
    add(&vnet, sizeof vnet);
    if (!link.empty()) add(link.data(), link.size());
    add(packet.header.data(), packet.header_length);
    for (const Bytes slice : packet.payload) add(slice.data(), slice.size());
  }

  iovec* data() { return parts_.data(); }
  std::size_t count() const { return count_; }

 private:
  void add(const void* data, std::size_t length) {
    // An iovec is for reading too, hence its pointer to non-const; sending only reads.
    parts_[count_++] = {const_cast<void*>(data), length};
  }

  std::array<iovec, 3 + Slices::kCapacity> parts_{};
  std::size_t count_ = 0;
};

}  // namespace braid::platform
