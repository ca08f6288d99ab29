// Numbers a stranger must not guess: initial sequence numbers (RFC 6528), timestamp offsets
// (RFC 7323 5.4) and the hash of the connection table. All are SipHash-2-4 of the 4-tuple and the
// interface under one secret key drawn at start.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/random.h"
#include "stack/base/seq.h"
#include "stack/base/time.h"
#include "stack/tcp/tuple.h"

namespace braid::tcp {

using SipKey = std::array<std::uint64_t, 2>;

// SipHash-2-4 (Aumasson and Bernstein, 2012).
std::uint64_t siphash(const SipKey& key, Bytes message);

class TupleSecret {
 public:
  explicit TupleSecret(Random& random);

  // RFC 6528 3: a clock of 4 microseconds plus a hash that differs per tuple.
  SeqNum isn(const Tuple& tuple, Instant now) const;
  // Constant per tuple, so that a reused tuple goes on with rising timestamps (RFC 6191).
  std::uint32_t timestamp_offset(const Tuple& tuple) const;
  // For a hash table that strangers cannot fill with collisions.
  std::uint64_t table_hash(const Tuple& tuple) const;

 private:
  std::uint64_t hash(const Tuple& tuple, std::uint8_t domain) const;
  SipKey key_;
};

}  // namespace braid::tcp
