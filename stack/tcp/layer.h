// Layer: all TCP connections of one host, found by hash; the machine the gateway drives.
//
// A SYN nobody owns is *returned*, never answered: the owner decides (accept, refuse, ignore).
// Other segments without a connection are answered with RST, rate-limited (RFC 9293 3.10.7.1),
// unless the owner says the interface is silent (an uplink: RFC 8803 C9, C12).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

#include "stack/tcp/connection.h"
#include "stack/tcp/isn.h"
#include "stack/tcp/path_memory.h"
#include "stack/tcp/time_wait.h"

namespace braid::tcp {

class Layer {
 public:
  enum class Stray : std::uint8_t { kReset, kIgnore };  // answer to segments without connection
  enum class Received : std::uint8_t { kTaken, kNewSyn, kStray };
  // A RST is never longer than what it answers, so this amplifies nothing; the bound is for our own
  // CPU. It lies above what a restart under load meets: of a peer's strays only the one at its
  // rcv_nxt gets through RFC 5961, and that may be the last.
  static constexpr std::uint32_t kResetsPerSecond = 10'000;

  explicit Layer(Random& random);
  ~Layer();
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  void set_stray(InterfaceId interface, Stray answer);

  Received receive(InterfaceId interface, const wire::Segment& segment, Instant now);
  void receive_error(InterfaceId interface, const wire::IcmpError& error, Instant now);

  // The tuple must be free: see find(). A tuple in TIME-WAIT may be reused as RFC 6191 says.
  Connection& connect(const Tuple& tuple, StreamUser& user, ConnectionConfig config, Instant now);
  Connection& accept(InterfaceId interface, const wire::Segment& syn, StreamUser& user,
                     ConnectionConfig config, Instant now);
  // RST for a segment (usually a SYN), with these extra options if any.
  void refuse(InterfaceId interface, const wire::Segment& segment,
              const wire::TcpOptions& options = {});
  // The live connection of this tuple, or nullptr; TIME-WAIT does not count.
  Connection* find(const Tuple& tuple);

  // What its connections know of paths together.
  PathMemory& paths() { return paths_; }

  // Takes every ready or due connection once, emits, and frees the closed ones.
  void flush(Instant now, Exit& exit);
  Instant next_deadline() const;
  // An interface that was not ready is again: connections that waited for it are woken.
  void door_opened(InterfaceId interface);

  // Connections with work for the next flush.
  std::size_t awake() const { return agenda_.ready_count(); }
  std::size_t size() const { return connections_.size() + time_wait_.size(); }
  struct Counters {
    std::uint64_t segments_in = 0, strays = 0, resets_out = 0, resets_limited = 0;
  };
  const Counters& counters() const { return counters_; }
  void validate() const;

 private:
  struct Pending {  // segments of no connection: RSTs, ACKs of TIME-WAIT
    InterfaceId interface;
    wire::Segment segment;
  };

  Connection& add(const Tuple& tuple, StreamUser& user, ConnectionConfig config, Instant now);
  void receive_stray(InterfaceId interface, const wire::Segment& segment, Instant now);
  void queue_answer(InterfaceId interface, const wire::Segment& segment);
  void send_pending(Exit& exit);
  // Found by the tuple each connection knows itself.
  struct ConnectionHash {
    using is_transparent = void;
    TupleHash hash;
    std::size_t operator()(const Tuple& tuple) const { return hash(tuple); }
    std::size_t operator()(const std::unique_ptr<Connection>& c) const { return hash(c->tuple()); }
  };
  struct SameTuple {
    using is_transparent = void;
    static const Tuple& of(const Tuple& tuple) { return tuple; }
    static const Tuple& of(const std::unique_ptr<Connection>& c) { return c->tuple(); }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return of(a) == of(b);
    }
  };
  using Table = std::unordered_set<std::unique_ptr<Connection>, ConnectionHash, SameTuple>;
  void remove(Table::iterator place);

  TupleSecret secret_;
  PathMemory paths_;
  Agenda agenda_;
  Table connections_;
  std::vector<std::unique_ptr<Connection>> removed_;  // finished; freed at the end of a flush
  TimeWait time_wait_;
  std::map<InterfaceId, Stray> stray_;
  std::map<InterfaceId, std::vector<Tuple>> waiting_for_door_;
  std::deque<Pending> pending_;
  std::vector<Connection*> batch_;  // of one flush; kept to save its memory
  RateLimit reset_limit_{kResetsPerSecond};
  Counters counters_;
};

}  // namespace braid::tcp
