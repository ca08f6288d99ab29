// What leaves, as a kernel would have sent it: trains, probes of a closed window, silent fallbacks,
// TOS.
#include <algorithm>

#include "stack/wire/checksum.h"
#include "tests/packetdrill/shim/experimental.h"
#include "tests/packetdrill/shim/host.h"

namespace braid::pd {
namespace {

void set_type_of_service(std::vector<std::uint8_t>& packet, std::uint8_t value) {
  if (packet[0] >> 4 == 6) {
    packet[0] = static_cast<std::uint8_t>(0x60 | value >> 4);
    packet[1] =
        static_cast<std::uint8_t>((packet[1] & 0x0f) | (value << 4 & 0xc0) | (packet[1] & 0x30));
    return;
  }
  packet[1] = static_cast<std::uint8_t>((value & 0xfc) | (packet[1] & 0x03));
  store_be16(packet.data() + 10, 0);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 20; i += 2) sum += load_be16(packet.data() + i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  store_be16(packet.data() + 10, static_cast<std::uint16_t>(~sum));
}

// An early fallback is told to the peer with an infinite mapping (RFC 8684 3.7) on an ACK; the
// kernel scripts are written for says nothing. True when there was one.
bool take_infinite_mapping(wire::Segment& segment) {
  if (!segment.payload.empty() || segment.flags.syn || segment.flags.rst) return false;
  const auto* const dss = segment.options.find<wire::Dss>();
  if (dss == nullptr || !dss->mapping || dss->mapping->data_length != 0) return false;
  segment.options.mptcp.clear();
  return !segment.flags.fin;
}

}  // namespace

void Host::send(tcp::InterfaceId interface, const wire::Segment& segment) {
  const tcp::Tuple tuple{interface, segment.source, segment.destination};
  burst_.push_back(segment);
  if (segment.flags.syn && !segment.flags.ack) {
    const SocketPtr owner = owner_of(segment.source, segment.destination);
    if (owner) note_syn(*owner, segment);
  }
  if (segment.flags.syn) fast_open_.complete(tuple, burst_.back());
  if (segment.flags.syn) announce_path_mss(tuple, burst_.back());
  if (!segment.payload.empty() && !segment.flags.syn) note_answer(tuple);
  if (interface != 0) interfaces_[{tuple.local, tuple.remote}] = interface;
}

// Bytes that follow the peer's closely are an answer, and a conversation goes on: the kernel then
// leaves its ACKs to the next answer, while the stack acknowledges the first segments at once.
void Host::note_answer(const tcp::Tuple& tuple) {
  constexpr Duration kAnswersWithin = 40ms;
  const SocketPtr owner = owner_of(tuple.local, tuple.remote);
  if (!owner || owner->mptcp || owner->heard_at == Instant()) return;
  tcp::Connection* const connection = tcp_.find(tuple);
  if (connection != nullptr && now_ - owner->heard_at < kAnswersWithin)
    connection->end_quick_acks();
}

// A SYN repeated because a router found the first one too big announces what fits; the stack goes
// on announcing what the interface takes (RFC 9293 3.7.1).
void Host::announce_path_mss(const tcp::Tuple& tuple, wire::Segment& syn) {
  const tcp::Connection* const connection = tcp_.find(tuple);
  if (connection == nullptr || !syn.options.mss) return;
  const tcp::Connection::PathInfo path = connection->path_info();
  if (path.path_mtu_source != tcp::PathMtu::Source::kRouter) return;
  const std::uint32_t fits = path.path_mtu - (tuple.remote.address.is_v4() ? 40 : 60);
  syn.options.mss = static_cast<std::uint16_t>(std::min<std::uint32_t>(*syn.options.mss, fits));
}

void Host::note_syn(Socket& socket, const wire::Segment& syn) {
  if (socket.syns++ == 0) {
    socket.syn_payload = syn.payload.size();
    socket.syn_end = syn.seq + 1 + socket.syn_payload;
  }
  if (syn.options.mptcp.empty()) ++socket.plain_syns;
  if (!syn.options.timestamps) return;
  const std::uint32_t stamp = syn.options.timestamps->value;
  socket.syn_stamps = {socket.syn_stamps ? socket.syn_stamps->first : stamp, stamp};
}

// Whose socket's subflow it leaves on, the first one or a join.
Host::SocketPtr Host::sender_of(const wire::Segment& segment) const {
  if (const SocketPtr owner = owner_of(segment.source, segment.destination)) return owner;
  SocketPtr found;
  const auto look = [&](const SocketPtr& socket) {
    if (!socket->mptcp || !socket->stream) return;
    for (const auto& subflow : socket->stream->mptcp()->subflows()) {
      const bool same =
          subflow.tuple.local == segment.source && subflow.tuple.remote == segment.destination;
      if (same) found = socket;
    }
  };
  for (const auto& [fd, descriptor] : descriptors_) {
    if (const auto socket = std::dynamic_pointer_cast<Socket>(descriptor)) look(socket);
  }
  for (const SocketPtr& socket : orphans_) look(socket);
  return found;
}

// What a connection says to its peer without data goes from subflow to subflow, the oldest first,
// whichever of them gave cause.
void Host::order_acks() {
  const auto bare = [](const wire::Segment& segment) {
    const bool other = segment.flags.syn || segment.flags.rst || segment.flags.fin;
    return segment.payload.empty() && !other && segment.options.find<wire::Dss>() != nullptr;
  };
  for_each_socket([&](const Socket& socket) {
    if (!socket.mptcp || !socket.stream) return;
    std::vector<std::size_t> places;
    std::vector<wire::Segment> ordered;
    for (const auto& subflow : socket.stream->mptcp()->subflows()) {
      for (std::size_t i = 0; i < burst_.size(); ++i) {
        const bool its = burst_[i].source == subflow.tuple.local &&
                         burst_[i].destination == subflow.tuple.remote;
        if (!its || !bare(burst_[i])) continue;
        places.push_back(i);
        ordered.push_back(burst_[i]);
      }
    }
    std::sort(places.begin(), places.end());
    for (std::size_t i = 0; i < places.size(); ++i) burst_[places[i]] = ordered[i];
  });
}

// What one flush has emitted goes, with the flags and headers of a kernel's.
void Host::launch() {
  if (burst_.size() > 1) order_acks();
  for (wire::Segment& segment : burst_) {
    if (!segment.flags.psh || segment.flags.fin) continue;
    const SocketPtr owner = owner_of(segment.source, segment.destination);
    if (!owner || owner->mptcp || !owner->stream) continue;
    // The stack has not seen all that was written, or MSG_MORE says that it is not all.
    const std::uint64_t end = owner->stream->outgoing.in_order().value();
    const bool record = !owner->record_ends.empty() && owner->record_ends.front() == end;
    const bool quiet = owner->held.empty() ? owner->quiet_end == end : !record;
    if (quiet) segment.flags.psh = false;
  }
  offload_.mark(
      burst_,
      [this](const wire::Segment& segment) {
        const tcp::Tuple tuple{interface_between(segment.source, segment.destination),
                               segment.source, segment.destination};
        const tcp::Connection* const connection = tcp_.find(tuple);
        return Offload::longest_train(
            connection ? connection->path_info() : tcp::Connection::PathInfo(),
            sysctls().min_tso_segments);
      },
      [this](const wire::Segment& segment, std::uint32_t offset) {
        const SocketPtr owner = owner_of(segment.source, segment.destination);
        return owner && !owner->mptcp && owner->queue.ends_at(offset);
      });
  for (wire::Segment& segment : burst_) {
    const std::pair flow(segment.source, segment.destination);
    const auto said = acks_.find(flow);
    const bool repeats = said != acks_.end() && said->second == segment.ack;
    if (take_infinite_mapping(segment) && repeats) continue;
    acks_.insert_or_assign(flow, segment.ack);
    show_window_probe(segment);
    const SocketPtr owner = sender_of(segment);
    if (owner && owner->options.hop_limit) segment.hop_limit = *owner->options.hop_limit;
    std::vector<std::uint8_t> bytes = wire::flatten(wire::make_packet(segment, identification_++));
    if (owner && owner->options.type_of_service != 0) {
      set_type_of_service(bytes, owner->options.type_of_service);
    }
    if (experimental_.contains({segment.source, segment.destination})) to_experimental(bytes);
    leaving_.push_back({std::move(bytes), now_});
  }
  burst_.clear();
}

// The stack asks a closed window with one byte (RFC 9293 3.8.6.1); the kernel scripts are written
// for asks with an ACK one left of what the peer expects. Either makes the peer answer.
void Host::show_window_probe(wire::Segment& segment) {
  if (segment.payload.size() != 1 || segment.flags.syn || segment.flags.fin) return;
  const tcp::InterfaceId interface = interface_between(segment.source, segment.destination);
  const tcp::Connection* const connection =
      tcp_.find({interface, segment.source, segment.destination});
  if (connection == nullptr || connection->path_info().send_window != 0) return;
  segment.payload = {};
  if (const auto* const dss = segment.options.find<wire::Dss>()) {
    wire::Dss without = *dss;
    without.mapping.reset();
    segment.options.mptcp = {without};
  }
  segment.seq = segment.seq - 1;
  segment.flags.psh = false;
}

}  // namespace braid::pd
