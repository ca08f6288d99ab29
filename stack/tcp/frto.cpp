#include "stack/tcp/frto.h"

namespace braid::tcp {

Frto::Verdict Frto::on_ack(const Facts& facts, std::uint32_t mss) {
  Verdict verdict = Verdict::kUnknown;
  if (stage_ == Stage::kHead)
    verdict = after_head(facts, mss);
  else if (stage_ == Stage::kNewData)
    verdict = after_new_data(facts);
  if (verdict != Verdict::kUnknown) stop();
  return verdict;
}

Frto::Verdict Frto::after_head(const Facts& facts, std::uint32_t mss) {
  if (!facts.advanced) {
    // With SACK it may tell of anything, and the head's ACK is still to come.
    return facts.duplicate && !facts.sack ? Verdict::kGenuine : Verdict::kUnknown;
  }
  if (facts.una >= facts.nxt) return Verdict::kGenuine;  // nothing is left that could tell
  stage_ = Stage::kNewData;
  point_ = facts.nxt;
  quota_ = std::uint64_t{kNewSegments} * mss;
  sent_ = 0;
  return Verdict::kUnknown;
}

Frto::Verdict Frto::after_new_data(const Facts& facts) const {
  if (!facts.advanced && !facts.duplicate && facts.highest == 0) return Verdict::kUnknown;
  if (facts.highest > point_ || facts.originals == 0) return Verdict::kGenuine;
  return Verdict::kSpurious;
}

}  // namespace braid::tcp
