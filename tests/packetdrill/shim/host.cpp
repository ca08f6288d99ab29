#include "tests/packetdrill/shim/host.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "tests/packetdrill/shim/errors.h"
#include "tests/packetdrill/shim/experimental.h"

namespace braid::pd {
namespace {

constexpr std::size_t kMemory = 256U << 20;
constexpr Duration kPatience = 10s;  // of netdev_receive(): then the script has failed
constexpr int kRounds = 16;          // of one step; each lets one layer react to another

}  // namespace

// `flags` (of --so_flags): words separated by commas. "local_v4=ADDRESS" and "local_v6=ADDRESS" say
// where our own connections come from; "settings=standard" takes standard_settings() for the
// host's.
Host::Host(const char* flags)
    : stepping_thread_(std::this_thread::get_id()),
      now_(std::chrono::seconds(1'000'000)),
      random_(0x6272616964ULL),
      pool_(kMemory),
      tcp_(random_),
      mptcp_(tcp_, random_),
      default_v4_(*wire::IpAddress::parse("192.168.0.1")),
      default_v6_(*wire::IpAddress::parse("fd3d:0a0b:17d6::1")) {
  std::istringstream words(flags == nullptr ? "" : flags);
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t sign = word.find('=');
    if (word == "settings=standard") standard_settings_ = true;
    if (sign == std::string::npos) continue;
    const auto address = wire::IpAddress::parse(word.substr(sign + 1));
    if (!address) continue;
    (address->is_v4() ? default_v4_ : default_v6_) = *address;
  }
  mptcp_settings_ = sysctls();
}

Host::~Host() {
  orphans_.clear();
  descriptors_.clear();
}

// ---- time

Instant Host::next_deadline() {
  Instant earliest = std::min({tcp_.next_deadline(), mptcp_.next_deadline(), ip_.next_deadline()});
  earliest = std::min(earliest, patience_deadline());
  for (const Waiter* waiter : waiters_) earliest = std::min(earliest, waiter->deadline);
  return earliest;
}

void Host::advance_to(Lock& lock, Instant when) {
  for (Instant next = next_deadline(); next <= when; next = next_deadline()) {
    now_ = std::max(now_, next);
    step();
    settle(lock);
    if (next_deadline() <= now_ && next == next_deadline()) break;  // nothing moves any more
  }
  now_ = std::max(now_, when);
}

std::int64_t Host::time_us() {
  Lock lock(mutex_);
  if (returning_.erase(std::this_thread::get_id()) > 0) changed_.notify_all();
  const Instant next = now_ + 1us;
  if (is_stepping_thread() && next_deadline() <= next) {
    advance_to(lock, next);
  } else {
    now_ = next;
  }
  return to_us(now_.time_since_epoch());
}

void Host::usleep(Duration duration) {
  Lock lock(mutex_);
  refresh_paths();
  advance_to(lock, now_ + duration);
}

// ---- packets

int Host::netdev_send(Bytes packet) {
  Lock lock(mutex_);
  refresh_paths();
  std::vector<std::uint8_t> taken(packet.begin(), packet.end());
  const bool experimental = from_experimental(taken);
  const ip::Input input = ip_.receive(0, PacketIn{.bytes = taken}, now_);
  if (const auto* segment = std::get_if<wire::Segment>(&input)) {
    if (experimental) experimental_.insert({segment->destination, segment->source});
    receive_segment(*segment, experimental ? CookieForm::kExperimental : CookieForm::kUsual);
  } else if (const auto* error = std::get_if<wire::IcmpError>(&input)) {
    const SocketPtr owner = owner_of(error->source, error->destination);
    if (owner) owner->icmp_error = errno_of_icmp(*error);
    // Accepted before its handshake was done: its owner works with it, as with one that stands.
    const bool in_use = owner && owner->early && owner->accepted && !owner->was_connected;
    if (!in_use) tcp_.receive_error(0, *error, now_);
  }
  step();
  settle(lock);
  return 0;
}

