// Options of sockets, fcntl and ioctl. What changes nothing here is remembered and told back.
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

constexpr int kSolMptcp = 284;
constexpr int kMptcpInfo = 1;
constexpr int kTcpIsMptcp = 43;
constexpr std::uint8_t kHopLimit = 64;

bool speaks_mptcp(const Socket& socket) {
  if (!socket.mptcp || !socket.stream) return socket.mptcp;
  return socket.stream->mptcp()->status().mode != mptcp::Mode::kFallback;
}
constexpr std::uint32_t kSmallestBuffer = 4608;
constexpr std::uint32_t kLargestBuffer = 212992;  // net.core.rmem_max and wmem_max

// An integer option, as setsockopt() takes it; nothing when the value is cut short.
std::optional<int> number(Bytes value) {
  if (value.size() < sizeof(int)) return std::nullopt;
  int out = 0;
  std::memcpy(&out, value.data(), sizeof out);
  return out;
}

std::vector<std::uint8_t> as_bytes(int value) {
  std::vector<std::uint8_t> out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

Duration duration_of(Bytes value) {
  timeval time{};
  std::memcpy(&time, value.data(), std::min(value.size(), sizeof time));
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// The kernel doubles what it is asked for.
std::uint64_t buffer_of(int asked) {
  const auto wanted = static_cast<std::uint32_t>(std::max(asked, 0));
  return std::max(2 * std::min(wanted, kLargestBuffer), kSmallestBuffer);
}

}  // namespace

int Host::set_option(int fd, int level, int name, Bytes value) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  int result = 0;
  if (level == SOL_SOCKET) {
    result = set_socket_option(*socket, name, value);
  } else if (level == IPPROTO_TCP) {
    result = set_tcp_option(*socket, name, value);
  } else if ((level == IPPROTO_IP && name == IP_TOS) ||
             (level == IPPROTO_IPV6 && name == IPV6_TCLASS)) {
    // A stream's ECN bits are TCP's own.
    socket->options.type_of_service = static_cast<std::uint8_t>(number(value).value_or(0) & ~3);
  } else if ((level == IPPROTO_IP && name == IP_TTL) ||
             (level == IPPROTO_IPV6 && name == IPV6_UNICAST_HOPS)) {
    const int limit = number(value).value_or(-1);
    if (limit != -1 && (limit < (level == IPPROTO_IP ? 1 : 0) || limit > 255)) return -EINVAL;
    socket->options.hop_limit.reset();
    if (limit >= 0) socket->options.hop_limit = static_cast<std::uint8_t>(limit);
  }
  if (result != 0) return result;
  socket->options.remembered[{level, name}] = {value.begin(), value.end()};
  step();
  settle(lock);
  return 0;
}

int Host::set_socket_option(Socket& socket, int name, Bytes value) {
  SocketOptions& options = socket.options;
  const std::optional<int> n = number(value);
  switch (name) {
    case SO_LINGER: {
      linger asked{};
      if (value.size() < sizeof asked) return -EINVAL;
      std::memcpy(&asked, value.data(), sizeof asked);
      options.linger_s.reset();
      if (asked.l_onoff != 0) options.linger_s = asked.l_linger;
      return 0;
    }
    case SO_RCVTIMEO: options.receive_timeout = duration_of(value); return 0;
    case SO_SNDTIMEO: options.send_timeout = duration_of(value); return 0;
    default: break;
  }
  if (!n) return -EINVAL;
  if (name == SO_RCVBUF || name == SO_RCVBUFFORCE) options.receive_buffer = buffer_of(*n);
  if (name == SO_SNDBUF || name == SO_SNDBUFFORCE) {
    options.send_buffer = buffer_of(*n);
    if (socket.stream && socket.mptcp) {
      socket.stream->outgoing.set_max_capacity(*options.send_buffer);
      socket.stream->outgoing.set_capacity(*options.send_buffer);
    }
  }
  if (name == SO_KEEPALIVE) options.keepalive = *n != 0;
  if (name == SO_ZEROCOPY) options.zerocopy = *n != 0;
  return 0;
}

