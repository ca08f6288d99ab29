// What a number returned by socket(), pipe() or epoll_create() stands for.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/packetdrill/shim/busy.h"
#include "tests/packetdrill/shim/send_queue.h"
#include "tests/packetdrill/shim/stream.h"

namespace braid::pd {

class Descriptor {
 public:
  virtual ~Descriptor() = default;
  // EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP as they are now.
  virtual std::uint32_t events() const = 0;
  // Grows with everything that makes an edge-triggered watcher look again, for reading and writing.
  virtual std::uint64_t in_edges() const { return 0; }
  virtual std::uint64_t out_edges() const { return 0; }
  bool nonblocking = false;
};

// Values of options that change what the host does. Others are only remembered.
struct SocketOptions {
  bool nodelay = false, cork = false, keepalive = false, fastopen_connect = false,
       fastopen_no_cookie = false, zerocopy = false, inq = false;
  std::optional<int> linger_s;
  std::optional<std::uint32_t> fastopen_queue;  // of a listener
  std::vector<std::uint8_t> fastopen_key;
  std::optional<std::uint32_t> max_segment;
  std::optional<std::uint64_t> receive_buffer, send_buffer;
  std::uint32_t syn_retries = 0;  // 0: as the host
  std::uint32_t keepalive_idle_s = 0, keepalive_interval_s = 0, keepalive_count = 0;
  std::uint32_t user_timeout_ms = 0;
  std::uint32_t notsent_lowat = 0;  // 0: as the host
  bool defer_accept = false;
  std::uint8_t type_of_service = 0;
  std::optional<std::uint8_t> hop_limit;
  Duration receive_timeout = 0s, send_timeout = 0s;
  std::string congestion_control;
  std::map<std::pair<int, int>, std::vector<std::uint8_t>> remembered;  // level, name
};

class Socket final : public Descriptor {
 public:
  enum class Role { kFresh, kListening, kConnection };

  std::uint32_t events() const override;
  std::uint64_t in_edges() const override;
  std::uint64_t out_edges() const override { return writable_edges; }

  bool connected() const { return stream && stream->established(); }
  SendQueue::Facts queue_facts() const;
  bool at_end() const;  // everything was read and the peer has finished, or the connection is gone
  // Bytes a write may put now; with a TCP connection, and after a step, perhaps more.
  std::uint64_t write_room() const;
  bool roomy(SendQueue::Asked asked) const;  // as poll() tells it
  std::uint64_t unsent() const;              // bytes written and not acknowledged
  // The peer's largest window so far; a buffer whose size nobody has set grows with our own.
  void follow_windows();
  // The error a call reports now, once; 0 without one.
  int take_error() { return std::exchange(error, 0); }

  bool mptcp = false;
  wire::Family family = wire::Family::kIpv4;
  bool mapped = false;  // an IPv6 socket that speaks IPv4
  Role role = Role::kFresh;
  SocketOptions options;
  wire::Endpoint local, remote;
  int error = 0;              // SO_ERROR
  bool connect_told = false;  // connect() has said that it is done
  bool close_seen = false;    // the stream's end was taken notice of
  bool shut_read = false, shut_write = false;
  bool was_connected = false;
  int icmp_error = 0;             // errno of the last ICMP error about it
  bool writer_waits = false;      // in a call, for the connection to open
  Instant heard_at{};             // when bytes last arrived, or a writer's wait ended
  bool asked_fast_open = false;   // our SYN carried a cookie or asked for one
  bool syn_data = false;          // Fast Open carried data that was acknowledged
  std::uint32_t syns = 0;         // of ours that left
  std::uint32_t syn_payload = 0;  // bytes of the first one
  SeqNum syn_end;                 // and what acknowledges all of it

  // A listener: connections nobody has accepted yet, in the order of their SYNs.
  int backlog = 0;
  std::deque<std::shared_ptr<Socket>> waiting;
  std::uint64_t arrivals = 0;  // ever ready to be accepted
  bool early = false;          // of a connection: may be accepted before its handshake is done
  bool counted = false;        // in its listener's arrivals
  bool accepted = true;

  // A connection.
  std::unique_ptr<Stream> stream;
  std::vector<std::uint8_t> held;       // written, and kept back by Nagle or a cork
  std::uint32_t probes_unanswered = 0;  // keep-alives
  Instant next_probe = kNever;
  Instant last_heard{};            // of the connection, when it was last looked at
  Instant unacked_since = kNever;  // for TCP_USER_TIMEOUT
  StreamOffset unacked_from;
  std::uint64_t small_end = 0;  // offset behind the last segment that was not full
  bool more_to_come = false;    // MSG_MORE
  bool push_once = false;       // what is held back leaves now
  Instant held_until = kNever;  // or then, when nothing else is under way
  // MSG_ZEROCOPY: sends whose bytes are not acknowledged yet, and those to tell of (first, last).
  std::uint32_t zerocopy_sends = 0;
  std::deque<std::pair<std::uint32_t, std::uint64_t>> zerocopy_open;  // number, end of its bytes
  std::deque<std::pair<std::uint32_t, std::uint32_t>> zerocopy_done;
  bool wants_room = false;   // a writer was told that there is none
  mutable SendQueue queue;   // of a TCP connection
  std::uint64_t buffer = 0;  // bytes the queue may cost
  std::uint64_t largest_buffer = 0;
  bool buffer_chosen = false;  // by its first window
  std::uint32_t host_lowat = UINT32_MAX;
  std::uint64_t largest_window = 0;
  std::uint32_t mtu = 1500;               // of its device, or as TCP_MAXSEG has it
  std::deque<std::uint64_t> record_ends;  // MSG_EOR: offsets no segment reaches across
  std::uint64_t quiet_end = 0;            // where what was written ends, and no PSH tells it
  std::uint64_t pushed_end = 0;           // where PSH told one last
  BusyTime busy;
  Instant last_text{};  // when bytes came last, or the connection
  std::uint64_t writable_edges = 0;
  std::set<std::uint8_t> announced;  // ids of our addresses the peer was told
  std::uint32_t plain_syns = 0;      // an MPTCP socket's that did not ask for MPTCP
  std::optional<std::pair<std::uint32_t, std::uint32_t>> syn_stamps;  // of our first and last SYN
  bool deferred_fast_open = false;  // TCP_FASTOPEN_CONNECT: the SYN waits for data
};

// One end of pipe().
class PipeEnd final : public Descriptor {
 public:
  static constexpr std::size_t kCapacity = 65536;
  struct Buffer {
    std::deque<std::uint8_t> bytes;
    bool reader_gone = false, writer_gone = false;
  };
  std::uint32_t events() const override;
  std::shared_ptr<Buffer> buffer;
  bool reads = false;
};

class Epoll final : public Descriptor {
 public:
  struct Watch {
    epoll_event wanted{};
    std::uint64_t in_edges = UINT64_MAX, out_edges = UINT64_MAX;  // when last reported
    std::uint32_t state = 0;                                      // events, when last looked at
    bool disabled = false;                                        // EPOLLONESHOT has fired
  };
  std::uint32_t events() const override { return 0; }
  std::map<int, Watch> watches;
};

}  // namespace braid::pd
