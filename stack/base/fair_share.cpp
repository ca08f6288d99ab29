#include "stack/base/fair_share.h"

#include <algorithm>

namespace braid {
namespace {

constexpr std::uint64_t kFewest = 3;  // so many are counted at least: none has more than a quarter

}  // namespace

void FairShare::join(Member& member) {
  if (member.shares_) return;
  member.shares_ = true;
  ++members_;
  append(member);
}

void FairShare::leave(Member& member) {
  if (!member.shares_) return;
  member.shares_ = false;
  --members_;
  unlink(member);
}

void FairShare::took(Member& member, std::uint64_t bytes) {
  taken_ += bytes;
  if (!member.shares_) return;
  unlink(member);
  append(member);
}

std::uint64_t FairShare::share() const {
  return (budget_ - budget_ / 4) / std::max<std::uint64_t>(members_, kFewest);
}

void FairShare::reclaim() {
  while (oldest_ != nullptr && taken_ - oldest_->last_taken_ > budget_) oldest_->give_back();
}

void FairShare::append(Member& member) {
  member.last_taken_ = taken_;
  member.older_ = newest_;
  (newest_ != nullptr ? newest_->newer_ : oldest_) = &member;
  newest_ = &member;
}

void FairShare::unlink(Member& member) {
  (member.older_ != nullptr ? member.older_->newer_ : oldest_) = member.newer_;
  (member.newer_ != nullptr ? member.newer_->older_ : newest_) = member.older_;
  member.older_ = member.newer_ = nullptr;
}

}  // namespace braid
