#include "stack/mptcp/data_sender.h"

#include <algorithm>
#include <limits>

#include "stack/base/ensure.h"

namespace braid::mptcp {
namespace {

constexpr Duration kLongestInterval = 60s;
// Bounds the memory of a stream of tiny writes; with full-sized mappings no window comes near it.
constexpr std::size_t kMaxRecords = 16384;
// How far a subflow looks for a due record it does not carry itself. Finding none is no deadlock:
// then it carries the lowest due one, and its own TCP retransmits that.
constexpr std::size_t kMaxLook = 256;  // records

void validate_in_debug([[maybe_unused]] const DataSender& sender) {
#ifdef BRAID_VALIDATE
  sender.validate();
#endif
}

}  // namespace

// ---- Timer

Instant DataSender::Timer::deadline(Duration rto) const {
  Duration interval = std::clamp(rto, Duration(1ms), kLongestInterval);
  for (std::uint32_t i = 0; i < fired && interval < kLongestInterval; ++i) interval *= 2;
  return *started + std::min(interval, kLongestInterval);
}

// ---- the records

DataSender::DataSender(Pipe& pipe, DataSequence sequence)
    : pipe_(pipe),
      sequence_(sequence),
      snd_una_(pipe.released()),
      snd_nxt_(snd_una_),
      window_edge_(snd_una_),
      first_due_(snd_una_) {}

void DataSender::initial_window(std::uint64_t window) {
  if (edge_from_ == EdgeFrom::kDataAck) return;
  window_edge_ = snd_una_ + window;
}

// The record that holds `offset`, which must lie in [snd_una_, snd_nxt_).
std::size_t DataSender::index_at(StreamOffset offset) const {
  ENSURE(snd_una_ <= offset && offset < snd_nxt_);
  return records_.partition_point([offset](const Record& r) { return r.begin <= offset; }) - 1;
}

// Makes `offset` a border between records, so that they can fare differently.
void DataSender::split_at(StreamOffset offset) {
  if (offset <= snd_una_ || offset >= snd_nxt_) return;
  const std::size_t index = index_at(offset);
  Record right = records_[index];
  if (right.begin == offset) return;
  const auto left_length = static_cast<std::uint32_t>(offset - right.begin);
  right.begin = offset;
  right.length -= left_length;
  records_[index].length = left_length;
  records_.insert(index + 1, right);
}

void DataSender::set_due(Record& record) {
  if (record.due) return;
  record.due = true;
  due_bytes_ += record.length;
  first_due_ = std::min(first_due_, record.begin);
}

void DataSender::clear_due(Record& record) {
  if (!record.due) return;
  record.due = false;
  due_bytes_ -= record.length;
}

// Moves first_due_ right to the lowest due record. It goes back only when something new is due, so
// the looking is paid for by what made the records due.
void DataSender::seek_first_due() {
  if (due_bytes_ == 0) {
    first_due_ = snd_nxt_;
    return;
  }
  std::size_t index = index_at(std::max(first_due_, snd_una_));
  while (!records_[index].due) ++index;
  first_due_ = records_[index].begin;
}

void DataSender::release_up_to(StreamOffset offset) {
  while (!records_.empty() && records_.front().end() <= offset) {
    clear_due(records_.front());
    records_.pop_front();
  }
  if (!records_.empty() && records_.front().begin < offset) {
    Record& front = records_.front();
    const auto gone = static_cast<std::uint32_t>(offset - front.begin);
    if (front.due) due_bytes_ -= gone;
    front.begin = offset;
    front.length -= gone;
  }
  snd_una_ = offset;
  pipe_.release(offset);
  seek_first_due();
}

// ---- giving out

std::optional<DataSender::Range> DataSender::next(SubflowId subflow, std::uint32_t max_length,
                                                  [[maybe_unused]] Instant now) const {
  max_length = std::min(max_length, kMaxRange);
  if (max_length == 0) return std::nullopt;
  std::optional<Range> range = next_due(subflow, max_length);
  if (!range) range = next_new(max_length);
  if (!range) range = next_probe(subflow, max_length);
  if (range) range->data_fin = ends_stream(range->begin + range->length);
  return range;
}

// The lowest due bytes this subflow may carry: whole records, as many neighbours as fit, the last
// one possibly in part.
std::optional<DataSender::Range> DataSender::next_due(SubflowId subflow,
                                                      std::uint32_t max_length) const {
  if (due_bytes_ == 0) return std::nullopt;
  const auto fits = [subflow](const Record& r) { return r.due && r.may_ride_on(subflow); };
  std::size_t index = index_at(first_due_);
  const std::size_t stop = std::min(records_.size(), index + kMaxLook);
  while (index < stop && !fits(records_[index])) ++index;
  if (index == stop) return std::nullopt;

  Range range{records_[index].begin, 0, false, Range::Kind::kReinjection};
  for (; index < records_.size() && fits(records_[index]) && range.length < max_length; ++index) {
    range.length += std::min(records_[index].length, max_length - range.length);
  }
  return range;
}

std::optional<DataSender::Range> DataSender::next_new(std::uint32_t max_length) const {
  if (unsent() == 0 || records_.size() >= kMaxRecords) return std::nullopt;
  const std::uint64_t allowed = std::min(unsent(), window_left());
  if (allowed == 0) return std::nullopt;
  const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(allowed, max_length));
  return Range{snd_nxt_, length, false, Range::Kind::kNew};
}

