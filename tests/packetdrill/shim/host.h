// Host: one host under test: braid's stack with a socket face, in virtual time (packetdrill-shim).
//
// Every entry of the table packetdrill was given ends here, under one mutex. Calls return what
// libc's would, with errors as negative errno values. Files:
//   host.cpp           time, packets, what happens after every step
//   departure.cpp      how segments leave
//   patience.cpp       SO_KEEPALIVE and TCP_USER_TIMEOUT
//   waiting.cpp        calls that block, and who lets the clock run meanwhile
//   calls_open.cpp     socket to close         calls_io.cpp      bytes, pipes, splice
//   calls_options.cpp  options, fcntl, ioctl   calls_poll.cpp    poll and epoll
//   calls_messages.cpp recvmsg(): control messages, the error queue
//
// Time moves only in usleep(), netdev_receive() and, a microsecond at a time, in gettimeofday(),
// which packetdrill spins on. The thread that made the host steps it. A call on another thread that
// has to wait registers what it waits for; when a step makes that true, the clock stands still
// until the waiting thread has returned and asked for the time, so its script line is judged by the
// moment of the event. A call that has to wait on the stepping thread lets time pass itself.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "stack/ip/plain_layer.h"
#include "tests/packetdrill/shim/abi.h"
#include "tests/packetdrill/shim/descriptor.h"
#include "tests/packetdrill/shim/fastopen.h"
#include "tests/packetdrill/shim/offload.h"

namespace braid::pd {

class Host final : public tcp::Exit, public mptcp::LocalPaths {
 public:
  explicit Host(const char* flags);
  ~Host() override;

  // --- the network half
  int netdev_send(Bytes packet);
  int netdev_receive(MutableBytes to, std::size_t& size, long long& time_us);
  void usleep(Duration duration);
  std::int64_t time_us();  // since the epoch of the test

  // --- calls_open.cpp
  int socket(int domain, int type, int protocol);
  int bind(int fd, const sockaddr* address, socklen_t length);
  int listen(int fd, int backlog);
  int accept(int fd, sockaddr* address, socklen_t* length);
  int connect(int fd, const sockaddr* address, socklen_t length);
  int close(int fd);
  int shutdown(int fd, int how);

  // --- calls_io.cpp
  ssize_t receive(int fd, std::span<const iovec> to, int flags);
  ssize_t transmit(int fd, std::span<const iovec> from, int flags, const sockaddr* to,
                   socklen_t length);
  // calls_messages.cpp; sets the flags and the control data of `message`.
  ssize_t receive_message(int fd, msghdr& message, int flags);
  void tell_peer(int fd, sockaddr* address, socklen_t* length);
  int pipe(int fds[2]);
  ssize_t splice(int from, int to, std::size_t size, unsigned flags);

  // --- calls_options.cpp
  int set_option(int fd, int level, int name, Bytes value);
  int get_option(int fd, int level, int name, void* value, socklen_t* length);
  int control(int fd, int command, long argument);               // fcntl
  int device_control(int fd, unsigned long request, void* out);  // ioctl

  // --- calls_poll.cpp
  int poll(pollfd* fds, std::size_t count, int timeout_ms);
  int epoll_create();
  int epoll_control(int epoll_fd, int operation, int fd, const epoll_event* event);
  int epoll_wait(int epoll_fd, epoll_event* events, int size, int timeout_ms);

  // --- tcp::Exit
  bool ready(tcp::InterfaceId) const override { return true; }
  void send(tcp::InterfaceId interface, const wire::Segment& segment) override;
  // --- mptcp::LocalPaths
  std::span<const mptcp::LocalPath> paths() const override { return paths_; }
  std::optional<std::uint16_t> allocate_port(const mptcp::LocalPath& path,
                                             const wire::Endpoint& remote) override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  using SocketPtr = std::shared_ptr<Socket>;
  struct Packet {
    std::vector<std::uint8_t> bytes;
    Instant time;
  };
  struct Waiter {
    std::function<bool()> done;
    Instant deadline = kNever;
    bool released = false;
    std::thread::id thread = std::this_thread::get_id();
  };

  // --- host.cpp
  // Those with a number, and those waiting to be accepted.
  void for_each_socket(const std::function<void(Socket&)>& what) const;
  void advance_to(Lock& lock, Instant when);
  Instant next_deadline();
  void step();  // emits, moves bytes, takes notice
  void settle(Lock& lock);
  bool pump(Socket& socket);  // true: something went to the stack
  static std::uint64_t room_in_record(Socket& socket);
  void run_cork(Socket& socket);
  void take_notice(Socket& socket);
  void note_busy(Socket& socket) const;
  void note_blackhole(const Socket& socket);
  void sweep();
  void receive_segment(const wire::Segment& segment, CookieForm form);
  static bool echoes_nonsense(const Socket& socket, const wire::Segment& answer);
  wire::Segment with_timestamps(const wire::Segment& segment);
  void receive_syn(const wire::Segment& syn);
  void accept_syn(Socket& listener, const wire::Segment& syn);
  bool take_fast_open(Socket& listener, const wire::Segment& syn, const tcp::Tuple& tuple);
  void learn_cookie(Socket& socket, const wire::Segment& segment, CookieForm form);
  void refuse(const wire::Segment& segment);
  tcp::InterfaceId interface_between(const wire::Endpoint& local,
                                     const wire::Endpoint& remote) const;
  SocketPtr listener_for(const wire::Segment& syn) const;
  SocketPtr owner_of(const wire::Endpoint& local, const wire::Endpoint& remote) const;

