// Connection: one TCP connection (RFC 9293), whoever its user is.
//
// A machine: receive() takes a segment, flush() emits, next_deadline() says when to come back.
// Roles have rooms of their own: Handshake (SYNs and their options), Acceptance (is this segment to
// be believed), Receiver (rcv_nxt, SACK, delayed ACK, window), Sender (what leaves, recovery). This
// class is the state machine between them:
//   connection.cpp          life: open, answer, abort, timers, end
//   connection_receive.cpp  the steps of RFC 9293 3.10.7, in their order
//   connection_send.cpp     flush: what leaves, and how a segment is built
//   connection_path.cpp     the path MTU: ICMP, evidence for PathMtu, probes; ICMP errors
// Timers of its own, beside those of the roles:
//   keep-alive (RFC 9293 3.8.4)  after keepalive_interval of silence
//   doubt (tcp/doubt.h)          after doubt_after of silence behind data of the peer's
//   linger                       1 s for a last RST or ACK whose door is not ready
//
// When closed() comes: in receive() for an end the peer caused (RST, ICMP, the ACK of our last
// FIN); in flush() for what we cause (abort() once its RST has left, timeouts) and for TIME-WAIT,
// after the ACK of the peer's FIN. A segment that completes a passive handshake is given to the
// user twice: established(), then segment_arrived() like any other. An acceptable RST is given to
// segment_arrived() before closed(), because MPTCP options ride on it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "stack/base/agenda.h"
#include "stack/base/random.h"
#include "stack/base/time.h"
#include "stack/cc/controller.h"
#include "stack/tcp/acceptance.h"
#include "stack/tcp/close_reason.h"
#include "stack/tcp/doubt.h"
#include "stack/tcp/exit.h"
#include "stack/tcp/handshake.h"
#include "stack/tcp/path_memory.h"
#include "stack/tcp/path_mtu.h"
#include "stack/tcp/receiver.h"
#include "stack/tcp/state.h"
#include "stack/tcp/stream_user.h"
#include "stack/tcp/tuple.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

class Sender;

struct ConnectionConfig {
  std::unique_ptr<cc::Controller> controller;
  std::uint32_t mtu = 1500;  // of the interface, bytes; the MSS we announce follows
  // What others have found this path to carry (PathInfo::path_mtu), bytes; 0: nothing is known.
  std::uint32_t path_mtu = 0;
  // What is found out about the path is for others too; empty: it is for nobody else.
  std::shared_ptr<PathRecord> path;
  std::uint32_t max_super_payload = 60000;  // bytes of one super-segment; 0: plain segments only
  std::uint8_t window_scale = 8;            // RFC 7323, at most 14
  bool timestamps = true;
  bool sack = true;
  bool ecn = true;
  // Bytes of the user's stream that ride in our SYN, and again in each of its retransmissions.
  std::uint32_t syn_payload = 0;
  enum class HandshakeRtt : std::uint8_t { kUse, kIgnore } handshake_rtt = HandshakeRtt::kUse;
  // What others know of this path's round trip (RFC 9040): it stands in for a handshake that gave
  // no sample. Zero: nothing is known.
  Duration expected_rtt = 0s;
  // Passive open: the SYN-ACK waits for answer().
  enum class Answer : std::uint8_t { kAtOnce, kWithhold } answer = Answer::kAtOnce;
  // Passive open: bytes may follow the SYN-ACK before the handshake's ACK is in.
  enum class EarlyData : std::uint8_t { kNo, kYes } early_data = EarlyData::kNo;
  // ICMP errors that RFC 9293 calls soft (net and host unreachable, time exceeded) while
  // connecting: go on trying (MUST-56), or end it as most systems do (RFC 5461), for legs whose
  // truth must reach somebody who waits.
  enum class SoftErrors : std::uint8_t { kKeepTrying, kEndConnecting };
  SoftErrors soft_errors = SoftErrors::kKeepTrying;
  // Active open: the SYN is repeated by our own timer, or only when repeat_syn() says so (RFC 8803
  // C55: a converter's server SYN follows its client's).
  enum class SynRepeats : std::uint8_t { kOnTimer, kOnRequest } syn_repeats = SynRepeats::kOnTimer;
  // ACKs are delayed by 40 ms at most, or by at most a quarter of the path's round trip: whoever
  // chooses between paths by their round trips sees them through our ACKs.
  enum class AckDelay : std::uint8_t { kFixed, kByPath } ack_delay = AckDelay::kFixed;
  // The longest the peer may keep the ACK of a lone segment; 200 ms when nothing is known of it
  // (RFC 8985 7.2).
  Duration peer_ack_delay = 200ms;
  Duration syn_timeout = 180s;       // RFC 9293 MUST-23: at least three minutes
  Duration keepalive_interval = 0s;  // 0: off (RFC 9293 MUST-25)
  Duration doubt_after = 0s;         // 0: off (tcp/doubt.h)
  std::uint32_t max_syn_retransmissions = 7;
  // So many timeouts of a SYN are one second each before they double (RFC 6298 5.5: at once).
  std::uint32_t linear_syn_timeouts = 0;
  std::uint32_t max_retransmissions = 15;
  std::uint32_t timestamp_offset = 0;  // filled in by the Layer
};

