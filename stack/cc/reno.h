// Reno: one segment more per round trip, half after a loss (RFC 5681).
#pragma once

#include "stack/cc/loss_based.h"

namespace braid::cc {

class Reno final : public LossBased {
 public:
  explicit Reno(std::uint32_t mss) : LossBased(mss) {}
  std::string_view name() const override { return "reno"; }

 private:
  void avoid(const Ack& ack, std::uint64_t bytes) override;
  std::uint64_t reduced(const Congestion& event) override;

  std::uint64_t delivered_ = 0;  // bytes since the last growth
};

}  // namespace braid::cc