int Host::set_tcp_option(Socket& socket, int name, Bytes value) {
  SocketOptions& options = socket.options;
  if (name == TCP_CONGESTION) {
    const auto end = std::find(value.begin(), value.end(), std::uint8_t{0});
    options.congestion_control.assign(value.begin(), end);
    return 0;
  }
  if (name == TCP_FASTOPEN_KEY) {
    if (value.size() != 16 && value.size() != 32) return -EINVAL;
    options.fastopen_key.assign(value.begin(), value.end());
    return 0;
  }
  const std::optional<int> n = number(value);
  if (!n) return -EINVAL;
  const auto positive = static_cast<std::uint32_t>(std::max(*n, 0));
  switch (name) {
    case TCP_NODELAY:
      options.nodelay = *n != 0;
      socket.push_once = options.nodelay && !socket.held.empty();  // whatever a cork holds
      break;
    case TCP_INQ: options.inq = *n != 0; break;
    case TCP_CORK: options.cork = *n != 0; break;
    case TCP_MAXSEG:
      if (*n != 0 && (*n < 88 || *n > 32767)) return -EINVAL;
      options.max_segment.reset();
      if (*n != 0) options.max_segment = positive;
      break;
    case TCP_FASTOPEN:
      if (*n < 0 || socket.role == Socket::Role::kConnection) return -EINVAL;
      options.fastopen_queue = positive;
      break;
    case TCP_FASTOPEN_CONNECT:
      if (*n < 0 || *n > 1 || socket.role != Socket::Role::kFresh) return -EINVAL;
      if ((sysctls().fastopen & kFastOpenClient) == 0) return -EOPNOTSUPP;
      options.fastopen_connect = *n != 0;
      break;
    case TCP_FASTOPEN_NO_COOKIE:
      if (*n < 0 || *n > 1 || socket.role == Socket::Role::kConnection) return -EINVAL;
      options.fastopen_no_cookie = *n != 0;
      break;
    case TCP_SYNCNT:
      if (*n < 1 || *n > 127) return -EINVAL;
      options.syn_retries = positive;
      break;
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
      if (*n < 1) return -EINVAL;
      (name == TCP_KEEPIDLE    ? options.keepalive_idle_s
       : name == TCP_KEEPINTVL ? options.keepalive_interval_s
                               : options.keepalive_count) = positive;
      break;
    case TCP_USER_TIMEOUT: options.user_timeout_ms = positive; break;
    case TCP_DEFER_ACCEPT: options.defer_accept = *n != 0; break;
    case TCP_NOTSENT_LOWAT: options.notsent_lowat = static_cast<std::uint32_t>(*n); break;
    default: break;
  }
  pump(socket);
  return 0;
}