class Connection : public Agenda::Entry {
 public:
  // ISNs come from the Layer (RFC 6528). The user must outlive the connection or its closed() call.
  Connection(const Tuple& tuple, StreamUser& user, ConnectionConfig config, SeqNum isn);
  ~Connection();

  void open_active(Instant now);
  // `syn` is the peer's; its payload is placed with the user at position 0 at once.
  void open_passive(const wire::Segment& syn, Instant now);
  // Lets a withheld SYN-ACK go. Idempotent.
  void answer(Instant now);

  void receive(const wire::Segment& segment, Instant now);
  void receive_error(const wire::IcmpError& error, Instant now);
  void flush(Instant now, Exit& exit);
  Instant next_deadline() const;
  // The interface is ready again.
  void door_opened();

  // The user's requests; each takes effect at the next flush.
  void request_ack();     // a pure ACK with the user's options, even if none is due
  void send_more();       // send_end() or send_finished() changed
  void window_changed();  // receive_window() grew: an update leaves if it is worth one
  void end_quick_acks();  // from here on ACKs may wait, however young the connection
  void probe();           // a keep-alive now: is the peer still there?
  // See Sender::raise_window.
  void raise_send_window(std::uint64_t bytes, Instant now);
  // Ends it at once: RST (with the user's options), closed(kAborted). In SYN-SENT no RST leaves.
  void abort(Instant now);
  // Ends it at once and in silence: for a connecting peer that has been told the truth in another
  // way (an ICMP error). closed(kAborted) is called before this returns.
  void abandon(Instant now);
  // Active open: the SYN leaves once more. Without effect once it was answered.
  void repeat_syn();

  const Tuple& tuple() const { return tuple_; }
  State state() const { return state_; }
  // RFC 793-wise able to send: ESTABLISHED or CLOSE-WAIT (or early data allowed).
  bool can_send() const;
  // New bytes that may be handed to this connection now (see Sender::budget).
  std::uint64_t send_budget(Instant now) const;
  // How often the peer repeated its SYN while our SYN-ACK is withheld (RFC 8803 C55).
  std::uint32_t syn_repeats() const { return syn_repeats_; }
  // The last ICMP error about this connection, or nullptr; readable in closed() too.
  const wire::IcmpError* last_error() const { return last_error_.get(); }
  // What the SYNs agreed on; defaults before the peer's was seen.
  const Handshake::Agreed& agreed() const { return agreed_; }
  // Nothing more leaves, closed() was called (or TIME-WAIT is to be kept by the layer).
  bool finished() const { return ending_ == Ending::kDone; }
  Instant last_received() const { return last_received_; }  // of any acceptable segment
  bool waits_for_door() const { return waits_for_door_; }

