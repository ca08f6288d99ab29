// socket() to close().
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/packetdrill/shim/addresses.h"
#include "tests/packetdrill/shim/device.h"
#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

constexpr int kProtocolMptcp = 262;
constexpr std::uint32_t kSynOptionRoom = 40;  // left free beside the data of a SYN
// What a SYN can announce, and what the scale rounds off: more would be told by an ACK of its own
// as soon as the handshake is done.
constexpr std::uint64_t kFirstWindow = 65535 + 255;

}  // namespace

// The number must be a real one: packetdrill closes what a script leaves open
// (packetdrill-shim 2.2).
int Host::add(std::shared_ptr<Descriptor> descriptor) {
  const int fd = ::open("/dev/null", O_RDWR);
  if (fd < 0) return -errno;
  descriptors_[fd] = std::move(descriptor);
  return fd;
}

int Host::socket(int domain, int type, int protocol) {
  Lock lock(mutex_);
  if ((domain != AF_INET && domain != AF_INET6) || (type & 0xf) != SOCK_STREAM) {
    return -EPROTONOSUPPORT;
  }
  if (protocol != 0 && protocol != IPPROTO_TCP && protocol != kProtocolMptcp) {
    return -EPROTONOSUPPORT;
  }
  if (protocol == kProtocolMptcp && !sysctls().mptcp_enabled) return -ENOPROTOOPT;
  auto socket = std::make_shared<Socket>();
  socket->family = domain == AF_INET ? wire::Family::kIpv4 : wire::Family::kIpv6;
  socket->mptcp = protocol == kProtocolMptcp;
  socket->nonblocking = (type & SOCK_NONBLOCK) != 0;
  return add(std::move(socket));
}

int Host::bind(int fd, const sockaddr* address, socklen_t length) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  const auto endpoint = endpoint_of(address, length);
  if (!socket) return -EBADF;
  if (!endpoint || socket->role != Socket::Role::kFresh) return -EINVAL;
  const bool mapped = !endpoint->address.is_v4() && endpoint->address.embedded_v4() &&
                      endpoint->address.unmapped().is_v4();
  socket->mapped = mapped;
  socket->local = {mapped ? endpoint->address.unmapped() : endpoint->address, endpoint->port};
  if (socket->local.port == 0) socket->local.port = free_port();
  return 0;
}

int Host::listen(int fd, int backlog) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  if (socket->role == Socket::Role::kConnection) return -EINVAL;
  socket->role = Socket::Role::kListening;
  if (socket->mptcp) load_paths();
  socket->backlog = std::max(backlog, 0);
  if (socket->local.port == 0) socket->local.port = free_port();
  return 0;
}

int Host::accept(int fd, sockaddr* address, socklen_t* length) {
  Lock lock(mutex_);
  const SocketPtr listener = find<Socket>(fd);
  if (!listener) return -EBADF;
  if (listener->role != Socket::Role::kListening) return -EINVAL;
  const auto ready = [&] { return (listener->events() & EPOLLIN) != 0; };
  if (!ready() && listener->nonblocking) return -EAGAIN;
  if (!wait_until(lock, ready, listener->options.receive_timeout)) return -EAGAIN;
  const auto found = std::find_if(listener->waiting.begin(), listener->waiting.end(),
                                  [](const SocketPtr& child) { return child->counted; });
  const SocketPtr child = *found;
  listener->waiting.erase(found);
  child->accepted = true;
  put_endpoint(child->remote, child->mapped ? As::kIpv6 : As::kIs, address, length);
  return add(child);
}

// ---- connecting

Settings Host::sysctls() const { return standard_settings_ ? standard_settings() : read_sysctls(); }

Settings Host::settings_for(const Socket& socket) {
  Settings settings = sysctls();
  settings.mptcp_subflow_limit = mptcp_settings_.mptcp_subflow_limit;
  settings.mptcp_add_addr_limit = mptcp_settings_.mptcp_add_addr_limit;
  if (socket.options.receive_buffer) settings.rmem_max = *socket.options.receive_buffer / 2;
  return settings;
}

