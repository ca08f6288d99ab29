// Data sequence numbers (RFC 8684 3.3) beside pipe offsets.
//
// A DSN counts modulo 2^64 from the key's IDSN; IDSN + 1 is the first byte of the stream. A pipe
// counts from 0. DataSequence joins the two for one direction and promotes the 32-bit forms a peer
// may use (M54) to the nearest 64-bit value.
#pragma once

#include <cstdint>

#include "stack/base/seq.h"

namespace braid::mptcp {

class DataSequence {
 public:
  DataSequence() = default;
  // `first`: the pipe offset of the byte with DSN IDSN + 1. It is not 0 when a SYN's payload held
  // stream bytes, which lie outside the data sequence space (M36).
  DataSequence(std::uint64_t idsn, StreamOffset first) : base_(idsn + 1 - first.value()) {}

  std::uint64_t dsn(StreamOffset offset) const { return base_ + offset.value(); }
  // Modulo 2^64: a DSN left of the stream's start comes out enormous; compare with distance().
  StreamOffset offset(std::uint64_t dsn) const { return StreamOffset(dsn - base_); }
  // Signed distance in bytes from `near` to the offset this DSN stands for.
  std::int64_t distance(std::uint64_t dsn, StreamOffset near) const {
    return static_cast<std::int64_t>(dsn - this->dsn(near));
  }
  // The 64-bit DSN whose low half is `low`, nearest to that of `near`.
  std::uint64_t promote(std::uint32_t low, StreamOffset near) const {
    const std::uint64_t reference = dsn(near);
    const auto delta = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(reference));
    return reference + static_cast<std::uint64_t>(static_cast<std::int64_t>(delta));
  }

 private:
  std::uint64_t base_ = 0;
};

}  // namespace braid::mptcp