int Host::netdev_receive(MutableBytes to, std::size_t& size, long long& time_us) {
  Lock lock(mutex_);
  refresh_paths();
  const Instant limit = now_ + kPatience;
  step();
  while (leaving_.empty()) {
    const Instant next = next_deadline();
    if (next > limit) {
      now_ = limit;
      size = 0;
      return 0;
    }
    advance_to(lock, std::max(next, now_));
  }
  const Packet packet = std::move(leaving_.front());
  leaving_.pop_front();
  size = std::min(to.size(), packet.bytes.size());
  std::copy_n(packet.bytes.begin(), size, to.begin());
  time_us = to_us(packet.time.time_since_epoch());
  return 0;
}

tcp::InterfaceId Host::interface_between(const wire::Endpoint& local,
                                         const wire::Endpoint& remote) const {
  const auto found = interfaces_.find({local, remote});
  return found == interfaces_.end() ? 0 : found->second;
}

Host::SocketPtr Host::owner_of(const wire::Endpoint& local, const wire::Endpoint& remote) const {
  SocketPtr ended;  // nobody has closed it yet, and its peer may have come again
  const auto owns = [&](const SocketPtr& socket) {
    if (!socket->stream || socket->local != local || socket->remote != remote) return false;
    if (socket->stream->closed()) ended = socket;
    return !socket->stream->closed();
  };
  for (const auto& [fd, descriptor] : descriptors_) {
    const auto socket = std::dynamic_pointer_cast<Socket>(descriptor);
    if (!socket) continue;
    if (owns(socket)) return socket;
    for (const SocketPtr& child : socket->waiting) {
      if (owns(child)) return child;
    }
  }
  for (const SocketPtr& socket : orphans_) {
    if (owns(socket)) return socket;
  }
  return ended;
}

// A SYN-ACK that echoes a timestamp none of our SYNs had: the stack takes it, kernels refuse it.
bool Host::echoes_nonsense(const Socket& socket, const wire::Segment& answer) {
  const auto& stamps = answer.options.timestamps;
  if (!stamps || stamps->echo_reply == 0 || !socket.syn_stamps) return false;
  const auto& [first, last] = *socket.syn_stamps;
  return stamps->echo_reply - first > last - first;
}

void Host::receive_segment(const wire::Segment& segment, CookieForm form) {
  const SocketPtr owner = owner_of(segment.destination, segment.source);
  const bool opens = owner && segment.flags.syn && segment.flags.ack && !owner->connected();
  if (opens && echoes_nonsense(*owner, segment)) return tcp_.refuse(0, segment);
  // RFC 9293 3.10.4: nobody will read what arrives after close(). The RST answers this segment, so
  // the peer takes it even if it has not seen all of ours (RFC 5961 3).
  if (owner && !segment.payload.empty() && !owner->mptcp &&
      std::find(orphans_.begin(), orphans_.end(), owner) != orphans_.end()) {
    tcp::Connection* const connection = owner->stream->tcp();
    if (connection != nullptr && connection->state() >= tcp::State::kEstablished) {
      owner->stream->abandon(now_);
      return tcp_.refuse(0, segment);
    }
  }
  if (owner) {
    owner->more_to_come = false;  // MSG_MORE holds until an answer comes
    if (!segment.payload.empty()) owner->last_text = now_;
  }
  const wire::Segment stamped = with_timestamps(segment);
  if (tcp_.receive(interface_between(segment.destination, segment.source), stamped, now_) ==
      tcp::Layer::Received::kNewSyn) {
    receive_syn(segment);
  }
  if (opens && owner->connected()) learn_cookie(*owner, segment, form);
  if (owner && (!segment.payload.empty() || (opens && owner->writer_waits))) owner->heard_at = now_;
}

// Scripts leave timestamps out of segments where they are in force. The stack drops such segments
// (RFC 7323 3.2: SHOULD), the kernel scripts are written for does not: they get the last ones
// again.
wire::Segment Host::with_timestamps(const wire::Segment& segment) {
  const std::pair key(segment.destination, segment.source);
  if (segment.flags.syn) timestamps_.erase(key);
  if (segment.options.timestamps) timestamps_[key] = segment.options.timestamps->value;
  const auto last = timestamps_.find(key);
  if (segment.options.timestamps || last == timestamps_.end() || segment.flags.syn) return segment;
  wire::Segment out = segment;
  out.options.timestamps = wire::Timestamps{.value = last->second, .echo_reply = 0};
  return out;
}

