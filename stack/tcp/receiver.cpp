#include "stack/tcp/receiver.h"

#include <algorithm>
#include <limits>

#include "stack/base/ensure.h"

namespace braid::tcp {
namespace {

// RFC 7323 5.5: after this long without traffic the timestamp remembered says nothing.
constexpr Duration kTimestampValidity = std::chrono::hours(24 * 24);

std::uint32_t pieces_of(const wire::Segment& segment) {
  if (segment.gso_size == 0) return 1;
  return (segment.payload.size() + segment.gso_size - 1) / segment.gso_size;
}

}  // namespace

Receiver::Receiver(const Setup& setup)
    : irs_(setup.irs),
      sack_(setup.sack),
      window_(setup.scope, setup.shift, setup.mss),
      own_mss_(setup.mss) {}

// ---- arrival

void Receiver::receive(const wire::Segment& segment, std::int64_t position, StreamUser& user,
                       Instant now) {
  ENSURE(position >= 0);
  const auto first = static_cast<std::uint64_t>(position);
  const std::uint64_t last = first + segment.payload.size();
  note_ecn(segment);
  const bool had_gap = !out_of_order_.empty();
  const std::uint64_t before = rcv_nxt_;

  if (segment.flags.fin && !fin_ && last <= window_.edge() && last >= rcv_nxt_ &&
      (out_of_order_.empty() || out_of_order_.ranges().back().end <= last)) {
    fin_ = last;
  }
  const std::uint64_t begin = std::max(first, rcv_nxt_);
  const std::uint64_t end = std::min({last, window_.edge(), fin_.value_or(last)});
  note_duplicate(first, std::min(begin, last), end);
  if (begin < end) {
    place(segment.payload.sub(static_cast<std::uint32_t>(begin - first),
                              static_cast<std::uint32_t>(end - begin)),
          begin, user, now);
  }
  take_fin(user, now);

  const bool in_order = first == before && rcv_nxt_ >= last && !had_gap;
  if (segment.seq_length() > 0) {
    schedule_ack(segment, in_order ? Order::kKept : Order::kBroken, now);
  }
#ifdef BRAID_VALIDATE
  validate();
#endif
}

void Receiver::receive_old(std::int64_t position, std::uint32_t length) {
  if (position >= 0 && length > 0) {
    const auto first = static_cast<std::uint64_t>(position);
    note_duplicate(first, std::min(first + length, rcv_nxt_), first + length);
  }
  ack_ = AckDue::kNow;
}

// RFC 3168 6.1.3: ECE from the first CE mark until the peer says CWR.
void Receiver::note_ecn(const wire::Segment& segment) {
  if (segment.flags.cwr) ecn_echo_ = false;
  if (segment.ecn == wire::Ecn::kCe && !segment.payload.empty()) {
    if (!ecn_echo_) ack_ = AckDue::kNow;
    ecn_echo_ = true;
  }
}

// RFC 2883 4: the first run of bytes that had been received before. [first, begin) lies left of
// rcv_nxt, [begin, end) does not. Runs of segments that share one ACK are reported as one: what is
// not said can never prove to the sender that it repeated in vain.
void Receiver::note_duplicate(std::uint64_t first, std::uint64_t begin, std::uint64_t end) {
  if (!sack_) return;
  Interval run{first, begin};
  if (first >= begin) {
    if (begin >= end) return;
    const std::vector<Interval>& held = out_of_order_.ranges();
    const auto known = std::find_if(held.begin(), held.end(),
                                    [&](const Interval& one) { return one.end > begin; });
    if (known == held.end() || known->begin >= end) return;
    run = {std::max(begin, known->begin), std::min(end, known->end)};
    note_recent(run.begin);
  }
  const bool joins = duplicate_ && run.begin <= duplicate_->end && run.end >= duplicate_->begin;
  duplicate_ =
      joins ? Interval{std::min(run.begin, duplicate_->begin), std::max(run.end, duplicate_->end)}
            : run;
  sack_news_ = true;
}

void Receiver::place(const Slices& payload, std::uint64_t begin, StreamUser& user, Instant now) {
  const std::uint64_t end = begin + payload.size();
  const Interval kept = user.place(begin, payload, now);
  if (kept.size() == 0) return;
  ENSURE(kept.begin >= begin && kept.end <= end);
  if (kept.begin <= rcv_nxt_) {
    const Interval joined = out_of_order_.find(kept.end);
    advance(std::max(kept.end, joined.end), user, now);
    if (!out_of_order_.empty()) sack_news_ = sack_;
    return;
  }
  out_of_order_.insert(kept.begin, kept.end);
  note_recent(kept.begin);
  sack_news_ = sack_;
}

void Receiver::advance(std::uint64_t to, StreamUser& user, Instant now) {
  bytes_received_ += to - rcv_nxt_;
  rcv_nxt_ = to;
  out_of_order_.erase_below(to);
  if (out_of_order_.empty()) std::vector<std::uint64_t>().swap(recent_);
  user.received_up_to(to, now);
}

void Receiver::take_fin(StreamUser& user, Instant now) {
  if (!fin_ || rcv_nxt_ != *fin_) return;
  ++rcv_nxt_;
  ack_ = AckDue::kNow;
  user.peer_finished(*fin_, now);
}

// Puts the block around `position` first; an older mention of the same block goes.
void Receiver::note_recent(std::uint64_t position) {
  const Interval block = out_of_order_.find(position);
  const auto same = [&](std::uint64_t other) {
    return (other >= block.begin && other < block.end) || !out_of_order_.contains(other);
  };
  std::erase_if(recent_, same);
  if (recent_.size() == kRecent) recent_.pop_back();
  recent_.insert(recent_.begin(), position);
}

void Receiver::schedule_ack(const wire::Segment& segment, Order order, Instant now) {
  const std::uint32_t pieces = pieces_of(segment);
  const std::uint32_t piece = segment.gso_size ? segment.gso_size : segment.payload.size();
  peer_segment_ = std::max(peer_segment_, std::min(piece, own_mss_));
  unacked_bytes_ += segment.payload.size();
  const bool quick = quick_acks_left_ > 0;
  quick_acks_left_ -= std::min(quick_acks_left_, pieces);
  // RFC 5681 4.2: at once when order is broken or restored, and for every second full segment.
  if (order == Order::kBroken || quick || segment.flags.fin ||
      unacked_bytes_ >= 2 * std::uint64_t{peer_segment_}) {
    ack_ = AckDue::kNow;
  } else if (ack_ == AckDue::kNone) {
    ack_ = AckDue::kDelayed;
    ack_deadline_ = now + ack_delay_;
  }
}

void Receiver::on_deadline(Instant now) {
  if (ack_ == AckDue::kDelayed && now >= ack_deadline_) ack_ = AckDue::kNow;
}

// ---- timestamps

Receiver::Paws Receiver::check_timestamp(const wire::Timestamps& timestamps, Instant now) const {
  if (!ts_recent_valid_ || now - ts_recent_at_ > kTimestampValidity) return Paws::kFine;
  const auto ahead = static_cast<std::int32_t>(timestamps.value - ts_recent_);
  return ahead < 0 ? Paws::kOld : Paws::kFine;
}

void Receiver::note_timestamp(const wire::Timestamps& timestamps, std::int64_t position,
                              Instant now) {
  // RFC 7323 4.3: of the segment that caused the next ACK, not of one behind a hole.
  if (position > static_cast<std::int64_t>(last_ack_sent_)) return;
  if (check_timestamp(timestamps, now) == Paws::kOld) return;
  ts_recent_ = timestamps.value;
  ts_recent_at_ = now;
  ts_recent_valid_ = true;
}

// ---- what leaves

void Receiver::add_sack(wire::TcpOptions& options) const {
  if (!sack_) return;
  const auto add = [&](const Interval& block) {
    options.sack.push_back({seq_of(block.begin), seq_of(block.end)});
  };
  if (duplicate_) add(*duplicate_);
  for (std::size_t i = 0; i < recent_.size(); ++i) {
    const Interval block = out_of_order_.find(recent_[i]);
    const auto said = [&](std::size_t other) {
      return recent_[other] >= block.begin && recent_[other] < block.end;
    };
    bool repeated = block.size() == 0;
    for (std::size_t j = 0; j < i && !repeated; ++j) repeated = said(j);
    if (!repeated) add(block);
  }
}

void Receiver::sent(const wire::TcpOptions& options) {
  ack_ = AckDue::kNone;
  ack_deadline_ = kNever;
  unacked_bytes_ = 0;
  last_ack_sent_ = rcv_nxt_;
  if (options.sack.empty()) {
    // Nothing was said because there was nothing to say, or because there was no room.
    sack_news_ = sack_news_ && (duplicate_ || !out_of_order_.empty());
    return;
  }
  sack_news_ = false;
  duplicate_.reset();  // it came first, so it was said
}

void Receiver::validate() const {
  out_of_order_.validate();
  ENSURE(out_of_order_.empty() || out_of_order_.ranges().front().begin > rcv_nxt_);
  ENSURE(last_ack_sent_ <= rcv_nxt_);
  ENSURE(!fin_ || rcv_nxt_ <= *fin_ + 1);
  ENSURE(sack_ || (!sack_news_ && !duplicate_));
  window_.validate();
}

}  // namespace braid::tcp
