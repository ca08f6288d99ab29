// Connection: one Multipath TCP connection (RFC 8684 v1), or the plain TCP connection it fell back
// to.
//
// It joins a data level (DataSender, DataReceiver over two pipes) to subflows, each a
// tcp::StreamUser on its own tcp::Connection. Modes:
//
//   connecting --MP_CAPABLE both ways--> mptcp --(RFC 8684 3.7, one subflow)--> fallback
//        \-------- the peer or a middlebox said no ---------------------------->/
//
// In fallback it has exactly one subflow, carries the same pipes as plain bytes and never returns
// (M117). The owner works with the pipes and need not know. Owner's entry is woken when status()
// changed. Nothing is emitted outside Layer::flush(); segments leave by tcp::Layer::flush after it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stack/base/agenda.h"
#include "stack/base/pipe.h"
#include "stack/base/random.h"
#include "stack/cc/factory.h"
#include "stack/mptcp/data_level.h"
#include "stack/mptcp/habits.h"
#include "stack/mptcp/paths.h"
#include "stack/sched/scheduler.h"
#include "stack/tcp/close_reason.h"
#include "stack/tcp/layer.h"

namespace braid::mptcp {

class Layer;
class Core;

enum class Checksums : std::uint8_t { kWhenPeerAsks, kRequired };

struct ConnectionConfig {
  cc::Algorithm algorithm = cc::Algorithm::kLia;
  sched::Policy policy = sched::Policy::kMinRtt;
  Checksums checksums = Checksums::kWhenPeerAsks;
  std::uint8_t window_scale = 8;
  std::size_t max_subflows = 8;
  // Asks for MPTCP in our SYN, or grants it to a peer's.
  enum class Negotiate : std::uint8_t { kMptcp, kPlainTcp } negotiate = Negotiate::kMptcp;
  // Set C in MP_CAPABLE: joins to this address are unwelcome (M29).
  enum class Joins : std::uint8_t { kWelcome, kDenied } joins = Joins::kWelcome;
  const Habits* habits = &kOurHabits;  // shared; they outlive the layer
  Duration join_retry_after = 1s;      // after a failed join on a path, doubled each time
  // Bytes of both directions after which another subflow is worth its join; 0: at once (demand.h).
  std::uint64_t join_after = 0;
  // NATs forget after so long a silence; 0: nobody does. With paths of our own one subflow of an
  // idle connection asks for its peer this often, and the others are closed (core_watch.cpp);
  // without, each subflow asks.
  Duration keepalive = 0s;
  // Text of the peer's followed by so long a silence raises a doubt (tcp/doubt.h); 0: never. A
  // restarted peer must be noticed within two seconds, lost questions included.
  Duration doubt_after = 500ms;
  // What our SYNs offer.
  bool timestamps = true, sack = true, ecn = true;
  Duration last_subflow_timeout = 60s;                 // without any subflow, then closed (M84)
  std::uint64_t max_receive_buffer = 6 * 1024 * 1024;  // `incoming` grows up to this, bytes
};

struct Status {
  Mode mode = Mode::kConnecting;
  bool established = false;
  // The SYN-ACK did not acknowledge our whole SYN payload (RFC 8803 C47).
  bool syn_payload_refused = false;
  // SYNs with MP_CAPABLE stayed unanswered, and one without it did not (M35).
  bool capable_unanswered = false;
  // The peer answers, but knows nothing of this connection any more: it has been restarted.
  bool forgotten = false;
  std::optional<tcp::CloseReason> closed;
};

class Connection {
 public:
  // `outgoing` is read from, `incoming` written to. `paths` may be nullptr: no joins are made (a
  // concentrator). All must outlive the connection.
  Connection(Layer& layer, Pipe& outgoing, Pipe& incoming, LocalPaths* paths,
             ConnectionConfig config, Agenda::Entry& owner);
  // Aborts what has not ended; see abort().
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Active open over one path. `syn_payload` (a Convert message, may be empty) rides in the SYN and
  // all its retransmissions, outside the data stream (M36).
  void connect(const LocalPath& path, std::uint16_t local_port, const wire::Endpoint& remote,
               Bytes syn_payload, Instant now);
  // Passive open for a SYN without MP_JOIN; one without MP_CAPABLE gives a fallback connection. The
  // first `message_length` bytes of its payload are a Convert message and no part of the stream;
  // the rest is the head of `incoming`. The SYN-ACK is withheld until answer(); bytes put into
  // `outgoing` before that follow it back to back (DESIGN 6).
  void accept(tcp::InterfaceId interface, const wire::Segment& syn, std::uint32_t message_length,
              const LocalPath& path, Instant now);
  void answer(Instant now);

  // LocalPaths changed: dead subflows are closed with REMOVE_ADDR, joins made over new ways.
  void paths_changed(Instant now);
  // Announces another address of ours (ADD_ADDR, repeated until echoed).
  void announce(std::uint8_t address_id, const wire::Endpoint& address, Instant now);
  // Takes an announcement back (REMOVE_ADDR); subflows to that address are the peer's to close.
  void withdraw(std::uint8_t address_id, Instant now);
  // Asks the peer to treat one subflow's path as backup, or no longer (MP_PRIO).
  enum class Priority : std::uint8_t { kRegular, kBackup };
  void set_priority(tcp::InterfaceId interface, Priority priority, Instant now);
  // The scheduler changes at once, the congestion controller for subflows yet to come.
  void set_policy(sched::Policy policy);
  void set_algorithm(cc::Algorithm algorithm);
  // Asks for the peer over the best subflow: a keep-alive out of turn.
  void ask(Instant now);
  // Ends everything at once: MP_FASTCLOSE, or RST in fallback. The owner is not woken for it.
  void abort(Instant now);

  const Status& status() const;
  // Repeats of the SYN seen while withheld (RFC 8803 C55).
  std::uint32_t syn_repeats() const;
  Instant next_deadline() const;

  struct SubflowInfo {
    tcp::Tuple tuple;
    std::uint8_t local_address_id = 0, remote_address_id = 0;
    bool established = false, backup = false;
    tcp::Connection::PathInfo path;
    tcp::Connection::Counters counters;
  };
  std::vector<SubflowInfo> subflows() const;
  struct Counters {
    std::uint64_t reinjected_bytes = 0, joins = 0, joins_failed = 0, fallbacks = 0,
                  checksum_failures = 0, data_timeouts = 0;
    // In flight on one subflow and given to another as well: by a redundant scheduler, or since a
    // slow subflow held up the stream; and how often it was penalised for that.
    std::uint64_t copied_bytes = 0, overtaking_bytes = 0, penalties = 0;
    std::uint64_t silences = 0;    // subflows left before their own timeout
    std::uint64_t keepalives = 0;  // questions of an idle connection
    std::uint64_t retired = 0;     // subflows closed for want of use
  };
  const Counters& counters() const;
  std::uint32_t local_token() const;

  // A peer's MP_JOIN reached it, or its owner's flow needs it again: flush() has something to do.
  void wake();

 private:
  Layer& layer_;
  std::unique_ptr<Core> core_;  // goes to the layer when subflows still have to finish
};

}  // namespace braid::mptcp
