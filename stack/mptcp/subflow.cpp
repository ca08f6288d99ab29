#include "stack/mptcp/subflow.h"

#include <algorithm>
#include <utility>

#include "stack/base/ensure.h"

namespace braid::mptcp {

using tcp::Verdict;

Subflow::Subflow(SubflowId id, Role role, const LocalPath& path, DataLevel& level,
                 SubflowEvents& events, std::vector<std::uint8_t> syn_payload)
    : id_(id),
      role_(role),
      path_(path),
      level_(level),
      events_(events),
      syn_payload_(std::move(syn_payload)),
      local_backup_(path.backup),
      receiver_(level) {
  queue_.set_start(syn_payload_.size());  // M36: SSN restarts at 1 after the SYN's payload
}

Subflow::Subflow(SubflowId id, Role role, const LocalPath& path, DataLevel& level,
                 SubflowEvents& events, JoinHandshake join)
    : id_(id),
      role_(role),
      path_(path),
      level_(level),
      events_(events),
      join_(std::move(join)),
      peer_backup_(join_->peer_wants_backup()),
      local_backup_(path.backup),
      receiver_(level) {}

void Subflow::attach(tcp::Connection& connection) {
  tcp_ = &connection;
  // What a passive open has placed so far is the SYN's payload: outside the data (M36).
  if (!join_ && role_ == Role::kPassive) receiver_.set_start(receiver_.next_position());
}

bool Subflow::carries_data() const {
  if (tcp_ == nullptr || level_.plain() || !level_.sender || !tcp_->can_send()) return false;
  if (stage_ == Stage::kOpen) return true;
  // Early data of a responder (DESIGN 6): back to back with the SYN-ACK.
  return stage_ == Stage::kConnecting && !join_ && role_ == Role::kPassive;
}

std::uint64_t Subflow::queued() const {
  const std::uint64_t end = send_end();
  return end > handed_out_ ? end - handed_out_ : 0;
}

std::uint64_t Subflow::unacked_before(StreamOffset end) const {
  const std::optional<std::uint64_t> last = queue_.position_of(end - 1);
  return last && *last >= acked_ ? *last + 1 - acked_ : 0;
}

// ---- handshake

// A DSS says that options pass and the peer speaks MPTCP, so what lacks is only the ACK with its
// key, overtaken or lost: falling back now would part the two ends (M34 is about peers that say
// nothing).
bool Subflow::may_complete(const wire::Segment& segment) const {
  if (join_ || !level_.negotiation.agreed()) return true;
  return segment.options.find<wire::MpCapable>() != nullptr ||
         segment.options.find<wire::Dss>() == nullptr;
}

Verdict Subflow::established(const wire::Segment& segment, std::uint32_t syn_bytes_acked,
                             Instant now) {
  last_heard_ = now;
  if (level_.orphaned()) return Verdict::kContinue;
  if (join_) return join_established(segment, now);
  syn_bytes_refused_ = static_cast<std::uint32_t>(syn_payload_.size()) - syn_bytes_acked;
  return first_established(segment, now);
}

Verdict Subflow::first_established(const wire::Segment& segment, Instant now) {
  open();
  if (role_ == Role::kActive) {
    level_.negotiation.receive_syn_ack(segment.options);
  } else if (level_.negotiation.agreed()) {
    const auto* capable = segment.options.find<wire::MpCapable>();
    if (capable == nullptr || !level_.negotiation.receive_ack(*capable)) {  // M34
      if (events_.broken(*this, Breakdown::kNoCapable, now) == Verdict::kReset) {
        return refuse(wire::TcprstReason::kMptcpSpecific);
      }
    }
  }
  events_.opened(*this, segment, now);
  events_.wake_up();
  return Verdict::kContinue;
}

Verdict Subflow::join_established(const wire::Segment& segment, Instant now) {
  if (role_ == Role::kActive) {
    const auto* answer = segment.options.find<wire::MpJoinSynAck>();
    if (answer == nullptr || !join_->receive_syn_ack(*answer)) {  // M42, M45
      return refuse(wire::TcprstReason::kMptcpSpecific);
    }
    peer_backup_ = peer_backup_ || join_->peer_wants_backup();
    stage_ = Stage::kPreEstablished;
    third_ack_deadline_ = now + third_ack_wait();
    third_acks_ = 1;
    events_.wake_up();
    return Verdict::kContinue;
  }
  const auto* ack = segment.options.find<wire::MpJoinAck>();
  if (ack == nullptr || !join_->receive_ack(*ack)) {  // M43, M45
    return refuse(wire::TcprstReason::kMptcpSpecific);
  }
  open();
  tcp_->request_ack();  // M44: the fourth packet releases the initiator
  events_.opened(*this, segment, now);
  events_.wake_up();
  return Verdict::kContinue;
}

void Subflow::open() {
  stage_ = Stage::kOpen;
  was_open_ = true;
}

Verdict Subflow::refuse(wire::TcprstReason reason) {
  reset_options_.clear();
  reset_options_.push_back(wire::MpTcprst{.reason = reason});
  return Verdict::kReset;
}

// ---- receiving

Verdict Subflow::segment_arrived(const wire::Segment& segment, std::uint64_t position,
                                 Instant now) {
  last_heard_ = now;
  if (in_doubt_ > 0) {
    in_doubt_ = 0;
    events_.wake_up();
  }
  if (level_.orphaned()) return Verdict::kContinue;
  if (stage_ == Stage::kPreEstablished && !segment.flags.rst) {  // the fourth packet (M44)
    open();
    third_ack_deadline_ = kNever;
    events_.opened(*this, segment, now);
    events_.wake_up();
  }
  // M117: after a fallback no option means anything, but an abort is still an abort.
  if (level_.plain() && !segment.flags.rst) return Verdict::kContinue;
  for (const wire::MptcpOption& option : segment.options.mptcp) {
    Verdict verdict = Verdict::kContinue;
    if (const auto* capable = std::get_if<wire::MpCapable>(&option)) {
      verdict = take_capable(*capable, now);
    } else if (const auto* dss = std::get_if<wire::Dss>(&option)) {
      verdict = take_dss(*dss, segment, now);
    } else if (const auto* why = std::get_if<wire::MpTcprst>(&option)) {
      peer_reset_ = *why;
    } else if (std::holds_alternative<wire::MpJoinAck>(option)) {
      tcp_->request_ack();  // M44: said again, it asks for the fourth packet, which was lost
    } else if (segment.flags.rst && std::holds_alternative<wire::MpFail>(option)) {
      // M111: it ends this subflow, and no more; what failed comes again over another.
    } else {
      // An ADD_ADDR of IPv6 has no room for a DATA_ACK beside it; that it came shows that options
      // pass.
      data_ack_excused_ = handed_out_;
      verdict = events_.signalled(*this, option, now);
    }
    if (verdict == Verdict::kReset) return verdict;
    if (tcp_ == nullptr || level_.plain()) return Verdict::kContinue;
  }
  // Data that no mapping explains, and none ever came: MPTCP does not pass here (M107, M109).
  if (!segment.payload.empty() && !receiver_.mapping_seen() &&
      position >= receiver_.next_position() && level_.negotiation.agreed() &&
      stage_ != Stage::kConnecting) {
    if (events_.broken(*this, Breakdown::kNoMapping, now) == Verdict::kReset) {
      return refuse(wire::TcprstReason::kMiddleboxInterference);
    }
  }
  return Verdict::kContinue;
}

Verdict Subflow::take_capable(const wire::MpCapable& option, Instant now) {
  if (join_ || role_ == Role::kActive || !level_.negotiation.agreed()) return Verdict::kContinue;
  if (!level_.negotiation.receive_ack(option)) return Verdict::kContinue;
  if (!level_.receiver) {
    events_.key_learnt(now);
  } else if (capable_taken_) {
    tcp_->request_ack();  // it repeats itself because no DATA_ACK of ours has reached it
  }
  capable_taken_ = true;
  // It has no room for a DATA_ACK: what its segment acknowledges is excused from M109.
  data_ack_excused_ = handed_out_;
  if (!option.data_length || *option.data_length == 0) return Verdict::kContinue;
  level_.ack_width = level_.width_for_capable();
  if (receiver_.declare(option) != SubflowReceiver::Declared::kFine) {
    return refuse(wire::TcprstReason::kMptcpSpecific);
  }
  return Verdict::kContinue;
}

Verdict Subflow::take_dss(const wire::Dss& dss, const wire::Segment& segment, Instant now) {
  if (!level_.sender || !level_.receiver) return Verdict::kContinue;
  if (dss.data_ack) take_data_ack(dss, segment, now);
  // Our DATA_ACKs are as wide as the peer's numbers for its data; a DATA_FIN alone says nothing of
  // it.
  const bool has_data = dss.mapping && !(dss.data_fin && segment.payload.empty());
  if (has_data && dss.mapping->data_length > 0) {
    level_.ack_width =
        dss.mapping->eight_byte_sequence ? DataLevel::AckWidth::kEight : DataLevel::AckWidth::kFour;
  }
  return dss.mapping ? take_mapping(dss, segment, now) : Verdict::kContinue;
}

Verdict Subflow::take_mapping(const wire::Dss& dss, const wire::Segment& segment, Instant now) {
  if (dss.mapping->data_length == 0) {
    // M113: an infinite mapping is of data. On an ACK it is one only if there is nothing else to
    // the option: who still acknowledges data has not fallen back.
    if (segment.payload.empty() && dss.data_ack) return Verdict::kContinue;
    if (events_.broken(*this, Breakdown::kInfiniteMapping, now) == Verdict::kContinue) {
      return Verdict::kContinue;
    }
    return refuse(wire::TcprstReason::kMptcpSpecific);
  }
  if (receiver_.declare(dss) != SubflowReceiver::Declared::kFine) {  // M50, M58
    return refuse(wire::TcprstReason::kMptcpSpecific);
  }
  if (std::exchange(level_.heard, DataLevel::Heard::kMapping) == DataLevel::Heard::kNothing) {
    events_.wake_up();
  }
  if (dss.data_fin) {
    level_.fin_to_answer = id_;  // M80: its DATA_ACK must leave even if no byte came with it
    events_.wake_up();
  }
  return Verdict::kContinue;
}

void Subflow::take_data_ack(const wire::Dss& dss, const wire::Segment& segment, Instant now) {
  DataSender& sender = *level_.sender;
  const StreamOffset una = sender.snd_una();
  const std::uint64_t ack =
      dss.eight_byte_ack
          ? *dss.data_ack
          : sender.sequence().promote(static_cast<std::uint32_t>(*dss.data_ack), una);
  const std::int64_t distance = sender.sequence().distance(ack, una);
  const auto outstanding =
      static_cast<std::int64_t>(sender.snd_nxt() - una) + (sender.fin_sent() ? 1 : 0);
  // A placeholder (DESIGN 6) or nonsense lies outside; an old one proves options pass, too.
  if (distance > outstanding || distance < -static_cast<std::int64_t>(una.value())) return;
  data_ack_seen_ = true;
  level_.proof = DataLevel::Proof::kSeen;
  if (data_fin_due_) tcp_->request_ack();  // it has waited for this
  const auto outcome = sender.receive_data_ack(ack, window_of(segment), now);
  (void)outcome;
  events_.wake_up();  // also a mere window update may let data go
}

std::uint64_t Subflow::window_of(const wire::Segment& segment) const {
  const std::uint8_t shift = segment.flags.syn ? 0 : tcp_->agreed().send_shift;
  return std::uint64_t{segment.window} << shift;
}

Interval Subflow::place(std::uint64_t position, const Slices& bytes, Instant /*now*/) {
  if (level_.orphaned()) return {position, position + bytes.size()};  // nobody reads it: away
  const std::uint64_t end = position + bytes.size();
  if (!join_ && role_ == Role::kPassive && tcp_ == nullptr) {
    // The SYN's payload (accept() is still running): a message, then the head of the stream.
    if (end <= level_.incoming_skip) return {position, end};
    const std::uint64_t from = std::max(position, level_.incoming_skip);
    const auto length = static_cast<std::uint32_t>(end - from);
    const Interval held =
        level_.incoming->write_at(StreamOffset(from - level_.incoming_skip),
                                  bytes.sub(static_cast<std::uint32_t>(from - position), length));
    return {position, held.end + level_.incoming_skip};
  }
  if (!level_.plain() && !level_.receiver) return {position, position};  // no key yet
  return receiver_.place(position, bytes);
}

void Subflow::received_up_to(std::uint64_t position, Instant now) {
  if (level_.orphaned()) return;
  receiver_.received_up_to(position);
  if (receiver_.failed_data_sequence()) {
    if (events_.broken(*this, Breakdown::kChecksum, now) == Verdict::kReset) {
      reset(wire::MpFail{*receiver_.failed_data_sequence()},
            {.reason = wire::TcprstReason::kMiddleboxInterference}, now);
    }
  }
  events_.wake_up();
}

void Subflow::peer_finished(std::uint64_t position, Instant now) {
  if (level_.orphaned()) return;
  // The end of a stream from a peer that has never spoken at the data level: it is plain TCP's.
  if (!level_.plain() && !join_ && level_.proof == DataLevel::Proof::kMissing) {
    events_.broken(*this, Breakdown::kNoMapping, now);
  }
  if (level_.plain()) {
    level_.incoming->finish_at(StreamOffset(position - std::min(position, level_.incoming_skip)));
  } else {
    peer_half_closed_ = true;  // M86: it concerns this subflow only
  }
  events_.wake_up();
}

// ---- trouble, timers, end

void Subflow::retransmission_timeout(std::uint32_t consecutive, Instant now) {
  in_doubt_ = consecutive;
  if (!level_.orphaned() && !level_.plain() && level_.sender) {
    level_.sender->subflow_trouble(id_, DataSender::Trouble::kTimedOut, now);
  }
  events_.wake_up();
}

Instant Subflow::next_deadline() const {
  return stage_ == Stage::kPreEstablished ? third_ack_deadline_ : kNever;
}

// Until the fourth packet must be here, after third_acks_ of ours and one that leaves now.
Duration Subflow::third_ack_wait() const {
  const tcp::Connection::PathInfo path = tcp_->path_info();
  const bool steady = level_.habits->third_ack_pace == Habits::ThirdAckPace::kSteady;
  if (steady && path.srtt > Duration::zero()) return 2 * path.srtt;
  return std::min(path.rto * (1 << (steady ? 0 : third_acks_)), Duration(10s));
}

void Subflow::check(Instant now) {
  if (tcp_ == nullptr || level_.orphaned()) return;
  if (stage_ == Stage::kPreEstablished && third_ack_deadline_ <= now) {
    if (third_acks_ >= kMaxThirdAcks) {
      reset(std::nullopt, {.reason = wire::TcprstReason::kUnspecified}, now);
      return;
    }
    third_ack_deadline_ = now + third_ack_wait();
    ++third_acks_;
    tcp_->request_ack();
  }
  if (level_.plain() || stage_ == Stage::kConnecting) return;
  // M109: a whole batch of segments is in, and our data was acknowledged without any DATA_ACK.
  if (!data_ack_seen_ && acked_ > std::max(queue_.start(), data_ack_excused_)) {
    if (events_.broken(*this, Breakdown::kNoDataAck, now) == Verdict::kReset) {
      reset(std::nullopt, {.reason = wire::TcprstReason::kMiddleboxInterference}, now);
    }
  } else if (receiver_.starved()) {  // M60, M110
    if (events_.broken(*this, Breakdown::kNoMapping, now) == Verdict::kReset) {
      reset(std::nullopt, {.reason = wire::TcprstReason::kMiddleboxInterference}, now);
    }
  }
}

void Subflow::closed(tcp::CloseReason reason, Instant now) {
  tcp_ = nullptr;
  stage_ = Stage::kClosed;
  events_.closed(*this, reason, now);
}

void Subflow::validate() const {
  queue_.validate();
  receiver_.validate();
  ENSURE(acked_ <= send_end() || level_.plain());
}

}  // namespace braid::mptcp
