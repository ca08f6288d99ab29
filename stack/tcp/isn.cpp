#include "stack/tcp/isn.h"

#include <bit>
#include <cstddef>

namespace braid::tcp {
namespace {

class SipState {
 public:
  explicit SipState(const SipKey& key)
      : v0_(key[0] ^ 0x736f6d6570736575),
        v1_(key[1] ^ 0x646f72616e646f6d),
        v2_(key[0] ^ 0x6c7967656e657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  void compress(std::uint64_t word) {
    v3_ ^= word;
    rounds(2);
    v0_ ^= word;
  }

  std::uint64_t finish() {
    v2_ ^= 0xff;
    rounds(4);
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v3_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ += v3_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ += v1_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

std::uint64_t load_le(Bytes bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

// Which of the three uses a hash is for; different uses must not reveal each other.
enum Domain : std::uint8_t { kIsn, kTimestamp, kTable };

}  // namespace

std::uint64_t siphash(const SipKey& key, Bytes message) {
  SipState state(key);
  const std::uint64_t length = message.size();
  while (message.size() >= 8) {
    state.compress(load_le(message.first(8)));
    message = message.subspan(8);
  }
  state.compress(load_le(message) | length << 56);
  return state.finish();
}

TupleSecret::TupleSecret(Random& random) : key_{random.u64(), random.u64()} {}

SeqNum TupleSecret::isn(const Tuple& tuple, Instant now) const {
  const auto ticks =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() / 4;
  return SeqNum(static_cast<std::uint32_t>(ticks) + static_cast<std::uint32_t>(hash(tuple, kIsn)));
}

std::uint32_t TupleSecret::timestamp_offset(const Tuple& tuple) const {
  return static_cast<std::uint32_t>(hash(tuple, kTimestamp));
}

std::uint64_t TupleSecret::table_hash(const Tuple& tuple) const { return hash(tuple, kTable); }

std::uint64_t TupleSecret::hash(const Tuple& tuple, std::uint8_t domain) const {
  // domain, family, interface, two ports, two addresses of at most 16 bytes.
  std::array<std::uint8_t, 2 + 4 + 2 + 2 + 16 + 16> message{};
  message[0] = domain;
  message[1] = static_cast<std::uint8_t>(tuple.local.address.family());
  store_be32(&message[2], tuple.interface);
  store_be16(&message[6], tuple.local.port);
  store_be16(&message[8], tuple.remote.port);
  const Bytes local = tuple.local.address.bytes();
  const Bytes remote = tuple.remote.address.bytes();
  std::memcpy(&message[10], local.data(), local.size());
  std::memcpy(&message[26], remote.data(), remote.size());
  return siphash(key_, message);
}

}  // namespace braid::tcp
