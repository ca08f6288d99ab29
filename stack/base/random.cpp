// The ChaCha20 block function (RFC 8439 2.3), with an all-zero nonce and the block counter running
// on into the nonce words, so that the stream never repeats.
#include "stack/base/random.h"

#include <bit>

#include "stack/base/ensure.h"

namespace braid {
namespace {

using Words = std::array<std::uint32_t, 16>;

constexpr std::size_t kKeyWord = 4;
constexpr std::size_t kCounterWord = 12;

std::uint32_t load_le32(const std::uint8_t* p) {
  return std::uint32_t{p[3]} << 24 | std::uint32_t{p[2]} << 16 | std::uint32_t{p[1]} << 8 | p[0];
}

void quarter_round(Words& w, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
  w[a] += w[b];
  w[d] = std::rotl(w[d] ^ w[a], 16);
  w[c] += w[d];
  w[b] = std::rotl(w[b] ^ w[c], 12);
  w[a] += w[b];
  w[d] = std::rotl(w[d] ^ w[a], 8);
  w[c] += w[d];
  w[b] = std::rotl(w[b] ^ w[c], 7);
}

Words chacha20_block(const Words& state) {
  Words w = state;
  for (int double_round = 0; double_round < 10; ++double_round) {
    for (std::size_t i = 0; i < 4; ++i) quarter_round(w, i, i + 4, i + 8, i + 12);
    for (std::size_t i = 0; i < 4; ++i) {
      quarter_round(w, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
  }
  for (std::size_t i = 0; i < w.size(); ++i) w[i] += state[i];
  return w;
}

Random::Key key_from(std::uint64_t seed) {
  Random::Key key{};
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<std::uint8_t>(seed >> (8 * i));
  return key;
}

}  // namespace

Random::Random(const Key& key) {
  // "expand 32-byte k", as little-endian words.
  state_[0] = 0x61707865;
  state_[1] = 0x3320646e;
  state_[2] = 0x79622d32;
  state_[3] = 0x6b206574;
  for (std::size_t i = 0; i < 8; ++i) state_[kKeyWord + i] = load_le32(key.data() + 4 * i);
}

Random::Random(std::uint64_t seed) : Random(key_from(seed)) {}

std::uint32_t Random::u32() {
  if (used_ == block_.size()) refill();
  return block_[used_++];
}

std::uint64_t Random::u64() {
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::uint32_t Random::below(std::uint32_t bound) {
  ENSURE(bound != 0);
  // The top half of a 64-bit product is uniform once the few uneven low halves are drawn again.
  const std::uint32_t uneven = (0U - bound) % bound;
  std::uint64_t product = std::uint64_t{u32()} * bound;
  while (static_cast<std::uint32_t>(product) < uneven) product = std::uint64_t{u32()} * bound;
  return static_cast<std::uint32_t>(product >> 32);
}

double Random::unit() { return static_cast<double>(u64() >> 11) * 0x1p-53; }

void Random::refill() {
  block_ = chacha20_block(state_);
  used_ = 0;
  for (std::size_t i = kCounterWord; i < state_.size(); ++i) {
    if (++state_[i] != 0) break;
  }
}

}  // namespace braid
