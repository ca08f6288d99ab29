// Subflow: one TCP connection of an MPTCP connection (RFC 8684), seen from TCP: its StreamUser.
//
//   kConnecting      SYNs under way
//   kPreEstablished  (joins we began) third ACK sent, fourth not seen: no data may leave (M44)
//   kOpen            carries data
//   kClosing         our FIN is queued behind what was mapped
//   kClosed          TCP has said closed()
//
// subflow.cpp is life and receiving, subflow_send.cpp what leaves. It decides nothing about other
// subflows: what concerns the connection goes up through SubflowEvents.
// Timer: the third ACK's repetition, while kPreEstablished (M44).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stack/mptcp/data_level.h"
#include "stack/mptcp/join_handshake.h"
#include "stack/mptcp/mapping_queue.h"
#include "stack/mptcp/paths.h"
#include "stack/mptcp/subflow_receiver.h"
#include "stack/tcp/connection.h"
#include "stack/tcp/stream_user.h"

namespace braid::mptcp {

class Subflow;

// Why MPTCP cannot go on over a subflow (RFC 8684 3.7).
enum class Breakdown : std::uint8_t {
  kNoMapping,        // data without a mapping
  kNoDataAck,        // our data acknowledged without a DATA_ACK (M109)
  kNoCapable,        // the third ACK of the first subflow came without MP_CAPABLE (M34)
  kChecksum,         // a mapping's checksum was wrong (M111 - M115)
  kFailSignal,       // the peer's MP_FAIL (M114)
  kInfiniteMapping,  // the peer has fallen back already
};

class SubflowEvents {
 public:
  virtual ~SubflowEvents() = default;
  // Something changed that flush() must look at.
  virtual void wake_up() = 0;
  // The first subflow's handshake is done (MPTCP or plain), or a join may carry data now.
  virtual void opened(Subflow& subflow, const wire::Segment& segment, Instant now) = 0;
  // The peer repeated its SYN while our answer is withheld: the owner's business (RFC 8803 C55).
  virtual void syn_repeated() = 0;
  // The responder has just learnt the peer's key.
  virtual void key_learnt(Instant now) = 0;
  // ADD_ADDR, REMOVE_ADDR, MP_PRIO, MP_FAIL or MP_FASTCLOSE.
  virtual tcp::Verdict signalled(Subflow& subflow, const wire::MptcpOption& option,
                                 Instant now) = 0;
  // kContinue: the connection is plain TCP now. kReset: this subflow must go.
  virtual tcp::Verdict broken(Subflow& subflow, Breakdown cause, Instant now) = 0;
  virtual void closed(Subflow& subflow, tcp::CloseReason reason, Instant now) = 0;
};

class Subflow final : public tcp::StreamUser {
 public:
  enum class Stage : std::uint8_t { kConnecting, kPreEstablished, kOpen, kClosing, kClosed };
  enum class Role : std::uint8_t { kActive, kPassive };

  // The first subflow. `syn_payload` rides in an active one's SYN.
  Subflow(SubflowId id, Role role, const LocalPath& path, DataLevel& level, SubflowEvents& events,
          std::vector<std::uint8_t> syn_payload);
  // A join.
  Subflow(SubflowId id, Role role, const LocalPath& path, DataLevel& level, SubflowEvents& events,
          JoinHandshake join);

  // Right after Layer::connect or Layer::accept.
  void attach(tcp::Connection& connection);
  // nullptr before attach() and after closed().
  tcp::Connection* tcp() const { return tcp_; }

  SubflowId id() const { return id_; }
  Role role() const { return role_; }
  bool is_join() const { return join_.has_value(); }
  Stage stage() const { return stage_; }
  const LocalPath& path() const { return path_; }
  std::uint8_t local_address_id() const { return join_ ? join_->local_address_id() : 0; }
  std::uint8_t remote_address_id() const { return join_ ? join_->remote_address_id() : 0; }
  // The peer asked for it as a backup, or we did.
  // SYNs with MP_CAPABLE stayed unanswered, and one without it did not (M35).
  bool capable_unanswered() const {
    return plain_syn_ == PlainSyn::kSent && !level_.negotiation.agreed();
  }
  bool backup() const { return peer_backup_ || local_backup_; }
  void set_local_backup(bool backup) { local_backup_ = backup; }
  void set_peer_backup(bool backup) { peer_backup_ = backup; }
  // What the peer was last told of this path by us: to treat it as a backup, or not.
  bool told_backup() const { return told_backup_; }
  void set_told_backup(bool backup) { told_backup_ = backup; }
  std::optional<wire::MpTcprst> peer_reset() const { return peer_reset_; }  // the peer's MP_TCPRST

  // It may be given data now.
  bool carries_data() const;
  // It has timed out (this often in a row) and nothing was heard since.
  std::uint32_t timeouts_in_doubt() const { return in_doubt_; }
  bool in_doubt() const { return in_doubt_ > 0; }
  // As if it had timed out this often; until it is heard again.
  void doubt(std::uint32_t timeouts) { in_doubt_ = std::max(in_doubt_, timeouts); }
  Instant last_heard() const { return last_heard_; }
  // Mapped, and not handed to the network yet.
  std::uint64_t queued() const;
  // Mapped, and not acknowledged by the subflow's TCP.
  std::uint64_t unacked() const { return send_end() - acked_; }
  // The same up to `end` of the stream, which is mapped here: what the bytes before it wait for.
  std::uint64_t unacked_before(StreamOffset end) const;
  std::uint32_t syn_bytes_refused() const { return syn_bytes_refused_; }
  // The peer has finished this subflow; we may still send on it.
  bool peer_half_closed() const { return peer_half_closed_; }
  bool was_open() const { return was_open_; }  // it carried data, or could have