// ---- SYNs

Host::SocketPtr Host::listener_for(const wire::Segment& syn) const {
  for (const auto& [fd, descriptor] : descriptors_) {
    const auto socket = std::dynamic_pointer_cast<Socket>(descriptor);
    if (!socket || socket->role != Socket::Role::kListening) continue;
    const bool address_fits =
        socket->local.address.is_unspecified() || socket->local.address == syn.destination.address;
    if (socket->local.port == syn.destination.port && address_fits) return socket;
  }
  return nullptr;
}

void Host::receive_syn(const wire::Segment& syn) {
  if (syn.options.find<wire::MpJoinSyn>() != nullptr) {
    mptcp_.receive_join(0, syn, first_path(syn.destination.address), now_);
    return;
  }
  const SocketPtr listener = listener_for(syn);
  if (!listener) return tcp_.refuse(0, syn);
  if (listener->waiting.size() > static_cast<std::size_t>(listener->backlog)) return;
  accept_syn(*listener, syn);
}

void Host::accept_syn(Socket& listener, const wire::Segment& syn) {
  auto child = std::make_shared<Socket>();
  child->mptcp = listener.mptcp && syn.options.find<wire::MpCapable>() != nullptr;
  child->family = listener.family;
  child->mapped = listener.mapped;
  child->role = Socket::Role::kConnection;
  child->options = listener.options;
  child->local = syn.destination;
  child->remote = syn.source;
  child->accepted = false;
  child->connect_told = true;
  wire::Segment first = syn;
  child->early = take_fast_open(listener, syn, tcp::tuple_of(0, syn));
  child->syn_data = child->early && !syn.payload.empty();
  if (!child->early) first.payload = {};
  StreamSetup setup = setup_for(*child);
  setup.early_data = child->early;
  // Cookie, MP_CAPABLE and timestamps do not fit into one SYN-ACK; the kernel leaves out the last.
  if (child->mptcp && fast_open_.announces(tcp::tuple_of(0, syn)))
    setup.settings.timestamps = false;
  setup.syn_retries = setup.settings.synack_retries;
  if (child->mptcp) {
    auto stream = std::make_unique<MptcpStream>(pool_, mptcp_, setup);
    MptcpStream* const opened = stream.get();
    child->stream = std::move(stream);
    listener.waiting.push_back(child);
    rebuild_paths();
    opened->accept(first, first_path(syn.destination.address), now_);
    announce_endpoints(*child);
  } else {
    auto stream = std::make_unique<TcpStream>(pool_, setup);
    TcpStream* const opened = stream.get();
    child->stream = std::move(stream);
    listener.waiting.push_back(child);
    opened->accept(tcp_, first, now_);
  }
}

// Whether this SYN opens the connection at once (RFC 7413 4.2), and what its SYN-ACK says.
bool Host::take_fast_open(Socket& listener, const wire::Segment& syn, const tcp::Tuple& tuple) {
  fast_open_.forget(tuple);
  const Settings settings = sysctls();
  const bool listening = listener.options.fastopen_queue.value_or(0) > 0 ||
                         (settings.fastopen & kFastOpenEveryListener) != 0;
  const auto& asked = syn.options.fast_open_cookie;
  if ((settings.fastopen & kFastOpenServer) == 0 || !listening) return false;
  if (!asked && syn.payload.empty()) return false;
  if ((settings.fastopen & kFastOpenServerNoCookie) != 0 || listener.options.fastopen_no_cookie) {
    return true;
  }
  if (!asked) return false;
  std::vector<std::uint8_t> key = listener.options.fastopen_key;
  if (key.empty()) key = parse_fast_open_key(settings.fastopen_key).value_or(key);
  if (key.size() < 16) key.assign(16, 0);
  const auto fits = [&](std::size_t from) {
    return *asked == make_cookie({key.begin() + static_cast<std::ptrdiff_t>(from), key.end()},
                                 syn.source.address, syn.destination.address);
  };
  if (fits(0)) return true;
  fast_open_.announce(tuple, make_cookie(key, syn.source.address, syn.destination.address));
  return key.size() >= 32 && fits(16);  // made with the key before: good, and renewed
}

