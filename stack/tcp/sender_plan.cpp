// The sender's mouth: what may leave now, and the books when it has left.
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/tcp/sender.h"

namespace braid::tcp {
namespace {

// The part of `data` bytes to send when `room` bytes may leave: all of it, or full segments only.
std::uint64_t cut(std::uint64_t data, std::uint64_t room, std::uint32_t mss) {
  return room >= data ? data : room - room % mss;
}

}  // namespace

std::optional<Sender::Plan> Sender::plan(Instant now) {
  pacing_deadline_ = kNever;
  if (!started_) return std::nullopt;
  if (window_blocks()) {
    if (window_probe_due_) return plan_window_probe();
    stop_recovery_timers();
    if (persist_deadline_ == kNever) arm_persist(now);
    return std::nullopt;
  }
  if (tail_probe_due_) {
    if (const auto probe = plan_tail_probe()) return probe;
    tail_probe_due_ = false;
  }
  if (asks_by_new_data()) {
    if (const auto fresh = plan_frto()) return fresh;
    if (repair_->frto.sent_any()) return std::nullopt;  // the next ACK decides
    repair_->frto.stop();  // RFC 5682 3.1 step 2b: with nothing new to send there is no way to ask
  }
  if (const auto probe = plan_path_probe(now)) return probe;
  // RFC 6675 NextSeg: what is lost goes before what is new.
  return scoreboard_.lost() > 0 ? plan_retransmission(now) : plan_new(now);
}

// RFC 9293 3.8.6.1: one octet of data, whatever the window says.
Sender::Plan Sender::plan_window_probe() const {
  const std::uint64_t position = scoreboard_.empty() ? snd_nxt() : snd_una();
  return cover(position, position + 1, Kind::kWindowProbe);
}

// RFC 8985 7.3: one segment of new data if there is one, else the last one again. The congestion
// window does not hold it back.
std::optional<Sender::Plan> Sender::plan_tail_probe() const {
  const std::uint64_t next = std::min(limit(), snd_nxt() + mss_);
  if (next > snd_nxt() && next <= window_edge()) return cover(snd_nxt(), next, Kind::kNew);
  const Scoreboard::Record* last = scoreboard_.last();
  if (last == nullptr || last->fate != Scoreboard::Fate::kInFlight) return std::nullopt;
  const std::uint64_t length = std::min<std::uint64_t>(last->size(), mss_);
  return cover(last->end - length, last->end, Kind::kRetransmission);
}

std::optional<Sender::Plan> Sender::plan_frto() {
  const std::uint64_t end = std::min({snd_nxt() + repair_->frto.quota(), end_, window_edge()});
  if (end <= snd_nxt()) return std::nullopt;
  return cover(snd_nxt(), end, Kind::kNew);
}

std::optional<Sender::Plan> Sender::plan_retransmission(Instant now) {
  const Scoreboard::Record* lost = scoreboard_.lowest_lost();
  if (lost->begin >= window_edge() || held_by_pacing(now)) return std::nullopt;
  const std::uint64_t end = std::min(lost->end, window_edge());
  const std::uint64_t data = std::min(end, std::max(end_, lost->begin)) - lost->begin;
  if (data == 0) return cover(lost->begin, end, Kind::kRetransmission);  // the FIN alone
  std::uint64_t room = room_to_leave();
  if (in_flight() == 0 || head_due_) room = std::max<std::uint64_t>(room, mss_);  // never stuck
  const std::uint64_t length = cut(data, std::min(room, burst(now)), mss_);
  if (length == 0) return std::nullopt;
  return cover(lost->begin, length == data ? end : lost->begin + length, Kind::kRetransmission);
}

std::optional<Sender::Plan> Sender::plan_new(Instant now) {
  if (all_sent()) {
    note_idle_room(now);
    return std::nullopt;
  }
  const std::uint64_t usable = window_edge() > snd_nxt() ? window_edge() - snd_nxt() : 0;
  const std::uint64_t data = end_ > snd_nxt() ? end_ - snd_nxt() : 0;
  if (usable == 0) return std::nullopt;  // something is outstanding: its ACK moves the edge
  if (data == 0) return cover(snd_nxt(), limit(), Kind::kNew);
  restart_after_idle(now);
  if (held_by_pacing(now)) return std::nullopt;
  std::uint64_t room = room_to_leave();
  if (scoreboard_.empty()) room = std::max<std::uint64_t>(room, mss_);
  const std::uint64_t most = std::min({room, usable, burst(now)});
  std::uint64_t length = cut(data, most, mss_);
  if (length == 0 && most == usable) {
    // RFC 9293 3.8.6.2.1: a small window is not worth a small segment, unless it stays small.
    if (window_worth_filling(usable) || silly_override_) {
      length = usable;
    } else if (scoreboard_.empty() && persist_deadline_ == kNever) {
      persist_deadline_ = now + kSillyWindowOverride;
    }
  }
  if (length == 0) return std::nullopt;
  const bool fin = finished_ && length == data && usable > length;
  return cover(snd_nxt(), snd_nxt() + length + (fin ? 1 : 0), Kind::kNew);
}

// Nothing to send though window and pacing would let it leave: what is delivered from here on tells
// of the application and not of the path.
void Sender::note_idle_room(Instant now) {
  if (allowance() < mss_ || now < pacer_.ready_at()) return;
  rate_sampler_.on_app_limited(in_flight());
}

std::uint64_t Sender::room_to_leave() const {
  return chaser_due_ ? std::max<std::uint64_t>(allowance(), mss_) : allowance();
}

// [begin, end) as a plan: the position after the last byte is the FIN's.
Sender::Plan Sender::cover(std::uint64_t begin, std::uint64_t end, Kind kind) const {
  const bool fin = finished_ && end > end_;
  const std::uint64_t data_end = fin ? end_ : end;
  return {.position = begin,
          .max_length = static_cast<std::uint32_t>(data_end - begin),
          .fin = fin,
          .kind = kind};
}

// A connection that began in a queue has never seen how short the path is; others may have.
std::uint64_t Sender::burst(Instant now) const {
  Duration least = rtt_.min_rtt();
  if (path_ != nullptr) {
    const Duration known = path_->min_rtt(now);
    if (known > Duration::zero() && known < least) least = known;
  }
  return pacer_.burst(pacing_rate(),
                      {.mss = mss_, .max_super_payload = max_super_payload(), .min_rtt = least},
                      now);
}

Rate Sender::pacing_rate() const { return controller_->pacing_rate(rtt_.srtt()); }

bool Sender::held_by_pacing(Instant now) {
  if (pacer_.ready(now) || pacing_rate().is_zero()) return false;
  pacing_deadline_ = pacer_.ready_at();
  return true;
}

bool Sender::window_worth_filling(std::uint64_t usable) const {
  return usable >= std::max<std::uint64_t>(max_window_ / 2, 1);
}

void Sender::restart_after_idle(Instant now) {
  const Duration idle = now - last_sent_at_;
  if (!scoreboard_.empty() || counters_.bytes_sent == 0 || idle <= rtt_.timeout()) return;
  controller_->on_idle(idle, rtt_.timeout());
  last_sent_at_ = now;
}

void Sender::sent(const Plan& plan, std::uint32_t length, bool fin, Instant now) {
  ENSURE(length <= plan.max_length && (length > 0 || fin));
  ENSURE(!fin || (plan.fin && length == plan.max_length));
  const std::uint64_t size = std::uint64_t{length} + (fin ? 1 : 0);
  const std::uint64_t end = plan.position + size;
  const std::uint64_t order_before = scoreboard_.last_order();
  const bool probe = plan.size == Size::kPathProbe && length >= path_probe_payload_;
  const std::uint32_t segment = probe ? length : mss_;
  if (plan.position == snd_nxt()) {
    scoreboard_.append(end, segment, now);
    counters_.bytes_sent += length;
    if (repair_) repair_->frto.on_sent(size);
  } else {
    const Scoreboard::Record* first = scoreboard_.first();
    const bool sacked = plan.position == snd_una() && first->fate == Scoreboard::Fate::kSacked;
    if (!sacked) scoreboard_.retransmit(plan.position, end, segment, now);
    if (plan.position == snd_una()) head_due_ = false;
    if (repair_) repair_->recovery.on_retransmitted(plan.position, size, now);
    counters_.bytes_retransmitted += length;
  }
  if (scoreboard_.last_order() != order_before) {
    rate_sampler_.on_sent(scoreboard_.last_order(), size, in_flight(), now);
  }
  chaser_due_ = false;
  if (probe) path_probe_sent(plan.position, end);
  if (plan.kind != Kind::kWindowProbe) pacer_.sent(length, pacing_rate(), now);
  if (recovery().phase() == Recovery::Phase::kFast) repair_->prr.on_sent(size);
  last_sent_at_ = now;
  round_max_flight_ = std::max(round_max_flight_, in_flight());
  arm_after_sending(plan, now);
}

}  // namespace braid::tcp
