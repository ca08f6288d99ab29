// The one source of chance a machine may use: a seeded generator that is passed down.
//
// Protocol secrets (MPTCP keys, the ISN secret) are drawn from it too; the program seeds it from
// the operating system's entropy and the simulator from its seed, so a run is a function of its
// inputs. The generator is ChaCha20 keyed by the seed: unpredictable to a peer that sees its
// outputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace braid {

class Random {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit Random(const Key& key);
  // For tests and the simulator: a key derived from a number.
  explicit Random(std::uint64_t seed);

  std::uint32_t u32();
  std::uint64_t u64();
  // Uniform in [0, bound); bound must not be 0.
  std::uint32_t below(std::uint32_t bound);
  // Uniform in [0, 1).
  double unit();
  // True with this probability.
  bool chance(double probability) { return unit() < probability; }

 private:
  void refill();

  std::array<std::uint32_t, 16> state_{};
  std::array<std::uint32_t, 16> block_{};
  std::size_t used_ = 16;
};

}  // namespace braid