std::optional<DataSender::Range> DataSender::next_probe(SubflowId subflow,
                                                        std::uint32_t max_length) const {
  if (!wants_probe()) return std::nullopt;
  if (records_.empty()) return Range{snd_nxt_, 1, false, Range::Kind::kWindowProbe};
  const Record& asking = records_.front();
  if (asking.find(subflow) != nullptr) return std::nullopt;
  // More than a byte where the handshake had promised more than the first DATA_ACK.
  return Range{asking.begin, std::min(asking.length, max_length), false, Range::Kind::kCopy};
}

bool DataSender::may_probe() const {
  return window_left() == 0 && (records_.empty() ? unsent() > 0 : probe_is_out());
}

void DataSender::mapped(const Range& range, SubflowId subflow, Instant now) {
  const StreamOffset end = range.begin + range.length;
  ENSURE(range.length > 0);
  if (range.kind == Range::Kind::kReinjection || range.kind == Range::Kind::kCopy) {
    ENSURE(snd_una_ <= range.begin && end <= snd_nxt_);
    if (probe_is_out()) probe_due_ = false;
    split_at(range.begin);
    split_at(end);
    for (std::size_t i = index_at(range.begin); i < records_.size() && records_[i].begin < end;
         ++i) {
      records_[i].add(subflow);
      records_[i].mapped_at = now;
      clear_due(records_[i]);
    }
    seek_first_due();
  } else {
    ENSURE(range.begin == snd_nxt_ && range.length <= unsent());
    if (due_bytes_ == 0) first_due_ = end;
    Record record;
    record.begin = range.begin;
    record.length = range.length;
    record.mapped_at = now;
    record.add(subflow);
    records_.push_back(record);
    snd_nxt_ = end;
    probe_due_ = false;
  }
  if (range.data_fin) {
    ENSURE(ends_stream(end));
    fin_transmitted(now);
  }
  validate_in_debug(*this);
}

// ---- what comes back

DataSender::AckOutcome DataSender::receive_data_ack(std::uint64_t dsn_ack, std::uint64_t window,
                                                    [[maybe_unused]] Instant now) {
  const std::int64_t distance = sequence_.distance(dsn_ack, snd_una_);
  const std::uint64_t outstanding = snd_nxt_ - snd_una_;
  const std::uint64_t most = outstanding + (fin_sent() ? 1 : 0);
  if (distance < 0 || static_cast<std::uint64_t>(distance) > most) return {};

  AckOutcome outcome;
  const auto acked = static_cast<std::uint64_t>(distance);
  // M66, M70: the edge only moves right, whatever order the DATA_ACKs of two paths come in. The
  // handshake's edge does not count against that: a kernel's data level promises less than its SYN
  // did, and drops what lies beyond and is out of order there.
  const StreamOffset edge = snd_una_ + acked + window;
  if (edge > window_edge_ || edge_from_ == EdgeFrom::kHandshake) window_edge_ = edge;
  edge_from_ = EdgeFrom::kDataAck;

  if (acked > outstanding && fin_ == Fin::kSent) {
    fin_ = Fin::kAcked;
    fin_again_ = false;
    outcome.fin_acked = outcome.advanced = true;
  }
  if (const std::uint64_t bytes = std::min(acked, outstanding); bytes > 0) {
    release_up_to(snd_una_ + bytes);
    head_timer_.reset();
    outcome.advanced = true;
  }
  if (window_left() > 0) {
    probe_due_ = false;
    persist_timer_.reset();
  }
  validate_in_debug(*this);
  return outcome;
}

void DataSender::subflow_acked(SubflowId subflow, StreamOffset begin, std::uint32_t length) {
  const StreamOffset end = begin + length;
  begin = std::max(begin, snd_una_);
  if (begin >= end || begin >= snd_nxt_) return;
  // mapped() made borders where the mapping begins and ends, so a record lies inside it or outside.
  for (std::size_t i = index_at(begin); i < records_.size() && records_[i].end() <= end; ++i) {
    Carrier* const carrier = records_[i].find(subflow);
    if (carrier == nullptr || carrier->standing == Standing::kAcked) continue;
    carrier->standing = Standing::kAcked;
    clear_due(records_[i]);  // the peer has it; M71: the head timer watches whether it keeps it
  }
  seek_first_due();
  validate_in_debug(*this);
}

void DataSender::subflow_trouble(SubflowId subflow, Trouble trouble, [[maybe_unused]] Instant now) {
  for (Record& record : records_) {
    Carrier* const carrier = record.find(subflow);
    if (carrier == nullptr) continue;
    if (trouble == Trouble::kFailed) {
      record.remove(subflow);
    } else if (carrier->standing == Standing::kInFlight) {
      carrier->standing = Standing::kTimedOut;
    }
    if (record.hopeless()) set_due(record);
  }
  seek_first_due();
  // Nobody retransmits a DATA_FIN that left on the failed subflow; one more costs a pure ACK.
  if (trouble == Trouble::kFailed && fin_ == Fin::kSent) fin_again_ = true;
  validate_in_debug(*this);
}