  // --- calls_messages.cpp
  void note_zerocopy(Socket& socket, std::size_t size, int flags) const;
  void take_zerocopy_notice(Socket& socket) const;

  // --- departure.cpp
  void launch();
  void order_acks();
  void note_answer(const tcp::Tuple& tuple);
  void announce_path_mss(const tcp::Tuple& tuple, wire::Segment& syn);
  static void note_syn(Socket& socket, const wire::Segment& syn);
  SocketPtr sender_of(const wire::Segment& segment) const;
  void show_window_probe(wire::Segment& segment);

  // --- patience.cpp
  void run_patience(Socket& socket);
  Instant patience_deadline() const;
  enum class Farewell { kReset, kSilent };
  void lose_patience(Socket& socket, Farewell farewell);
  bool run_user_timeout(Socket& socket);
  static Instant user_timeout_of(const Socket& socket);

  // --- waiting.cpp
  // False when `timeout` (zero: none) passed first. The lock is given up meanwhile.
  bool wait_until(Lock& lock, const std::function<bool()>& done, Duration timeout);
  bool wait_by_stepping(Lock& lock, const std::function<bool()>& done, Instant deadline);
  bool is_stepping_thread() const { return std::this_thread::get_id() == stepping_thread_; }

  // --- mptcp (paths.cpp)
  void refresh_paths();
  void load_paths();
  void rebuild_paths();
  void announce_endpoints(Socket& socket);
  mptcp::LocalPath first_path(const wire::IpAddress& local) const;

  // --- calls_*.cpp
  Settings sysctls() const;
  Settings settings_for(const Socket& socket);
  StreamSetup setup_for(Socket& socket);
  template <typename T>
  std::shared_ptr<T> find(int fd) const;
  int add(std::shared_ptr<Descriptor> descriptor);
  int start_connecting(Socket& socket, std::uint32_t syn_data, bool fast_open);
  int connect_result(Lock& lock, Socket& socket);
  bool speaks_without_cookie(const Socket& socket) const;
  std::optional<std::uint32_t> syn_data_room(const Socket& socket) const;
  std::uint32_t interface_mtu(const wire::IpAddress& local) const;
  wire::IpAddress local_address_for(const wire::IpAddress& remote) const;
  std::uint16_t free_port();
  void close_listener(Socket& socket);
  void close_connection(Lock& lock, const SocketPtr& socket);
  ssize_t fast_open_send(Lock& lock, Socket& socket, std::span<const iovec> from, int flags,
                         const sockaddr* to, socklen_t length);
  std::size_t put(Socket& socket, Bytes bytes, int flags);
  ssize_t read_pipe(Lock& lock, PipeEnd& end, std::span<const iovec> to);
  ssize_t write_pipe(Lock& lock, PipeEnd& end, std::span<const iovec> from);
  int set_socket_option(Socket& socket, int name, Bytes value);
  int set_tcp_option(Socket& socket, int name, Bytes value);
  std::optional<std::vector<std::uint8_t>> option_value(Socket& socket, int level, int name);
  std::vector<std::uint8_t> tcp_info(const Socket& socket) const;
  std::vector<std::uint8_t> mptcp_info(Socket& socket) const;
  std::vector<std::uint8_t> memory_info(const Socket& socket) const;
  std::uint32_t epoll_state(Epoll::Watch& watch, const Descriptor& target) const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::thread::id stepping_thread_;
  std::list<Waiter*> waiters_;
  std::set<std::thread::id> returning_;
  std::uint64_t steps_ = 0;

  Instant now_;
  Random random_;
  ChunkPool pool_;
  ip::PlainLayer ip_;
  tcp::Layer tcp_;
  mptcp::Layer mptcp_;
  FastOpenDoor fast_open_;
  CookieCache cookies_;
  std::map<std::pair<wire::Endpoint, wire::Endpoint>, SeqNum> acks_;  // the last ones that left
  // Connections whose peer speaks the experimental form of Fast Open: ours and its end.
  std::set<std::pair<wire::Endpoint, wire::Endpoint>> experimental_;
  std::map<int, std::shared_ptr<Descriptor>> descriptors_;
  std::list<SocketPtr> orphans_;      // closed by their owner, not yet over
  std::vector<wire::Segment> burst_;  // of the flush that is under way
  Offload offload_;
  std::deque<Packet> leaving_;
  std::map<std::pair<wire::Endpoint, wire::Endpoint>, tcp::InterfaceId> interfaces_;
  std::map<std::pair<wire::Endpoint, wire::Endpoint>, std::uint32_t> timestamps_;  // last received
  std::vector<mptcp::LocalPath> paths_;
  std::vector<MptcpEndpoint> endpoints_;
  Settings mptcp_settings_;
  Instant blackhole_until_{};  // our SYNs do not ask for MPTCP before
  wire::IpAddress default_v4_, default_v6_;
  bool standard_settings_ = false;  // not the machine's
  std::uint16_t next_port_ = 33000;
  std::uint16_t identification_ = 1;
};

template <typename T>
std::shared_ptr<T> Host::find(int fd) const {
  const auto found = descriptors_.find(fd);
  return found == descriptors_.end() ? nullptr : std::dynamic_pointer_cast<T>(found->second);
}

}  // namespace braid::pd