// From the SYN-ACK that opened the connection.
void Host::learn_cookie(Socket& socket, const wire::Segment& segment, CookieForm form) {
  const auto& cookie = segment.options.fast_open_cookie;
  if (!socket.asked_fast_open) return;
  socket.syn_data = socket.syn_payload > 0 && segment.ack == socket.syn_end;
  const wire::IpAddress& server = segment.source.address;
  cookies_.remember_mss(server, segment.options.mss.value_or(536));
  if (speaks_without_cookie(socket)) return;  // a cookie nobody asked for is not kept
  if (cookie && !cookie->empty()) {
    cookies_.remember_cookie(server, *cookie, form);
  } else if (!cookie && socket.syns == 1 && socket.syn_payload == 0) {
    cookies_.not_granted(server);
  }
}

// ---- after every step

void Host::step() {
  ++steps_;
  for (const auto& [fd, descriptor] : descriptors_) {
    if (auto* const socket = dynamic_cast<Socket*>(descriptor.get())) run_patience(*socket);
  }
  for (int round = 0; round < kRounds; ++round) {
    bool moved = false;
    for (const auto& [fd, descriptor] : descriptors_) {
      if (auto* const socket = dynamic_cast<Socket*>(descriptor.get())) moved |= pump(*socket);
    }
    for (const SocketPtr& socket : orphans_) moved |= pump(*socket);
    mptcp_.flush(now_);
    tcp_.flush(now_, *this);
    launch();
    const bool due = tcp_.next_deadline() <= now_ || mptcp_.next_deadline() <= now_;
    if (!moved && !mptcp_.has_ready() && !due) break;
  }
  for (const ip::Outgoing& outgoing : ip_.flush(now_)) {
    leaving_.push_back({wire::flatten(outgoing.packet), now_});
  }
  for (const auto& [fd, descriptor] : descriptors_) {
    auto* const socket = dynamic_cast<Socket*>(descriptor.get());
    if (socket == nullptr) continue;
    for (const SocketPtr& child : socket->waiting) take_notice(*child);
    take_notice(*socket);
    if (socket->stream) run_patience(*socket);
  }
  for (const SocketPtr& socket : orphans_) {
    take_notice(*socket);
    if (!socket->close_seen) run_user_timeout(*socket);
  }
  sweep();
}

// Nagle's algorithm (RFC 9293 3.7.4, with Minshall's change) and corks: a short segment waits while
// another one is unacknowledged.
bool Host::pump(Socket& socket) {
  if (!socket.stream || socket.held.empty()) return false;
  Stream& stream = *socket.stream;
  tcp::Connection* const connection = stream.tcp();
  std::size_t mss = connection != nullptr ? connection->path_info().mss : 0;
  if (mss == 0) mss = 1460;
  std::size_t may = socket.held.size();
  const std::uint64_t record = room_in_record(socket);
  const bool small_outstanding = stream.outgoing.released().value() < socket.small_end;
  const bool hold =
      !std::exchange(socket.push_once, false) && (socket.options.cork || socket.more_to_come ||
                                                  (!socket.options.nodelay && small_outstanding));
  if (record < may) {
    may = record;  // more follows: it is no tail
  } else if (hold && !socket.shut_write) {
    may -= may % mss;
  }
  const std::uint32_t put = stream.outgoing.append(Bytes(socket.held).first(may));
  if (put % mss != 0) socket.small_end = stream.outgoing.in_order().value();
  socket.held.erase(socket.held.begin(), socket.held.begin() + put);
  if (socket.shut_write && socket.held.empty()) stream.outgoing.finish();
  if (put > 0) stream.touched();
  return put > 0;
}

// MSG_EOR: what follows a record's end waits until the record has left, so that no segment holds
// both.
std::uint64_t Host::room_in_record(Socket& socket) {
  const std::uint64_t end = socket.stream->outgoing.in_order().value();
  if (!socket.record_ends.empty() && socket.record_ends.front() == end &&
      socket.queue_facts().sent == end) {
    socket.record_ends.pop_front();
  }
  return socket.record_ends.empty() ? UINT64_MAX : socket.record_ends.front() - end;
}