StreamSetup Host::setup_for(Socket& socket) {
  StreamSetup setup;
  setup.settings = settings_for(socket);
  socket.buffer = setup.settings.wmem_default;
  socket.largest_buffer = setup.settings.wmem_max;
  socket.host_lowat = setup.settings.notsent_lowat;
  const std::uint64_t memory =
      socket.options.receive_buffer.value_or(setup.settings.rmem_default) / 2;
  setup.receive_buffer = std::min(memory, kFirstWindow);
  setup.largest_receive_buffer =
      socket.options.receive_buffer ? memory : setup.settings.rmem_max / 2;
  setup.send_buffer = socket.mptcp ? socket.options.send_buffer.value_or(setup.settings.wmem_max)
                                   : 2 * setup.settings.wmem_max;  // SendQueue says how much of it
  setup.syn_retries =
      socket.options.syn_retries != 0 ? socket.options.syn_retries : setup.settings.syn_retries;
  setup.mtu = interface_mtu(socket.local.address);
  if (socket.options.max_segment) {  // announced, and never exceeded: as an MTU says it
    const std::uint32_t headers = socket.local.address.is_v4() ? 40 : 60;
    setup.mtu = std::min(setup.mtu, *socket.options.max_segment + headers);
  }
  socket.mtu = setup.mtu;
  setup.congestion_control = socket.options.congestion_control.empty()
                                 ? setup.settings.congestion_control
                                 : socket.options.congestion_control;
  setup.paths = this;
  setup.subflow_limit = setup.settings.mptcp_subflow_limit;
  return setup;
}

std::uint32_t Host::interface_mtu(const wire::IpAddress& local) const {
  return standard_settings_ ? kUsualMtu : device_mtu(local);
}

wire::IpAddress Host::local_address_for(const wire::IpAddress& remote) const {
  return remote.is_v4() ? default_v4_ : default_v6_;
}

std::uint16_t Host::free_port() { return next_port_++; }

int Host::start_connecting(Socket& socket, std::uint32_t syn_data, bool fast_open) {
  if (socket.local.address.is_unspecified()) {
    socket.local.address = local_address_for(socket.remote.address);
  }
  if (socket.local.port == 0) socket.local.port = free_port();
  if (socket.mptcp) load_paths();
  const tcp::Tuple tuple{0, socket.local, socket.remote};
  socket.role = Socket::Role::kConnection;
  socket.connect_told = false;
  StreamSetup setup = setup_for(socket);
  if (now_ < blackhole_until_ && setup.settings.mptcp_blackhole_timeout_s > 0) {
    setup.settings.mptcp_enabled = false;
  }
  if (fast_open) {
    socket.asked_fast_open = true;
    std::optional<Cookie> cookie;  // an empty one asks
    if (!speaks_without_cookie(socket)) {
      const CookieCache::Entry known = cookies_.find(socket.remote.address);
      cookie = known.cookie;
      if (known.form == CookieForm::kExperimental) {
        experimental_.insert({socket.local, socket.remote});
      }
    }
    fast_open_.announce(tuple, cookie);
  }
  if (socket.mptcp) {
    auto stream = std::make_unique<MptcpStream>(pool_, mptcp_, setup);
    MptcpStream* const opened = stream.get();
    socket.stream = std::move(stream);
    const std::vector<std::uint8_t> data(
        socket.held.begin(), socket.held.begin() + static_cast<std::ptrdiff_t>(syn_data));
    socket.held.erase(socket.held.begin(),
                      socket.held.begin() + static_cast<std::ptrdiff_t>(syn_data));
    opened->connect(first_path(socket.local.address), socket.local.port, socket.remote, data, now_);
  } else {
    auto stream = std::make_unique<TcpStream>(pool_, setup);
    TcpStream* const opened = stream.get();
    socket.stream = std::move(stream);
    pump(socket);
    socket.small_end = 0;  // what a SYN carries holds nothing back, said again or not
    opened->connect(tcp_, tuple, syn_data, now_);
  }
  if (socket.mptcp) announce_endpoints(socket);
  step();
  return 0;
}

bool Host::speaks_without_cookie(const Socket& socket) const {
  return socket.options.fastopen_no_cookie || (sysctls().fastopen & kFastOpenClientNoCookie) != 0;
}

// How many bytes a SYN to this server may carry; nothing when it must ask for a cookie first. Where
// the server's own MSS is not known, ours stands in for it.
std::optional<std::uint32_t> Host::syn_data_room(const Socket& socket) const {
  const CookieCache::Entry known = cookies_.find(socket.remote.address);
  if (known.cookie.empty() && !speaks_without_cookie(socket)) return std::nullopt;
  const bool bound = !socket.local.address.is_unspecified();
  const std::uint32_t mtu =
      interface_mtu(bound ? socket.local.address : local_address_for(socket.remote.address));
  std::uint32_t mss = mtu - (socket.remote.address.is_v4() ? 40 : 60);
  if (known.mss) mss = std::min<std::uint32_t>(mss, *known.mss);
  if (socket.options.max_segment) mss = std::min(mss, *socket.options.max_segment);
  return mss - std::min(mss, kSynOptionRoom);
}