  struct PathInfo {
    Duration srtt{}, min_rtt{}, rttvar{}, rto{};
    std::uint64_t cwnd = 0, in_flight = 0, ssthresh = 0, send_window = 0;  // bytes
    std::uint64_t lost = 0;      // bytes judged lost, and not sent again yet
    std::uint32_t mss = 0;       // payload bytes of a full segment, after options
    std::uint32_t path_mtu = 0;  // bytes of an IP packet the path is held to carry
    PathMtu::Source path_mtu_source = PathMtu::Source::kInterface;
    std::uint32_t super_segment = 0;  // payload bytes of the largest super-segment
    std::uint32_t consecutive_timeouts = 0;
    Rate pacing_rate;
    Rate delivery_rate;  // what it was last seen to carry (RateSampler); zero: unknown
    bool in_recovery = false;
    Instant last_received;         // any acceptable segment; the origin of time before one
    Instant oldest_sent = kNever;  // when the lowest unacknowledged byte left; never: none
  };
  PathInfo path_info() const;
  // What is unacknowledged, for who wants to know exactly: walks the scoreboard. Bytes.
  struct Outstanding {
    std::uint64_t all = 0, sacked = 0;
    std::uint64_t lost = 0;           // and not sent again
    std::uint64_t retransmitted = 0;  // sent again, its fate open
  };
  Outstanding outstanding() const;
  struct Counters {
    std::uint64_t segments_in = 0, segments_out = 0, bytes_in = 0, bytes_out = 0,
                  bytes_retransmitted = 0, timeouts = 0, challenge_acks = 0;
  };
  Counters counters() const;

  // What TIME-WAIT needs to remember (RFC 9293 3.6.1, RFC 6191).
  struct Remains {
    SeqNum snd_nxt, rcv_nxt;
    std::uint16_t window = 0;
    bool timestamps = false;
    std::uint32_t ts_recent = 0, timestamp_offset = 0;
  };
  Remains remains() const;
  // RFC 7323 5.4: a clock of one millisecond, from an origin strangers cannot know.
  static wire::Timestamps timestamps_at(Instant now, std::uint32_t offset, std::uint32_t echo);
  void validate() const;

 private:
  enum class Ending : std::uint8_t {
    kNone,
    kReset,     // a RST is to leave, then closed()
    kTimeWait,  // the ACK of the peer's FIN is to leave, then closed()
    kDone,
  };
  enum class AckRequest : std::uint8_t { kNone, kHandshake, kPlain };
  enum class Probe : std::uint8_t { kNone, kDue };
  // kAnswer: out of turn, because the peer repeated its SYN or the user asked.
  enum class SynDue : std::uint8_t { kNone, kDue, kAnswer, kWithheld };
  enum class Role : std::uint8_t { kNone, kActive, kPassive };
  // What only the way to ESTABLISHED needs. A connection lives long after that.
  struct Opening {
    ConnectionConfig config;
    Handshake handshake;
  };

  // --- connection.cpp
  void start_sender(std::uint64_t acked, std::uint64_t sent, std::uint64_t window,
                    std::optional<Duration> rtt, Instant now);
  void start_receiver(const wire::Segment& syn);
  std::optional<Duration> handshake_rtt(const wire::Segment& answer, Instant now) const;
  void run_timers(Instant now);
  void resend_syn(Instant now);
  void run_sender_timer(Instant now);
  void run_keepalive(Instant now);
  void run_doubt(Instant now);
  void end(CloseReason reason, Instant now);
  void end_with_reset(CloseReason reason, Instant now);
  void enter_time_wait(Instant now);
  void finish_ending(CloseReason reason, Instant now);
  void validate_in_debug() const;
  std::uint64_t snd_una() const;
  std::uint64_t snd_nxt() const;
  bool syn_has_left() const { return !opening_ || opening_->handshake.transmissions() > 0; }
  bool is_synchronized() const { return state_ >= State::kEstablished; }

  // --- connection_receive.cpp
  void receive_syn_sent(const wire::Segment& segment, Instant now);
  void open_simultaneously(const wire::Segment& syn, Instant now);
  void complete_active(const wire::Segment& syn_ack, std::uint64_t acked, Instant now);
  void receive_established(const wire::Segment& segment, Instant now);
  bool answer_repeated_syn(const wire::Segment& segment, std::int64_t position);
  bool passes_timestamps(const wire::Segment& segment, Instant now);
  bool passes_sequence(const wire::Segment& segment, std::int64_t position, Instant now);
  void receive_reset(const wire::Segment& segment, std::int64_t position, Instant now);
  bool passes_ack(const wire::Segment& segment, Instant now);
  bool complete_passive(const wire::Segment& segment, Instant now);
  void take_ack(const wire::Segment& segment, Instant now);
  void give_to_sender(const wire::Segment& segment, std::uint64_t ack, Instant now);
  void fin_acked(Instant now);
  void take_text(const wire::Segment& segment, std::int64_t position, Instant now);
  Duration ack_delay() const;
  void peer_finished(Instant now);
  void challenge(Instant now);
  void reset_stray(const wire::Segment& segment);
  std::int64_t ack_position(SeqNum ack) const;

