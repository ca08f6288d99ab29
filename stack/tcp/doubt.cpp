#include "stack/tcp/doubt.h"

namespace braid::tcp {

namespace {
constexpr std::uint32_t kMostQuestions = 12;  // a restart takes its time
}  // namespace

void Doubt::text_arrived(Instant now) {
  last_text_ = now;
  if (patience_ != Duration::zero() && deadline_ == kNever) deadline_ = now + patience_;
}

Doubt::Verdict Doubt::on_deadline(Instant last_received, Instant now) {
  if (now < deadline_) return Verdict::kWait;
  if (last_received >= asked_at_) {  // answered, or never asked
    asked_ = 0;
    deadline_ = last_text_ >= asked_at_ ? last_received + patience_ : kNever;
    if (now < deadline_) return Verdict::kWait;
  }
  if (asked_ == kMostQuestions) {
    deadline_ = kNever;
    return Verdict::kWait;
  }
  ++asked_;
  asked_at_ = now;
  deadline_ = now + patience_;
  return Verdict::kAsk;
}

}  // namespace braid::tcp