int Host::connect(int fd, const sockaddr* address, socklen_t length) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  if (socket->role == Socket::Role::kListening) return -EISCONN;
  if (socket->role == Socket::Role::kConnection) return connect_result(lock, *socket);
  const auto endpoint = endpoint_of(address, length);
  if (!endpoint) return -EAFNOSUPPORT;
  const bool mapped = !endpoint->address.is_v4() && endpoint->address.unmapped().is_v4();
  socket->mapped = mapped;
  socket->remote = {mapped ? endpoint->address.unmapped() : endpoint->address, endpoint->port};
  if (socket->options.fastopen_connect && syn_data_room(*socket)) {
    socket->role = Socket::Role::kConnection;  // the SYN leaves with the first bytes
    socket->deferred_fast_open = true;
    return 0;
  }
  start_connecting(*socket, 0, socket->options.fastopen_connect);
  settle(lock);
  if (socket->nonblocking && !socket->connected() && !socket->close_seen) return -EINPROGRESS;
  return connect_result(lock, *socket);
}

int Host::connect_result(Lock& lock, Socket& socket) {
  if (socket.connect_told && socket.connected()) return -EISCONN;
  if (socket.deferred_fast_open) return -EISCONN;  // as far as its owner can tell
  const auto done = [&] { return socket.was_connected || socket.close_seen; };
  if (!done() && socket.nonblocking) return -EALREADY;
  if (!wait_until(lock, done, socket.options.send_timeout)) return -EINPROGRESS;
  socket.connect_told = true;
  if (const int error = socket.take_error()) return -error;
  return socket.was_connected ? 0 : -ECONNABORTED;
}

// ---- ending

int Host::shutdown(int fd, int how) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
  if (socket->role != Socket::Role::kConnection || !socket->stream || socket->close_seen) {
    return -ENOTCONN;
  }
  if (how != SHUT_WR) socket->shut_read = true;
  if (how != SHUT_RD && !socket->shut_write) {
    socket->shut_write = true;
    pump(*socket);
    if (socket->held.empty()) socket->stream->outgoing.finish();
    socket->stream->touched();
  }
  step();
  settle(lock);
  return 0;
}

int Host::close(int fd) {
  Lock lock(mutex_);
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return -EBADF;
  const std::shared_ptr<Descriptor> descriptor = found->second;
  descriptors_.erase(found);
  ::close(fd);
  for (const auto& [number, other] : descriptors_) {
    if (auto* const epoll = dynamic_cast<Epoll*>(other.get())) epoll->watches.erase(fd);
  }
  if (const auto end = std::dynamic_pointer_cast<PipeEnd>(descriptor)) {
    (end->reads ? end->buffer->reader_gone : end->buffer->writer_gone) = true;
  } else if (const auto socket = std::dynamic_pointer_cast<Socket>(descriptor)) {
    if (socket->role == Socket::Role::kListening) close_listener(*socket);
    if (socket->stream) close_connection(lock, socket);
  }
  step();
  settle(lock);
  return 0;
}

// What nobody accepted is reset.
void Host::close_listener(Socket& socket) {
  for (const SocketPtr& child : socket.waiting) {
    if (child->close_seen) continue;
    child->stream->abort(now_);
    orphans_.push_back(child);
  }
  socket.waiting.clear();
}

// RFC 9293 3.6.1: bytes nobody read make it a reset, and so does a linger of no time.
void Host::close_connection(Lock& lock, const SocketPtr& socket) {
  Stream& stream = *socket->stream;
  if (stream.over()) return;
  orphans_.push_back(socket);
  const bool unread = stream.incoming.readable() > 0;
  if (unread || socket->options.linger_s == 0 || !(socket->was_connected || socket->early)) {
    stream.abort(now_);
    return;
  }
  socket->shut_read = socket->shut_write = true;
  pump(*socket);
  if (socket->held.empty()) stream.outgoing.finish();
  stream.touched();
  if (!socket->options.linger_s || socket->nonblocking) return;
  step();
  const auto done = [&] { return stream.outgoing.released() == stream.outgoing.in_order(); };
  wait_until(lock, done, std::chrono::seconds(*socket->options.linger_s));
}

}  // namespace braid::pd
