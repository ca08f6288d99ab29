#include "stack/tcp/time_wait.h"

namespace braid::tcp {

void TimeWait::add(const Tuple& tuple, const Connection::Remains& remains, Instant now) {
  records_[tuple] = {remains, now + kDuration};
  queue_.push_back({now + kDuration, tuple});
}

TimeWait::Answer TimeWait::receive(const Tuple& tuple, const wire::Segment& segment, Instant now) {
  const auto found = records_.find(tuple);
  if (found == records_.end() || segment.flags.rst) return Answer::kNone;  // RFC 1337 3
  Record& record = found->second;
  Connection::Remains& remains = record.remains;
  const bool stamped = remains.timestamps && segment.options.timestamps;
  const std::uint32_t ahead = stamped ? segment.options.timestamps->value - remains.ts_recent : 0;
  const auto newer = static_cast<std::int32_t>(ahead);
  if (segment.flags.syn && !segment.flags.ack) {
    // RFC 6191 2: a later timestamp, or where there is none to compare a later sequence number.
    const bool later = newer > 0 || (newer == 0 && segment.seq > remains.rcv_nxt);
    return later ? Answer::kNewConnection : Answer::kAck;
  }
  if (segment.flags.fin && segment.seq_end() == remains.rcv_nxt) {
    record.expiry = now + kDuration;  // RFC 9293 3.10.7.4: restart the 2 MSL timeout
    queue_.push_back({record.expiry, tuple});
    return Answer::kAck;
  }
  const bool expected = segment.seq == remains.rcv_nxt && segment.seq_length() == 0;
  return expected ? Answer::kNone : Answer::kAck;
}

const Connection::Remains* TimeWait::find(const Tuple& tuple) const {
  const auto found = records_.find(tuple);
  return found == records_.end() ? nullptr : &found->second.remains;
}

wire::Segment TimeWait::make_ack(const Tuple& tuple, Instant now) const {
  const Connection::Remains& remains = records_.at(tuple).remains;
  wire::Segment ack;
  ack.source = tuple.local;
  ack.destination = tuple.remote;
  ack.seq = remains.snd_nxt;
  ack.ack = remains.rcv_nxt;
  ack.flags.ack = true;
  ack.window = remains.window;
  if (remains.timestamps) {
    ack.options.timestamps =
        Connection::timestamps_at(now, remains.timestamp_offset, remains.ts_recent);
  }
  return ack;
}

void TimeWait::expire(Instant now) {
  while (!queue_.empty() && queue_.front().when <= now) {
    const auto found = records_.find(queue_.front().tuple);
    if (found != records_.end() && found->second.expiry <= now) records_.erase(found);
    queue_.pop_front();
  }
}

Instant TimeWait::next_deadline() const { return queue_.empty() ? kNever : queue_.front().when; }

}  // namespace braid::tcp