std::optional<std::vector<std::uint8_t>> Host::option_value(Socket& socket, int level, int name) {
  const SocketOptions& options = socket.options;
  const Settings settings = settings_for(socket);
  if (level == SOL_SOCKET) {
    if (name == SO_ERROR) return as_bytes(socket.take_error());
    if (name == SO_PROTOCOL) return as_bytes(socket.mptcp ? 262 : IPPROTO_TCP);
    if (name == SO_DOMAIN) {
      return as_bytes(socket.family == wire::Family::kIpv4 ? AF_INET : AF_INET6);
    }
    if (name == SO_MEMINFO) return memory_info(socket);
    if (name == SO_TYPE) return as_bytes(SOCK_STREAM);
    if (name == SO_ACCEPTCONN) return as_bytes(socket.role == Socket::Role::kListening ? 1 : 0);
    if (name == SO_RCVBUF) {
      return as_bytes(static_cast<int>(options.receive_buffer.value_or(settings.rmem_default)));
    }
    if (name == SO_SNDBUF) {
      return as_bytes(static_cast<int>(options.send_buffer.value_or(settings.wmem_default)));
    }
  }
  if (level == IPPROTO_TCP) {
    if (name == TCP_INFO) return tcp_info(socket);
    if (name == TCP_CC_INFO) return std::vector<std::uint8_t>();
    if (name == kTcpIsMptcp) return as_bytes(speaks_mptcp(socket) ? 1 : 0);
    if (name == TCP_MAXSEG && socket.stream && socket.stream->tcp() != nullptr) {
      return as_bytes(static_cast<int>(socket.stream->tcp()->path_info().mss));
    }
    if (name == TCP_FASTOPEN_KEY) {
      if (!options.fastopen_key.empty()) return options.fastopen_key;
      return parse_fast_open_key(settings.fastopen_key).value_or(std::vector<std::uint8_t>());
    }
    if (name == TCP_CONGESTION) {
      const std::string& text = options.congestion_control.empty() ? settings.congestion_control
                                                                   : options.congestion_control;
      std::vector<std::uint8_t> out(text.begin(), text.end());
      out.resize(16);
      return out;
    }
  }
  if (level == kSolMptcp && name == kMptcpInfo) {
    if (!socket.mptcp || !socket.stream) return std::nullopt;
    return mptcp_info(socket);
  }
  if ((level == IPPROTO_IP && name == IP_TTL) ||
      (level == IPPROTO_IPV6 && name == IPV6_UNICAST_HOPS)) {
    return as_bytes(options.hop_limit.value_or(kHopLimit));
  }
  const auto told = options.remembered.find({level, name});
  if (told != options.remembered.end()) return told->second;
  return as_bytes(0);
}

int Host::get_option(int fd, int level, int name, void* value, socklen_t* length) {
  Lock lock(mutex_);
  const SocketPtr socket = find<Socket>(fd);
  if (!socket) return -EBADF;
  if (value == nullptr || length == nullptr) return -EFAULT;
  const auto bytes = option_value(*socket, level, name);
  if (!bytes) return -EOPNOTSUPP;
  *length = static_cast<socklen_t>(std::min<std::size_t>(*length, bytes->size()));
  std::memcpy(value, bytes->data(), *length);
  return 0;
}

int Host::control(int fd, int command, long argument) {
  Lock lock(mutex_);
  const auto descriptor = find<Descriptor>(fd);
  if (!descriptor) return -EBADF;
  switch (command) {
    case F_GETFL: return O_RDWR | (descriptor->nonblocking ? O_NONBLOCK : 0);
    case F_SETFL: descriptor->nonblocking = (argument & O_NONBLOCK) != 0; return 0;
    case F_GETFD:
    case F_SETFD: return 0;
    default: return -EINVAL;
  }
}

int Host::device_control(int fd, unsigned long request, void* out) {
  Lock lock(mutex_);
  const auto descriptor = find<Descriptor>(fd);
  if (!descriptor) return -EBADF;
  if (out == nullptr) return -EFAULT;
  if (request == FIONBIO) {
    descriptor->nonblocking = *static_cast<const int*>(out) != 0;
    return 0;
  }
  const SocketPtr socket = std::dynamic_pointer_cast<Socket>(descriptor);
  if (!socket || socket->role == Socket::Role::kListening) return -EINVAL;
  std::uint64_t count = 0;
  if (request == SIOCINQ && socket->stream) {
    count = socket->stream->incoming.readable();
  } else if (request == SIOCOUTQ) {
    count = socket->unsent();
  } else if (request == SIOCOUTQNSD && socket->stream) {
    tcp::Connection* const connection = socket->stream->tcp();
    const std::uint64_t flying = connection != nullptr ? connection->path_info().in_flight : 0;
    count = socket->unsent() - std::min(socket->unsent(), flying);
  } else if (request != SIOCINQ) {
    return -ENOTTY;
  }
  *static_cast<int*>(out) = static_cast<int>(count);
  return 0;
}

}  // namespace braid::pd
