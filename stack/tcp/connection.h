// Connection: one TCP connection (RFC 9293), whoever its user is.
//
// A machine: receive() takes a segment, flush() emits, next_deadline() says when to come back. Roles
// have rooms of their own: Handshake (SYNs and their options), Receiver (rcv_nxt, SACK, delayed ACK,
// window), Sender (what leaves, recovery). This class is the state machine between them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "stack/base/agenda.h"
#include "stack/base/random.h"
#include "stack/base/time.h"
#include "stack/cc/controller.h"
#include "stack/tcp/close_reason.h"
#include "stack/tcp/state.h"
#include "stack/tcp/stream_user.h"
#include "stack/wire/segment.h"

namespace braid::tcp {

// A door's number, chosen by the owner of the Layer.
using InterfaceId = std::uint32_t;

// What identifies a connection: its interface and both ends. `local` is ours.
struct Tuple {
  InterfaceId interface = 0;
  wire::Endpoint local;
  wire::Endpoint remote;
  bool operator==(const Tuple&) const = default;
};

struct ConnectionConfig {
  std::unique_ptr<cc::Controller> controller;
  std::uint32_t mtu = 1500;                  // of the interface, bytes; the MSS we announce follows
  std::uint32_t max_super_payload = 60000;   // bytes of one super-segment; 0: plain segments only
  std::uint8_t window_scale = 8;             // RFC 7323, at most 14
  bool timestamps = true;
  bool sack = true;
  bool ecn = true;
  // Bytes of the user's stream that ride in our SYN, and again in each of its retransmissions.
  std::uint32_t syn_payload = 0;
  enum class HandshakeRtt : std::uint8_t { kUse, kIgnore } handshake_rtt = HandshakeRtt::kUse;
  // Passive open: the SYN-ACK waits for answer().
  enum class Answer : std::uint8_t { kAtOnce, kWithhold } answer = Answer::kAtOnce;
  // Passive open: bytes may follow the SYN-ACK before the handshake's ACK is in.
  enum class EarlyData : std::uint8_t { kNo, kYes } early_data = EarlyData::kNo;
  Duration syn_timeout = 180s;               // RFC 9293 MUST-23: at least three minutes
  Duration keepalive_interval = 0s;          // 0: off (RFC 9293 MUST-25)
  std::uint32_t max_syn_retransmissions = 6;
  std::uint32_t max_retransmissions = 15;
};

// Where segments leave. Implemented by the machine above (gateway, concentrator, a test).
class Exit {
 public:
  virtual ~Exit() = default;
  // False: nothing can leave by this interface now; the connection waits for Layer::door_opened().
  virtual bool ready(InterfaceId interface) const = 0;
  virtual void send(InterfaceId interface, const wire::Segment& segment) = 0;
};

class Connection : public Agenda::Entry {
 public:
  // ISNs come from the Layer (RFC 6528). The user must outlive the connection or its closed() call.
  Connection(const Tuple& tuple, StreamUser& user, ConnectionConfig config, SeqNum isn);

  void open_active(Instant now);
  // `syn` is the peer's; its payload is placed with the user at position 0 at once.
  void open_passive(const wire::Segment& syn, Instant now);
  // Lets a withheld SYN-ACK go. Idempotent.
  void answer(Instant now);

  void receive(const wire::Segment& segment, Instant now);
  void receive_error(const wire::IcmpError& error, Instant now);
  void flush(Instant now, Exit& exit);
  Instant next_deadline() const;

  // The user's requests; each takes effect at the next flush.
  void request_ack();          // a pure ACK with the user's options, even if none is due
  void send_more();            // send_end() or send_finished() changed
  void window_changed();       // receive_window() grew: an update leaves if RFC 9293 3.8.6.2.2 says so
  void probe();                // a keep-alive now: is the peer still there?
  // Ends it at once: RST (with the user's options), closed(kAborted). In SYN-SENT no RST leaves.
  void abort(Instant now);

  const Tuple& tuple() const;
  State state() const;
  // RFC 793-wise able to send: ESTABLISHED or CLOSE-WAIT (or early data allowed).
  bool can_send() const;
  // New bytes that may be handed to this connection now (see Sender::budget).
  std::uint64_t send_budget(Instant now) const;
  struct PathInfo {
    Duration srtt{}, min_rtt{}, rttvar{}, rto{};
    std::uint64_t cwnd = 0, in_flight = 0, ssthresh = 0, send_window = 0;  // bytes
    std::uint32_t mss = 0;              // payload bytes of a full segment, after options
    std::uint32_t consecutive_timeouts = 0;
    Rate pacing_rate;
    bool in_recovery = false;
    Instant last_received;              // any acceptable segment
  };
  PathInfo path_info() const;
  struct Counters {
    std::uint64_t segments_in = 0, segments_out = 0, bytes_in = 0, bytes_out = 0,
                  bytes_retransmitted = 0, timeouts = 0, challenge_acks = 0;
  };
  Counters counters() const;
  void validate() const;

 private:
  // (the author's)
};

}  // namespace braid::tcp