  std::optional<Instant> echoed_tick(const wire::Segment& segment, Instant now) const;

  // --- connection_path.cpp
  void repeat_dropped_syn();
  void connecting_failed(const wire::IcmpError& error, Instant now);
  void apply(PathMtu::Change change, Instant now);
  void note_arrival(std::uint32_t largest_segment, Instant now);
  void note_probe_fate(Instant now);
  void note_timeout(Instant now);
  void offer_path_probe(Instant now);
  std::uint32_t packet_holding(std::uint32_t payload) const;
  std::uint32_t segment_limit(std::uint32_t packet) const;
  std::uint32_t segment_limit() const;  // payload and options of one segment, bytes
  std::uint32_t reserved_options() const;
  std::uint32_t effective_mss() const;  // payload of a full data segment, bytes

  // --- connection_send.cpp
  bool emit_all(Instant now, Exit& exit);
  bool emit_syn(Instant now, Exit& exit);
  bool emit_data(Instant now, Exit& exit);
  bool emit_acks(Instant now, Exit& exit);
  bool emit_stray_reset(Exit& exit);
  bool emit_reset(Instant now, Exit& exit);
  bool emit_ack(Purpose purpose, std::uint64_t position, Instant now, Exit& exit);
  bool ack_wanted() const;
  void finish_data(wire::Segment& segment, const Outgoing& outgoing);
  void note_fin_sent();
  void tell_sender_the_end();
  void refresh_mss(Instant now);
  wire::Segment make_syn(Instant now);
  // `packet`: bytes of the IP packets it may fill.
  wire::Segment make_segment(const Outgoing& outgoing, const Slices& payload, std::uint32_t packet);
  std::uint64_t grantable_room() const;
  std::uint16_t window_field(ReceiveWindow::Field field);
  void emit(const wire::Segment& segment, Exit& exit);
  SeqNum seq_of(std::uint64_t position) const {
    return iss_ + 1 + static_cast<std::uint32_t>(position);
  }
  wire::Timestamps timestamps(Instant now) const;

  Tuple tuple_;
  StreamUser& user_;
  std::unique_ptr<Opening> opening_;  // until the connection is established
  Handshake::Agreed agreed_;
  State state_ = State::kClosed;
  Role role_ = Role::kNone;
  SeqNum iss_;
  std::uint32_t timestamp_offset_;
  Duration keepalive_interval_;
  ConnectionConfig::AckDelay ack_delay_;
  std::optional<Receiver> receiver_;  // once the peer's SYN is in
  std::unique_ptr<Sender> sender_;    // once anything but a SYN may leave
  std::shared_ptr<PathRecord> path_;  // none: nobody shares
  PathMtu path_mtu_;
  std::uint32_t path_probe_ = 0;  // packet size the sender is to probe, bytes; 0: none
  std::uint32_t sender_mss_ = 0;  // as the sender knows it

  SynDue syn_due_ = SynDue::kNone;
  std::uint32_t syn_repeats_ = 0;
  std::uint64_t syn_payload_sent_ = 0;  // the most any of our SYNs carried
  AckRequest ack_request_ = AckRequest::kNone;
  Probe probe_ = Probe::kNone;
  std::unique_ptr<wire::Segment> stray_reset_;  // answer to a segment that fits no state

  SeqNum snd_wl1_, snd_wl2_;
  std::uint64_t max_send_window_ = 0;
  std::uint16_t last_window_ = 0;  // the field we sent last
  bool waits_for_door_ = false;

  Ending ending_ = Ending::kNone;
  CloseReason end_reason_ = CloseReason::kFinished;
  Instant linger_deadline_ = kNever;
  Instant last_received_{};
  Instant keepalive_deadline_ = kNever;
  std::uint32_t keepalives_unanswered_ = 0;
  Doubt doubt_;
  RateLimit challenge_limit_{10};
  RateLimit out_of_window_limit_{2};
  std::unique_ptr<wire::IcmpError> last_error_;
  Counters counters_;
};

}  // namespace braid::tcp
