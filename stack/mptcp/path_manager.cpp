#include "stack/mptcp/path_manager.h"

#include <algorithm>
#include <utility>

namespace braid::mptcp {
namespace {

constexpr Duration kPermanentPause = 30s;
// A first SYN, and with a second address to try no more than that; doubled with each failure.
constexpr Duration kPatienceWithOthers = 1s;
constexpr Duration kPatience = 3s;
constexpr std::uint32_t kMostDoublings = 3;

}  // namespace

void PathManager::set_primary(const wire::Endpoint& remote, Joinable joinable) {
  primary_ = remote;
  primary_joinable_ = joinable;
}

void PathManager::advertised(std::uint8_t id, const wire::IpAddress& address,
                             std::optional<std::uint16_t> port) {
  const wire::Endpoint endpoint{address, port.value_or(primary_.port)};
  const auto place = std::find_if(addresses_.begin(), addresses_.end(),
                                  [id](const Address& known) { return known.id >= id; });
  if (place != addresses_.end() && place->id == id) {
    if (place->endpoint.address == address) place->endpoint.port = endpoint.port;  // M92
    return;
  }
  if (addresses_.size() < kMaxAddresses) addresses_.insert(place, {id, endpoint});
}

void PathManager::withdrawn(std::uint8_t id) {
  std::erase_if(addresses_, [id](const Address& known) { return known.id == id; });
}

const PathManager::Attempts& PathManager::attempts_of(const LocalPath& path) const {
  static const Attempts kNone;
  for (const Tried& tried : tried_) {
    if (is_over(tried, path)) return tried.attempts;
  }
  return kNone;
}

PathManager::Attempts& PathManager::attempts_of(const LocalPath& path) {
  for (Tried& tried : tried_) {
    if (is_over(tried, path)) return tried.attempts;
  }
  return tried_.emplace_back(Tried{path.interface, path.address, {}}).attempts;
}

bool PathManager::is_over(const Tried& tried, const LocalPath& path) {
  return tried.interface == path.interface && tried.address == path.address;
}

std::vector<wire::Endpoint> PathManager::candidates(const LocalPath& path) const {
  std::vector<wire::Endpoint> found;
  const wire::Family family = path.address.family();
  if (primary_joinable_ == Joinable::kYes && primary_.address.family() == family &&
      path.towards == LocalPath::Towards::kFirst) {
    found.push_back(primary_);
  }
  for (const auto& [id, endpoint] : addresses_) {
    if (endpoint.address.family() == family) found.push_back(endpoint);
  }
  const auto proven =
      path.proven ? std::find(found.begin(), found.end(), *path.proven) : found.end();
  if (proven != found.end()) std::rotate(found.begin(), proven, proven + 1);
  return found;
}

// Each failure moves on.
std::optional<wire::Endpoint> PathManager::remote_for(const LocalPath& path) const {
  const std::vector<wire::Endpoint> all = candidates(path);
  if (all.empty()) return std::nullopt;
  return all[attempts_of(path).failures % all.size()];
}

Duration PathManager::patience(const LocalPath& path) const {
  const Duration first = candidates(path).size() > 1 ? kPatienceWithOthers : kPatience;
  return first * (1 << std::min(attempts_of(path).failures, kMostDoublings));
}

std::optional<PathManager::Join> PathManager::next(std::span<const LocalPath> paths,
                                                   const Occupied& occupied, Instant now) const {
  for (const LocalPath& path : paths) {
    if (!path.usable || occupied(path) || attempts_of(path).next > now) continue;
    if (const auto remote = remote_for(path)) return Join{path, *remote};
  }
  return std::nullopt;
}

void PathManager::attempted(const LocalPath& path, Instant now) {
  attempts_of(path).next = now + retry_after_;
}

void PathManager::succeeded(const LocalPath& path) {
  if (std::as_const(*this).attempts_of(path).failures > 0) attempts_of(path).failures = 0;
}

void PathManager::failed(const LocalPath& path, Refusal refusal, Instant now) {
  const std::size_t count = candidates(path).size();
  Attempts& attempts = attempts_of(path);
  ++attempts.failures;
  Duration pause{};
  if (attempts.failures >= count) {
    pause = retry_after_;
    for (std::size_t i = count; i < attempts.failures && pause < kLongestPause; ++i) pause *= 2;
  }
  if (refusal == Refusal::kPermanent) pause = std::max(pause, kPermanentPause);
  attempts.next = now + std::min(pause, kLongestPause);
}

std::vector<LocalPath> PathManager::paths_changed(std::span<const LocalPath> paths) {
  std::vector<LocalPath> returned;
  for (const LocalPath& path : paths) {
    Attempts& attempts = attempts_of(path);
    const bool revived = attempts.revivals && *attempts.revivals != path.revivals;
    if (path.usable && (!attempts.was_usable || revived)) {
      attempts = Attempts();
      returned.push_back(path);
    }
    attempts.was_usable = path.usable;
    attempts.revivals = path.revivals;
  }
  return returned;
}

Instant PathManager::next_deadline(std::span<const LocalPath> paths, const Occupied& occupied,
                                   Instant now) const {
  Instant earliest = kNever;
  for (const LocalPath& path : paths) {
    if (!path.usable || occupied(path) || !remote_for(path)) continue;
    earliest = std::min(earliest, std::max(attempts_of(path).next, now));
  }
  return earliest;
}

}  // namespace braid::mptcp
