// The sender's path MTU probes: one segment larger than usual, made of data that has to leave
// anyway, with at least one usual segment behind it whose ACK tells of its fate.
#include <algorithm>
#include <utility>

#include "stack/tcp/sender.h"

namespace braid::tcp {
namespace {

// The segment may hold this much more, where it carries fewer options than it might.
constexpr std::uint32_t kOptionSlack = 40;

}  // namespace

std::optional<Sender::Plan> Sender::plan_path_probe(Instant now) {
  if (path_probe_payload_ <= mss_ || path_probe_) return std::nullopt;
  if (consecutive_timeouts_ > 0) return std::nullopt;  // first something has to get through
  const Scoreboard::Record* const lost = scoreboard_.lowest_lost();
  if (lost != nullptr && lost->begin < probed_up_to_) return std::nullopt;
  const std::uint64_t begin = lost != nullptr ? lost->begin : snd_nxt();
  const std::uint64_t most = lost != nullptr ? lost->end : end_;
  const std::uint64_t end = std::min({most, end_, window_edge()});
  if (end < begin + path_probe_payload_) return std::nullopt;
  if (in_flight() > 0 && allowance() < path_probe_payload_) return std::nullopt;
  if (held_by_pacing(now)) return std::nullopt;
  Plan plan = cover(begin, std::min(end, begin + path_probe_payload_ + kOptionSlack),
                    lost != nullptr ? Kind::kRetransmission : Kind::kNew);
  plan.size = Size::kPathProbe;
  return plan;
}

void Sender::path_probe_sent(std::uint64_t begin, std::uint64_t end) {
  probed_up_to_ = end;
  path_probe_ = PathProbe{.begin = begin, .order = scoreboard_.last_order()};
  path_probe_payload_ = 0;
  chaser_due_ = true;
}

void Sender::judge_path_probe() {
  if (!path_probe_) return;
  const Scoreboard::Record* const record = scoreboard_.at(path_probe_->begin);
  if (record == nullptr || record->fate == Scoreboard::Fate::kSacked) {
    path_probe_fate_ = ProbeFate::kArrived;
  } else if (record->fate == Scoreboard::Fate::kLost || record->order != path_probe_->order) {
    path_probe_fate_ = ProbeFate::kLost;
  } else {
    return;
  }
  path_probe_.reset();
}

bool Sender::only_path_probe_lost() const {
  if (!path_probe_) return false;
  const Scoreboard::Record* const record = scoreboard_.at(path_probe_->begin);
  return record != nullptr && record->fate == Scoreboard::Fate::kLost &&
         record->order == path_probe_->order && scoreboard_.lost() == record->size();
}

Sender::ProbeFate Sender::take_probe_fate() {
  return std::exchange(path_probe_fate_, ProbeFate::kNone);
}

std::uint32_t Sender::head_segment() const {
  const Scoreboard::Record* const head = scoreboard_.first();
  if (head == nullptr) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(head->size(), head->segment_size));
}

}  // namespace braid::tcp