// Corks do not hold for ever: with nothing under way, bytes wait one retransmission timeout.
void Host::run_cork(Socket& socket) {
  const tcp::Connection* const connection = socket.connected() ? socket.stream->tcp() : nullptr;
  if (connection == nullptr || socket.held.empty() || socket.stream->outgoing.readable() > 0) {
    socket.held_until = kNever;
  } else if (socket.held_until == kNever) {
    socket.held_until = now_ + connection->path_info().rto;
  } else if (now_ >= socket.held_until) {
    socket.held_until = kNever;
    socket.push_once = true;
    socket.quiet_end = 0;
  }
}

void Host::take_notice(Socket& socket) {
  if (socket.role == Socket::Role::kListening) {
    std::erase_if(socket.waiting,
                  [](const SocketPtr& child) { return child->close_seen && !child->counted; });
    for (const SocketPtr& child : socket.waiting) {
      const bool there = child->early || child->was_connected;
      const bool ripe = !socket.options.defer_accept || child->stream->incoming.readable() > 0;
      if (child->counted || !there || !ripe) continue;
      child->counted = true;
      ++socket.arrivals;
    }
    return;
  }
  if (!socket.stream) return;
  if (socket.connected() && !socket.was_connected) {
    socket.was_connected = true;
    socket.last_text = now_;
    ++socket.writable_edges;
    note_blackhole(socket);
  }
  socket.follow_windows();
  if (socket.wants_room && socket.roomy(SendQueue::Asked::kWaiting)) {
    socket.wants_room = false;
    ++socket.writable_edges;
  }
  note_busy(socket);
  take_zerocopy_notice(socket);
  const auto closed = socket.stream->closed();
  if (!closed || socket.close_seen) return;
  socket.close_seen = true;
  ++socket.writable_edges;
  fast_open_.forget({0, socket.local, socket.remote});
  const bool half_closed = socket.stream->incoming.complete();
  socket.error = errno_of_end(*closed, socket.icmp_error, half_closed, socket.mptcp);
}

// What holds its bytes back now, for TCP_INFO.
void Host::note_busy(Socket& socket) const {
  const tcp::Connection* const connection = socket.connected() ? socket.stream->tcp() : nullptr;
  auto state = BusyTime::State::kIdle;
  if (connection != nullptr && socket.unsent() > 0) {
    const auto path = connection->path_info();
    const std::uint64_t flying = connection->outstanding().all;
    const std::uint64_t waiting = socket.unsent() - std::min(socket.unsent(), flying);
    const std::uint64_t next = std::min<std::uint64_t>(waiting, path.mss);
    const bool window = flying + next > path.send_window && path.in_flight + next <= path.cwnd;
    state = waiting > 0 && window               ? BusyTime::State::kWindowLimited
            : waiting == 0 && socket.wants_room ? BusyTime::State::kBufferLimited
                                                : BusyTime::State::kBusy;
  }
  socket.busy.enter(state, now_);
}

// The first SYN without MP_CAPABLE was answered, those with it were not: something on the way drops
// them, and connections to come do not ask (a kernel remembers it for an hour, for all of them).
void Host::note_blackhole(const Socket& socket) {
  if (!socket.mptcp || socket.plain_syns != 1) return;
  if (!socket.stream->mptcp()->status().capable_unanswered) return;
  blackhole_until_ = now_ + std::chrono::seconds(sysctls().mptcp_blackhole_timeout_s);
}

void Host::for_each_socket(const std::function<void(Socket&)>& what) const {
  for (const auto& [fd, descriptor] : descriptors_) {
    auto* const socket = dynamic_cast<Socket*>(descriptor.get());
    if (socket == nullptr) continue;
    what(*socket);
    for (const SocketPtr& child : socket->waiting) what(*child);
  }
}

void Host::sweep() {
  orphans_.remove_if([](const SocketPtr& socket) { return socket->stream->over(); });
}

}  // namespace braid::pd
