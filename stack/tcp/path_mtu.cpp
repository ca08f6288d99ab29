#include "stack/tcp/path_mtu.h"

#include <algorithm>
#include <vector>

#include "stack/base/ensure.h"

namespace braid::tcp {
namespace {

// MTUs that links have: tunnels and PPP over Ethernet, larger frames (RFC 1191 7.1 and after).
constexpr std::uint32_t kCommon[] = {576,  1006, 1200, 1280, 1340, 1380, 1400, 1420, 1440, 1452,
                                     1460, 1472, 1480, 1492, 1500, 2002, 4352, 8166, 9000};
// RFC 8899 5.1.2. Smaller ones are tried only when this one does not arrive either; IPv6 has none.
constexpr std::uint32_t kBaseIpv4 = 1200;
constexpr std::uint32_t kLeastIpv4 = 576;
constexpr std::uint32_t kLeastIpv6 = 1280;
// Timeouts before a still smaller size is taken.
constexpr std::uint32_t kFruitless = 3;

}  // namespace

PathMtu::PathMtu(wire::Family family, std::uint32_t interface, std::uint32_t known)
    : family_(family), ceiling_(interface), size_(interface), source_(Source::kInterface) {
  if (known == 0 || known >= interface) return;
  size_ = std::max(known, std::min(least(), interface));
  source_ = Source::kShared;
}

std::uint32_t PathMtu::least() const {
  return family_ == wire::Family::kIpv4 ? kLeastIpv4 : kLeastIpv6;
}

std::uint32_t PathMtu::base() const {
  return family_ == wire::Family::kIpv4 ? kBaseIpv4 : kLeastIpv6;
}

// The next common size down; the least one when there is none.
std::uint32_t PathMtu::below(std::uint32_t size) const {
  std::uint32_t next = least();
  for (const std::uint32_t common : kCommon) {
    if (common < size) next = std::max(next, common);
  }
  return next;
}

void PathMtu::set_ceiling(std::uint32_t ceiling) {
  ceiling_ = std::min(ceiling_, ceiling);
  size_ = std::min(size_, ceiling_);
}

// ---- evidence

// A size that has passed before is suspected at the second timeout, one that never has at the
// first; and so is one that is lost while small packets pass.
PathMtu::Change PathMtu::timed_out(std::uint32_t packet, std::uint32_t consecutive) {
  const bool stuck = packet <= size_ && consecutive >= kFruitless;
  if (state_ == State::kTrial) return stuck ? shrink() : lower_trial();
  if (packet <= base()) return stuck && source_ == Source::kProbing ? shrink() : Change::kNone;
  if (packet > size_) return Change::kNone;
  const bool proven = largest_arrived_ >= packet && last_arrived_ != Last::kSmall;
  return consecutive >= (proven ? 2U : 1U) ? begin_trial() : Change::kNone;
}

PathMtu::Change PathMtu::begin_trial() {
  state_ = State::kTrial;
  believed_ = size_;
  size_ = base();
  last_arrived_ = Last::kNothing;
  fruitless_ = failures_ = 0;
  return Change::kResized;
}

PathMtu::Change PathMtu::lower_trial() {
  if (last_arrived_ != Last::kNothing) return Change::kNone;  // small ones pass: the probe decides
  if (++fruitless_ < kFruitless || size_ == least()) return Change::kNone;
  return shrink();
}

// Even the size that was held to pass does not.
PathMtu::Change PathMtu::shrink() {
  fruitless_ = 0;
  if (size_ == least()) return Change::kNone;
  size_ = below(size_);
  return Change::kResized;
}

PathMtu::Change PathMtu::arrived(std::uint32_t packet) {
  largest_arrived_ = std::max(largest_arrived_, packet);
  last_arrived_ = packet > base() ? Last::kLarge : Last::kSmall;
  if (state_ != State::kTrial || packet < believed_) return Change::kNone;
  state_ = State::kSettled;  // one that left before the trial: a false alarm
  size_ = believed_;
  return Change::kResized;
}

PathMtu::Change PathMtu::told(std::uint32_t mtu, Instant now) {
  const std::uint32_t suspect = believed();
  const std::uint32_t limit = std::max(mtu != 0 ? mtu : below(suspect), least());
  if (limit >= suspect && state_ != State::kSearching) return Change::kNone;
  if (limit >= size_ && state_ == State::kSearching) {
    // About a probe: the router spares us the rest of the search, but for trying its word.
    failing_ = std::min(failing_, limit + 1);
    if (candidate_ <= limit) return Change::kNone;
    if (limit == size_) return search(now);
    candidate_ = limit;
    failures_ = 0;
    return Change::kNone;
  }
  state_ = State::kSettled;
  size_ = limit;
  source_ = Source::kRouter;
  raise_at_ = now + kRaiseAfter;
  return Change::kFound;
}

// ---- probing

std::uint32_t PathMtu::next_probe(Instant now) {
  switch (state_) {
    case State::kTrial: return last_arrived_ == Last::kNothing ? 0 : believed_;
    case State::kSearching: return candidate_;
    case State::kSettled: break;
  }
  if (size_ >= ceiling_) return 0;
  if (raise_at_ == kNever) raise_at_ = now + kRaiseAfter;  // known from others, just now
  if (now < raise_at_) return 0;
  failing_ = ceiling_ + 1;
  state_ = State::kSearching;
  failures_ = 0;
  candidate_ = ceiling_;  // the route has changed, or it has not
  return candidate_;
}

PathMtu::Change PathMtu::probe_arrived(Instant now) {
  failures_ = 0;
  if (state_ == State::kTrial) return arrived(believed_);
  if (state_ != State::kSearching) return Change::kNone;
  size_ = candidate_;
  source_ = size_ == ceiling_ ? Source::kInterface : Source::kProbing;
  largest_arrived_ = std::max(largest_arrived_, size_);
  last_arrived_ = Last::kLarge;
  search(now);
  return Change::kResized;
}

PathMtu::Change PathMtu::probe_lost(Instant now) {
  if (state_ == State::kSettled || ++failures_ < kMaxProbes) return Change::kNone;
  if (state_ == State::kTrial) {
    failing_ = believed_;
    source_ = Source::kProbing;
    largest_arrived_ = size_;
    search(now);
    return Change::kFound;
  }
  failing_ = candidate_;
  search(now);
  return Change::kNone;
}

// Halves what lies between size_, which passes, and failing_, which does not.
PathMtu::Change PathMtu::search(Instant now) {
  std::vector<std::uint32_t> between;
  for (const std::uint32_t common : kCommon) {
    if (common > size_ && common < failing_ && common <= ceiling_) between.push_back(common);
  }
  failures_ = 0;
  if (between.empty()) {
    state_ = State::kSettled;
    raise_at_ = now + kRaiseAfter;
  } else {
    state_ = State::kSearching;
    candidate_ = between[between.size() / 2];
  }
  return Change::kNone;
}

void PathMtu::validate() const {
  ENSURE(size_ <= ceiling_);
  ENSURE(state_ != State::kTrial || size_ <= believed_);
  ENSURE(state_ != State::kSearching || (candidate_ > size_ && candidate_ < failing_));
}

}  // namespace braid::tcp