  // --- what the connection asks of it; each leaves with the next flush of TCP.
  void map(const DataSender::Range& range);
  void send_data_fin();                               // on a pure ACK
  void send_signal(const wire::MptcpOption& option);  // on a pure ACK of this subflow
  bool has_signals() const { return !signals_.empty(); }
  void finish();  // FIN after everything mapped
  // RST with these options on it (each at most once, in this order).
  void reset(std::optional<wire::MptcpOption> first, wire::MpTcprst why, Instant now);
  // Plain TCP from here on. An infinite mapping tells the peer, if one is due.
  enum class Tell : std::uint8_t { kPeer, kNobody };
  void fall_back(Tell tell);

  Instant next_deadline() const;
  // Evidence that needs a whole batch of segments (M109), held bytes without mapping (M60), timers.
  void check(Instant now);

  SubflowReceiver& receiver() { return receiver_; }
  void validate() const;

  // --- tcp::StreamUser
  tcp::Verdict segment_arrived(const wire::Segment& segment, std::uint64_t position,
                               Instant now) override;
  Interval place(std::uint64_t position, const Slices& bytes, Instant now) override;
  void received_up_to(std::uint64_t position, Instant now) override;
  void peer_finished(std::uint64_t position, Instant now) override;
  std::uint64_t receive_window() const override { return level_.window(); }
  tcp::WindowScope window_scope() const override;
  std::uint64_t send_end() const override;
  bool send_finished() const override;
  Slices peek(std::uint64_t position, std::uint32_t max_length) const override;
  std::uint32_t data_option_bytes() const override;
  void add_options(const tcp::Outgoing& outgoing, wire::TcpOptions& options) override;
  void acked(std::uint64_t position, Instant now) override;
  bool may_complete(const wire::Segment& segment) const override;
  tcp::Verdict established(const wire::Segment& segment, std::uint32_t syn_bytes_acked,
                           Instant now) override;
  void retransmission_timeout(std::uint32_t consecutive, Instant now) override;
  void send_budget_grew() override { events_.wake_up(); }
  void syn_repeated() override { events_.syn_repeated(); }
  void closed(tcp::CloseReason reason, Instant now) override;

 private:
  static constexpr std::uint32_t kMaxThirdAcks = 8;
  static constexpr std::uint32_t kConvertSynsWithCapable = 2;  // see add_syn_options()
  static constexpr std::uint32_t kInfiniteMappings = 4;        // segments

  tcp::Verdict first_established(const wire::Segment& segment, Instant now);
  tcp::Verdict join_established(const wire::Segment& segment, Instant now);
  Duration third_ack_wait() const;
  tcp::Verdict take_capable(const wire::MpCapable& option, Instant now);
  tcp::Verdict take_dss(const wire::Dss& dss, const wire::Segment& segment, Instant now);
  tcp::Verdict take_mapping(const wire::Dss& dss, const wire::Segment& segment, Instant now);
  void take_data_ack(const wire::Dss& dss, const wire::Segment& segment, Instant now);
  tcp::Verdict refuse(wire::TcprstReason reason);
  void open();
  std::uint64_t window_of(const wire::Segment& segment) const;

  void add_syn_options(wire::TcpOptions& options);
  void add_syn_ack_options(wire::TcpOptions& options);
  void add_data_options(const tcp::Outgoing& outgoing, wire::TcpOptions& options);
  void add_ack_options(tcp::Purpose purpose, wire::TcpOptions& options);
  void add_plain_options(wire::TcpOptions& options);
  std::size_t add_signals(wire::TcpOptions& options);
  bool must_repeat_capable() const;
  std::uint64_t plain_end() const;

  SubflowId id_;
  Role role_;
  LocalPath path_;
  DataLevel& level_;
  SubflowEvents& events_;
  std::vector<std::uint8_t> syn_payload_;
  std::optional<JoinHandshake> join_;
  tcp::Connection* tcp_ = nullptr;
  Stage stage_ = Stage::kConnecting;
  bool was_open_ = false;
  bool peer_half_closed_ = false;
  std::uint32_t syn_bytes_refused_ = 0;
  bool peer_backup_ = false;
  bool local_backup_ = false;
  bool told_backup_ = false;
  std::optional<wire::MpTcprst> peer_reset_;

  // Receiving.
  SubflowReceiver receiver_;
  Instant last_heard_{};
  std::uint32_t in_doubt_ = 0;
  bool capable_taken_ = false;  // the peer's key came, by the third ACK or later
  bool data_ack_seen_ = false;
  std::uint64_t data_ack_excused_ = 0;  // positions that may be acknowledged without a DATA_ACK

  // Sending.
  MappingQueue queue_;
  std::uint64_t acked_ = 0;       // by the subflow's TCP
  std::uint64_t handed_out_ = 0;  // positions that have left once
  std::vector<wire::MptcpOption> signals_;
  bool data_fin_due_ = false;
  std::vector<wire::MptcpOption> reset_options_;
  struct Infinite {
    wire::Dss::Mapping mapping;
    std::uint32_t left = 0;  // segments that shall still carry it
  };
  std::unique_ptr<Infinite> infinite_;  // after a fallback that the peer is to be told of
  std::uint32_t syns_sent_ = 0;
  enum class PlainSyn : std::uint8_t { kNone, kSent } plain_syn_ = PlainSyn::kNone;
  std::uint32_t third_acks_ = 0;
  Instant third_ack_deadline_ = kNever;
};

}  // namespace braid::mptcp