// ---- DATA_FIN

bool DataSender::ends_stream(StreamOffset offset) const {
  return pipe_.complete() && *pipe_.end() == offset;
}

bool DataSender::fin_pending() const { return pipe_.complete() && fin_ != Fin::kAcked; }

bool DataSender::fin_due(Instant now) const {
  if (!fin_pending() || !ends_stream(snd_nxt_)) return false;
  if (fin_ == Fin::kUnsent || fin_again_) return true;
  return fin_timer_wanted() && fin_timer_.started && due(fin_timer_) <= now;
}

void DataSender::fin_transmitted(Instant now) {
  ENSURE(ends_stream(snd_nxt_));
  if (fin_ == Fin::kUnsent) fin_ = Fin::kSent;
  // Sent by its deadline before on_deadline() saw it: still one repetition.
  if (fin_timer_.started && due(fin_timer_) <= now) ++fin_timer_.fired;
  fin_timer_.started = now;
  fin_again_ = false;
}

// ---- timers

bool DataSender::head_timer_wanted() const {
  return !records_.empty() && records_.front().awaits_data_ack();
}

bool DataSender::persist_timer_wanted() const { return may_probe() && !probe_due_; }

// While data before it is outstanding no DATA_ACK can cover the DATA_FIN (M80).
bool DataSender::fin_timer_wanted() const {
  return fin_ == Fin::kSent && !fin_again_ && records_.empty();
}

// Of a timer that has started.
Instant DataSender::due(const Timer& timer) const {
  if (&timer == &persist_timer_ || ack_timeout_ == Duration::zero()) return timer.deadline(rto_);
  Timer later = timer;
  if (later.fired > 0) --later.fired;
  return later.deadline(ack_timeout_);
}

Instant DataSender::deadline(const Timer& timer, bool wanted) const {
  if (!wanted) return kNever;
  return timer.started ? due(timer) : Instant::min();
}

Instant DataSender::next_deadline() const {
  return std::min({deadline(head_timer_, head_timer_wanted()),
                   deadline(persist_timer_, persist_timer_wanted()),
                   deadline(fin_timer_, fin_timer_wanted())});
}

// Starts or stops a timer; true when it fires.
bool DataSender::run(Timer& timer, bool wanted, Instant now) {
  if (!wanted) {
    timer.started.reset();
    return false;
  }
  if (!timer.started) timer.started = now;
  if (now < due(timer)) return false;
  ++timer.fired;
  timer.started.reset();
  return true;
}

bool DataSender::on_deadline(Duration rto, Instant now) {
  rto_ = rto;
  if (run(persist_timer_, persist_timer_wanted(), now)) probe_due_ = true;
  if (run(fin_timer_, fin_timer_wanted(), now)) fin_again_ = true;
  const bool head_fired = run(head_timer_, head_timer_wanted(), now);
  if (head_fired) fire_head_timer();
  validate_in_debug(*this);
  return head_fired;
}

// M73: what the head is, its neighbours up to one mapping likely are too.
void DataSender::fire_head_timer() {
  std::uint32_t marked = 0;
  for (Record& record : records_) {
    if (!record.awaits_data_ack()) break;
    if (marked > 0 && marked + record.length > kMaxRange) break;
    set_due(record);
    marked += record.length;
  }
}

// ---- figures

std::uint64_t DataSender::unsent() const { return pipe_.in_order() - snd_nxt_; }

std::uint64_t DataSender::backlog() const {
  const bool held_back = unsent() > 0 && !pipe_.end() && pipe_.room() < pipe_.capacity() / 8;
  return held_back ? kMuch : unsent();
}

std::uint64_t DataSender::window_left() const {
  return window_edge_ > snd_nxt_ ? window_edge_ - snd_nxt_ : 0;
}

std::uint64_t DataSender::window() const {
  return window_edge_ > snd_una_ ? window_edge_ - snd_una_ : 0;
}

bool DataSender::has_reinjections() const { return due_bytes_ > 0; }

void DataSender::validate() const {
  ENSURE(snd_una_ == pipe_.released() && snd_nxt_ <= pipe_.in_order());
  StreamOffset position = snd_una_;
  std::uint64_t due = 0;
  for (const Record& record : records_) {
    ENSURE(record.begin == position && record.length > 0);
    ENSURE(record.due || !record.hopeless());
    ENSURE(!record.due || !record.any(Standing::kInFlight));
    ENSURE(!record.due || first_due_ < record.end());
    if (record.due) due += record.length;
    position = record.end();
  }
  ENSURE(position == snd_nxt_ && due == due_bytes_);
  ENSURE(fin_ == Fin::kUnsent || ends_stream(snd_nxt_));
  ENSURE(fin_ != Fin::kAcked || records_.empty());
}

}  // namespace braid::mptcp
