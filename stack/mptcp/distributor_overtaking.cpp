// Opportunistic retransmission and penalisation: see distributor.h.
#include <algorithm>

#include "stack/mptcp/distributor.h"
#include "stack/sched/candidates.h"

namespace braid::mptcp {
namespace {

// How many ranges are asked about before a path stays idle.
constexpr int kMaxLook = 128;

// When the ACK of a range can be expected that `slow` carries, as it looks to one who may copy it.
struct Original {
  const sched::PathView& slow;
  Instant mapped_at;
  std::uint64_t place;  // bytes there up to its end that wait for their ACKs
};

// While new bytes wait behind a full window: room taken by a copy is lost to them, so nothing is
// believed but round trips. Bytes leave a queue in order, so it is at least the share of a round
// trip that its place in what is in flight stands for: an RTT that grows while the queue does is
// not believed. Overdue beyond what RTTs vary by, it is lost, and its repetition takes another
// round trip.
Duration surely_left(const Original& range, Instant now) {
  const sched::PathView& slow = range.slow;
  const Duration age = now - range.mapped_at;
  if (age > slow.srtt + 4 * slow.rttvar) return slow.srtt;
  const double share = static_cast<double>(std::min(range.place, slow.in_flight)) /
                       static_cast<double>(std::max<std::uint64_t>(slow.in_flight, 1));
  const Duration by_place(
      static_cast<std::int64_t>(static_cast<double>(slow.srtt.count()) * share));
  return std::max(slow.srtt - age, by_place);
}

// When nothing new is left, a copy costs bytes and no time, and the end of the stream waits for the
// slowest range: at least as long as the path needs to deliver what lies before it, for what the
// first bytes over a path wait in its queue no RTT has told yet. What was lost is repeated behind
// everything. Nobody knows while nothing was delivered there, nor when it is overdue beyond what
// RTTs vary by: then it may take a timer to find out.
Duration likely_left(const Original& range, Instant now) {
  const sched::PathView& slow = range.slow;
  if (slow.delivery_rate.is_zero()) return Duration::max();
  const Duration age = now - range.mapped_at;
  const std::uint64_t all = slow.in_flight + slow.lost;
  const bool to_be_repeated = slow.in_recovery && age > slow.srtt;
  const Duration by_place =
      slow.delivery_rate.time_for(to_be_repeated ? all : std::min(range.place, all));
  if (age > std::max(slow.srtt, by_place) + 4 * slow.rttvar) return Duration::max();
  return std::max(slow.srtt - age, by_place);
}

}  // namespace

// Something is outstanding, and nothing else may leave.
bool Distributor::may_overtake(const DataSender& sender) {
  if (sender.snd_una() == sender.snd_nxt() || sender.has_reinjections()) return false;
  return sender.unsent() == 0 || sender.window_left() == 0;
}

void Distributor::overtake(DataSender& sender, Instant now, Outcome& outcome) {
  const sched::Candidates candidates(paths_);
  for (sched::PathView& path : paths_) {
    const bool idle_for_a_reason = path.in_doubt || path.in_reserve || !candidates.counts(path);
    if (idle_for_a_reason || path.srtt == Duration::zero()) continue;
    overtake_on(sender, path, now, outcome);
  }
}

// From the head on, what slower paths carry, while this one has room. What the original is expected
// to deliver no later stays where it is: the copy would only take room from new bytes.
void Distributor::overtake_on(DataSender& sender, sched::PathView& fast, Instant now,
                              Outcome& outcome) {
  StreamOffset from = sender.snd_una();
  std::uint64_t place = 0;  // bytes only slow paths carry up to here; with two paths, one
  for (int looks = 0; looks < kMaxLook && fast.budget >= fast.mss; ++looks) {
    const auto waiting = sender.waiting(fast.id, from, range_limit(fast));
    if (!waiting) break;
    from = waiting->range.begin + waiting->range.length;
    const sched::PathView* const slow = find(waiting->carrier);
    place += waiting->range.length;
    if (slow != nullptr && !slow->in_doubt) {
      const Duration left =
          sender.unsent() > 0
              ? surely_left({*slow, waiting->mapped_at, place}, now)
              : likely_left({*slow, waiting->mapped_at, subflow_of(*slow).unacked_before(from)},
                            now);
      if (fast.srtt >= left) continue;
    }
    const bool blocking = waiting->range.begin == sender.snd_una() && sender.is_window_full();
    if (blocking && slow != nullptr) blame(*slow, fast, now, outcome);
    outcome.overtaking += waiting->range.length;
    map(sender, fast, waiting->range, now);
  }
}

// Where the two are nearly alike, who is the slow one changes from moment to moment. And a long
// path that carries more than the short one, or has only begun, is not halved for its sake: it
// would take many of its round trips to come back.
void Distributor::blame(const sched::PathView& slow, const sched::PathView& fast, Instant now,
                        Outcome& outcome) {
  if (slow.srtt <= 2 * fast.srtt) return;
  scheduler_->window_blocked(now);
  const Rate pace =
      std::max(slow.delivery_rate, slow.pacing_rate);  // in slow start the latter leads
  if (pace.is_zero() || pace > fast.delivery_rate) return;
  if (penalty_of(slow.id) == nullptr) fined_.push_back({slow.id, {}});
  if (penalty_of(slow.id)->penalise(slow.in_flight, slow.mss, slow.srtt, now)) {
    ++outcome.penalties;
  }
}

}  // namespace braid::mptcp
