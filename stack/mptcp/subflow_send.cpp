// What a subflow sends: its bytes, by mapping, and the options on each kind of segment.
#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/mptcp/subflow.h"
#include "stack/wire/checksum.h"

namespace braid::mptcp {
namespace {

// Option bytes left when SACK blocks give way: they are cut to fit afterwards.
std::size_t room_without_sack(const wire::TcpOptions& options) {
  wire::TcpOptions others = options;
  others.sack.clear();
  return wire::room_left(others);
}

// MP_CAPABLE on a first data segment, its checksum included (M21).
constexpr std::uint32_t kCapableWithData = 24;

std::uint64_t as_wide(std::uint64_t number, bool eight_octets) {
  return eight_octets ? number : static_cast<std::uint32_t>(number);
}

std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

}  // namespace

// ---- bytes

std::uint64_t Subflow::plain_end() const {
  const std::uint64_t end = level_.outgoing->in_order().value() + level_.outgoing_skip;
  return std::max(end, queue_.end());
}

std::uint64_t Subflow::send_end() const {
  const bool may = stage_ != Stage::kConnecting || role_ == Role::kPassive;
  if (level_.plain() && !level_.orphaned() && may) return plain_end();
  return std::max(queue_.end(), handed_out_);
}

bool Subflow::send_finished() const {
  if (stage_ == Stage::kClosing) return true;
  return level_.plain() && !level_.orphaned() && stage_ == Stage::kOpen &&
         level_.outgoing->complete();
}

Slices Subflow::peek(std::uint64_t position, std::uint32_t max_length) const {
  if (position < syn_payload_.size()) {
    const Bytes rest = Bytes(syn_payload_).subspan(position);
    return rest.first(std::min<std::size_t>(rest.size(), max_length));
  }
  if (position < queue_.end()) return queue_.peek(position, max_length);
  if (!level_.plain() || level_.orphaned()) return {};
  return level_.outgoing->peek(StreamOffset(position - level_.outgoing_skip), max_length);
}

void Subflow::map(const DataSender::Range& range) {
  DataSender& sender = *level_.sender;
  const std::uint64_t dsn = sender.sequence().dsn(range.begin);
  std::optional<std::uint16_t> checksum;
  if (level_.checksum()) {
    wire::InternetSum sum;
    for (std::uint32_t at = 0; at < range.length;) {
      const Slices part = sender.pipe().peek(range.begin + at, range.length - at);
      sum.add(part);
      at += part.size();
    }
    checksum = wire::dss_checksum(sum, dsn, queue_.subflow_sequence(queue_.end()),
                                  static_cast<std::uint16_t>(range.length + range.data_fin));
  }
  queue_.push(dsn, sender.pipe().hold(range.begin, range.length), range.data_fin, checksum);
  tcp_->send_more();
}

void Subflow::finish() {
  if (stage_ != Stage::kOpen) return;
  stage_ = Stage::kClosing;
  if (tcp_ != nullptr) tcp_->send_more();
}

void Subflow::acked(std::uint64_t position, Instant /*now*/) {
  acked_ = std::max(acked_, position);
  while (const auto mapping = queue_.acked(position)) {
    if (level_.orphaned() || level_.plain() || !level_.sender) continue;
    level_.sender->subflow_acked(id_, mapping->begin, mapping->length);
  }
  if (!level_.orphaned() && level_.plain() && position > level_.outgoing_skip) {
    // M116: plain TCP's acknowledgment is all there is. The FIN counts as a position, too.
    const StreamOffset offset(position - level_.outgoing_skip);
    level_.outgoing->release(std::min(offset, level_.outgoing->in_order()));
  }
  events_.wake_up();
}

// ---- requests

void Subflow::send_data_fin() {
  data_fin_due_ = true;
  tcp_->request_ack();
}

void Subflow::send_signal(const wire::MptcpOption& option) {
  signals_.push_back(option);
  tcp_->request_ack();
}

void Subflow::reset(std::optional<wire::MptcpOption> first, wire::MpTcprst why, Instant now) {
  if (tcp_ == nullptr) return;
  reset_options_.clear();
  if (!level_.plain()) {
    if (first) reset_options_.push_back(*first);
    reset_options_.push_back(why);
  }
  stage_ = Stage::kClosing;
  tcp_->abort(now);
}

// M109, M113. The mapping acts from the first byte not DATA_ACKed on, whose position follows from
// the shift of a subflow that has carried everything. It rides on a few segments, for one may be
// lost.
void Subflow::fall_back(Tell tell) {
  if (tell == Tell::kPeer && level_.sender && stage_ != Stage::kConnecting) {
    const DataSender& sender = *level_.sender;
    const std::uint64_t position = sender.snd_una().value() + level_.outgoing_skip;
    infinite_ = std::make_unique<Infinite>();
    infinite_->mapping = {.data_sequence = sender.sequence().dsn(sender.snd_una()),
                          .subflow_sequence = queue_.subflow_sequence(position),
                          .data_length = 0};
    if (level_.checksum()) infinite_->mapping.checksum = 0;
    infinite_->left = kInfiniteMappings;
    if (tcp_ != nullptr) tcp_->request_ack();
  }
  std::erase_if(signals_, [](const wire::MptcpOption& option) {
    return !std::holds_alternative<wire::MpFail>(option);
  });
  receiver_.fall_back();
}

// ---- options

std::uint32_t Subflow::data_option_bytes() const {
  if (level_.plain()) return infinite_ ? 24 : 0;
  if (must_repeat_capable()) return kCapableWithData;
  const wire::Dss::Mapping mapping{
      .eight_byte_sequence = level_.sender && level_.has_long_sequence(level_.sender->snd_nxt()),
      .checksum = 0};
  const bool long_ack = level_.receiver && level_.ack_width == DataLevel::AckWidth::kEight;
  const wire::Dss dss{.data_ack = 0, .eight_byte_ack = long_ack, .mapping = mapping};
  return static_cast<std::uint32_t>(padded(wire::encoded_length(wire::MptcpOption(dss))));
}

tcp::WindowScope Subflow::window_scope() const {
  const bool shared =
      level_.negotiation.agreed() ||
      (level_.mode == Mode::kConnecting && role_ == Role::kActive && level_.negotiation.wishes());
  return shared && !level_.plain() ? tcp::WindowScope::kShared : tcp::WindowScope::kStream;
}

void Subflow::add_options(const tcp::Outgoing& outgoing, wire::TcpOptions& options) {
  using tcp::Purpose;
  if (outgoing.purpose == Purpose::kReset) {
    for (const wire::MptcpOption& option : reset_options_) options.mptcp.push_back(option);
    return;
  }
  if (outgoing.purpose == Purpose::kSyn) return add_syn_options(options);
  if (outgoing.purpose == Purpose::kSynAck) return add_syn_ack_options(options);
  if (outgoing.purpose == Purpose::kData) {
    handed_out_ = std::max(handed_out_, outgoing.position + outgoing.length);
  }
  if (level_.plain()) return add_plain_options(options);
  if (!level_.negotiation.agreed()) return;
  if (outgoing.purpose == Purpose::kData) return add_data_options(outgoing, options);
  add_ack_options(outgoing.purpose, options);
}

void Subflow::add_syn_options(wire::TcpOptions& options) {
  if (join_) {
    options.mptcp.push_back(join_->syn());
    return;
  }
  // M35. Silence behind a Convert message may be its server's, and proves nothing (DESIGN 6). But a
  // plain repeat costs nothing either: where an earlier SYN has arrived it is a mere repeat (RFC
  // 8803 C55), and the SYN-ACK answers the first; where none has, it may be the one that gets
  // through.
  const std::uint32_t most =
      syn_payload_.empty() ? level_.habits->syns_with_capable : kConvertSynsWithCapable;
  const bool wishes = level_.negotiation.wishes();
  plain_syn_ = wishes && syns_sent_ >= most ? PlainSyn::kSent : PlainSyn::kNone;
  if (wishes && plain_syn_ == PlainSyn::kNone) options.mptcp.push_back(level_.negotiation.syn());
  ++syns_sent_;
}

void Subflow::add_syn_ack_options(wire::TcpOptions& options) {
  events_.wake_up();  // early data may follow it now (DESIGN 6)
  if (join_) {
    options.mptcp.push_back(join_->syn_ack());
  } else if (level_.negotiation.agreed()) {
    options.mptcp.push_back(level_.negotiation.syn_ack());
  }
}

// The first byte of a mapping always comes with its mapping, and so does every other: whatever a
// device makes of a super-segment, each piece explains itself (M53, M108).
void Subflow::add_data_options(const tcp::Outgoing& outgoing, wire::TcpOptions& options) {
  const MappingQueue::Mapping* const mapping = queue_.at(outgoing.position);
  if (mapping == nullptr) return;
  if (must_repeat_capable() && mapping->position == queue_.start() && !mapping->data_fin) {
    options.mptcp.push_back(
        level_.negotiation.data(mapping->wire_length(), mapping->checksum));  // M20, M21
    return;
  }
  wire::Dss dss;
  dss.data_fin = mapping->data_fin;
  level_.add_data_ack(dss);
  const bool long_sequence =
      level_.has_long_sequence(level_.sender->sequence().offset(mapping->data_sequence));
  dss.mapping = wire::Dss::Mapping{.data_sequence = as_wide(mapping->data_sequence, long_sequence),
                                   .eight_byte_sequence = long_sequence,
                                   .subflow_sequence = queue_.subflow_sequence(mapping->position),
                                   .data_length = mapping->wire_length(),
                                   .checksum = mapping->checksum};
  options.mptcp.push_back(dss);
}

// Until the peer has shown that it holds our key, each ACK offers it: any one of them may be the
// first to arrive (M20, M34). Only a DATA_FIN, for which there is no room beside it, goes without:
// it comes again, and so does the SYN-ACK of a peer that does not have the key yet.
bool Subflow::must_repeat_capable() const {
  return !join_ && role_ == Role::kActive && level_.proof == DataLevel::Proof::kMissing &&
         level_.negotiation.remote_key().has_value();
}

void Subflow::add_ack_options(tcp::Purpose purpose, wire::TcpOptions& options) {
  // The ACK of the peer's FIN after ours: the data level was done before either.
  if (tcp_ != nullptr && tcp_->state() == tcp::State::kTimeWait) return;
  if (join_ && role_ == Role::kActive && stage_ <= Stage::kPreEstablished) {
    if (stage_ == Stage::kPreEstablished) options.mptcp.push_back(join_->ack());
    return;
  }
  if (!level_.receiver) return;  // a responder before the third ACK: nothing to acknowledge
  wire::Dss dss;
  if (must_repeat_capable() && (purpose == tcp::Purpose::kHandshakeAck || !data_fin_due_)) {
    options.mptcp.push_back(level_.negotiation.ack());
    // Both fit only with the short DATA_ACK. It must be there when this ACK covers data (M109).
    if (!level_.orphaned() &&
        level_.receiver->data_ack() != level_.receiver->sequence().dsn(level_.stream_start)) {
      level_.add_data_ack(dss);
      dss.eight_byte_ack = false;
      dss.data_ack = static_cast<std::uint32_t>(*dss.data_ack);
      if (padded(wire::encoded_length(wire::MptcpOption(dss))) <= room_without_sack(options)) {
        options.mptcp.push_back(dss);
      }
    }
    return;
  } else if (!signals_.empty()) {
    add_signals(options);
  }
  // An address goes alone, as long as it does not keep the peer from learning what was received.
  if (options.find<wire::AddAddr>() != nullptr && !data_fin_due_ && !level_.data_ack_is_news()) {
    return;
  }
  level_.add_data_ack(dss);
  if (data_fin_due_ && level_.sender && level_.sender->fin_pending()) {
    const std::uint64_t dsn = level_.sender->sequence().dsn(level_.sender->snd_nxt());
    dss.data_fin = true;
    const bool long_sequence = level_.has_long_sequence(level_.sender->snd_nxt());
    dss.mapping = wire::Dss::Mapping{.data_sequence = as_wide(dsn, long_sequence),
                                     .eight_byte_sequence = long_sequence,
                                     .subflow_sequence = 0,
                                     .data_length = 1};
    if (level_.checksum()) dss.mapping->checksum = wire::dss_checksum({}, dsn, 0, 1);
  }
  if (padded(wire::encoded_length(wire::MptcpOption(dss))) > room_without_sack(options)) {
    if (!dss.mapping) return;
    dss.data_fin = false;
    dss.mapping.reset();
    if (padded(wire::encoded_length(wire::MptcpOption(dss))) > room_without_sack(options)) return;
  }
  if (dss.data_fin) data_fin_due_ = false;
  options.mptcp.push_back(dss);
}

// As many waiting signals as fit, first come first served. One that needs more room than
// timestamps leave (an IPv6 ADD_ADDR with port) goes without them.
std::size_t Subflow::add_signals(wire::TcpOptions& options) {
  std::size_t sent = 0;
  while (sent < signals_.size() && sent < 2) {
    const std::size_t needed = padded(wire::encoded_length(signals_[sent]));
    if (needed > room_without_sack(options)) {
      if (sent > 0 || !options.mptcp.empty()) break;
      options.timestamps.reset();
    }
    options.mptcp.push_back(signals_[sent++]);
  }
  signals_.erase(signals_.begin(), signals_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (signals_.empty()) {
    std::vector<wire::MptcpOption>().swap(signals_);
  } else {
    events_.wake_up();
  }
  return sent;
}

// After a fallback: what is left to say about it, then nothing (M117).
void Subflow::add_plain_options(wire::TcpOptions& options) {
  if (level_.orphaned() || !infinite_) return;
  if (!signals_.empty() && options.mptcp.empty()) add_signals(options);
  wire::Dss dss;
  dss.mapping = infinite_->mapping;
  if (padded(wire::encoded_length(wire::MptcpOption(dss))) > room_without_sack(options)) return;
  options.mptcp.push_back(dss);
  if (--infinite_->left == 0) infinite_.reset();
}

}  // namespace braid::mptcp
