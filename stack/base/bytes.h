// Bytes and Slices: views of memory somebody else owns.
//
// Slices is the payload of a Segment: a short list of spans that together form one run of bytes,
// usually pointing into the chunks of a Pipe. Both are valid until the end of the flush or receive
// that made them; whoever keeps bytes longer copies them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "stack/base/ensure.h"

namespace braid {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

class Slices {
 public:
  // 64 KiB over 16 KiB chunks starting anywhere: five; three spare.
  static constexpr std::size_t kCapacity = 8;

  Slices() = default;
  Slices(Bytes one) { append(one); }  // NOLINT: a span is a list of one

  // Adds bytes at the end; joins them to the last slice where they touch. An empty span is nothing.
  void append(Bytes bytes) {
    if (bytes.empty()) return;
    if (count_ > 0 && slices_[count_ - 1].data() + slices_[count_ - 1].size() == bytes.data()) {
      slices_[count_ - 1] =
          Bytes(slices_[count_ - 1].data(), slices_[count_ - 1].size() + bytes.size());
    } else {
      ENSURE(count_ < kCapacity);
      slices_[count_++] = bytes;
    }
    size_ += static_cast<std::uint32_t>(bytes.size());
  }

  bool full() const { return count_ == kCapacity; }
  bool empty() const { return size_ == 0; }
  std::uint32_t size() const { return size_; }  // bytes
  std::span<const Bytes> list() const { return {slices_.data(), count_}; }
  auto begin() const { return list().begin(); }
  auto end() const { return list().end(); }

  // Bytes [from, from + length) of this run; the range must lie inside.
  Slices sub(std::uint32_t from, std::uint32_t length) const;
  // Copies the whole run to `to`, which must be at least size() long.
  void copy_to(MutableBytes to) const;
  std::vector<std::uint8_t> to_vector() const;
  // Same bytes, however they are cut.
  bool operator==(const Slices& other) const;

 private:
  std::array<Bytes, kCapacity> slices_{};
  std::size_t count_ = 0;
  std::uint32_t size_ = 0;
};

// Big-endian access for wire formats; the caller has checked the length.
constexpr std::uint16_t load_be16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
constexpr std::uint32_t load_be32(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}
constexpr std::uint64_t load_be64(const std::uint8_t* p) {
  return std::uint64_t{load_be32(p)} << 32 | load_be32(p + 4);
}
constexpr void store_be16(std::uint8_t* p, std::uint16_t v) {
  p[0] = static_cast<std::uint8_t>(v >> 8);
  p[1] = static_cast<std::uint8_t>(v);
}
constexpr void store_be32(std::uint8_t* p, std::uint32_t v) {
  store_be16(p, static_cast<std::uint16_t>(v >> 16));
  store_be16(p + 2, static_cast<std::uint16_t>(v));
}
constexpr void store_be64(std::uint8_t* p, std::uint64_t v) {
  store_be32(p, static_cast<std::uint32_t>(v >> 32));
  store_be32(p + 4, static_cast<std::uint32_t>(v));
}

}  // namespace braid
