#include "tests/sim/law/net.h"

#include <algorithm>

#include "stack/base/ensure.h"
#include "stack/cc/coupled_group.h"

namespace braid::law {
namespace {

constexpr std::uint64_t kRequest = 100;  // bytes
constexpr std::uint64_t kReply = 4;      // bytes: the Convert header of a request that succeeded
constexpr std::uint64_t kCapacity = 64 * 1024;  // of pipes at first, as in both roles
constexpr std::uint16_t kServerPort = 8803;
constexpr std::uint16_t kClientPort = 40000;

std::array<std::uint8_t, 65536> zeros{};

wire::IpAddress client_address(tcp::InterfaceId interface) {
  return *wire::IpAddress::parse(interface == 1 ? "10.1.0.2" : "10.2.0.2");
}
wire::Endpoint server_endpoint() { return {*wire::IpAddress::parse("203.0.113.5"), kServerPort}; }

}  // namespace

// One host: its layers, one connection (bonded or plain) and the bytes of it. Interface i is uplink
// i - 1.
class Net::End final : public mptcp::LocalPaths, public tcp::Exit {
 public:
  End(Net& net, std::uint64_t seed, std::size_t memory)
      : pool(memory), random(seed), tcp(random), mptcp(tcp, random), net_(net) {
    for (const tcp::InterfaceId i : {1, 2}) tcp.set_stray(i, tcp::Layer::Stray::kIgnore);
  }
  ~End() override { bundle.reset(); }

  std::span<const mptcp::LocalPath> paths() const override { return local_paths; }
  std::optional<std::uint16_t> allocate_port(const mptcp::LocalPath&,
                                             const wire::Endpoint&) override {
    return ++next_port;
  }
  Duration expected_rtt(const mptcp::LocalPath& path, Instant) const override {
    return net_.cell_.uplinks[path.interface - 1].rtt;
  }
  bool ready(tcp::InterfaceId) const override { return true; }
  void send(tcp::InterfaceId interface, const wire::Segment& segment) override {
    net_.emit(*this, interface, segment);
  }

  // Keeps the outgoing pipe full up to `total` bytes, and takes all that came.
  void move(std::uint64_t total) {
    if (incoming.readable() > 0) incoming.release(incoming.in_order());
    while (outgoing.in_order().value() < total) {
      const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(
          {total - outgoing.in_order().value(), outgoing.room(), zeros.size()}));
      if (n == 0 || outgoing.append(Slices(Bytes(zeros.data(), n))) < n) return;
    }
  }
  std::uint64_t received() const { return incoming.released().value(); }

  ChunkPool pool;  // before the layers: what still closes there holds chunks
  Random random;
  // Of one, for a plain connection under a coupled controller.
  std::shared_ptr<cc::CoupledGroup> group = std::make_shared<cc::CoupledGroup>();
  tcp::Layer tcp;
  mptcp::Layer mptcp;
  Pipe incoming{pool, kCapacity};
  Pipe outgoing{pool, kCapacity};
  Agenda::Entry owner;
  std::unique_ptr<mptcp::Connection> bundle;
  std::unique_ptr<tcp::PipeStream> stream;
  std::vector<mptcp::LocalPath> local_paths;
  std::uint16_t next_port = kClientPort;

 private:
  Net& net_;
};

Net::Net(const Cell& cell, const Transfer& transfer)
    : cell_(cell),
      transfer_(transfer),
      random_(transfer.seed * 1000003 + cell.id),
      client_(std::make_unique<End>(*this, random_.u64(), transfer.memory)),
      server_(std::make_unique<End>(*this, random_.u64(), transfer.memory)) {
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::uint64_t way = 0; way < 2; ++way) {
      const auto settings = link_settings(cell.uplinks[i], cell.id * 4 + i * 2 + way + 1);
      wires_.push_back({sim::LinkModel(settings, Random(random_.u64()), now_), {}, 0});
    }
    client_->local_paths.push_back({.interface = static_cast<tcp::InterfaceId>(i + 1),
                                    .address = client_address(static_cast<tcp::InterfaceId>(i + 1)),
                                    .address_id = static_cast<std::uint8_t>(i + 1)});
  }
}

Net::~Net() = default;

std::size_t Net::first_uplink() const {
  const auto delay = [this](const Uplink& uplink) {
    constexpr std::uint64_t kFew = 15'000;  // bytes; gateway/uplinks.cpp
    return transfer_.start == Start::kShortestRtt ? uplink.rtt
                                                  : 2 * uplink.rtt + uplink.rate.time_for(kFew);
  };
  return delay(cell_.uplinks[1]) < delay(cell_.uplinks[0]) ? 1 : 0;
}

void Net::start() {
  if (transfer_.way == Way::kBonded) {
    client_->bundle =
        std::make_unique<mptcp::Connection>(client_->mptcp, client_->outgoing, client_->incoming,
                                            client_.get(), transfer_.bundle, client_->owner);
    const mptcp::LocalPath& path = client_->local_paths[first_uplink()];
    client_->bundle->connect(path, kClientPort, server_endpoint(), {}, now_);
    return;
  }
  const tcp::InterfaceId interface = transfer_.way == Way::kFirst ? 1 : 2;
  tcp::ConnectionConfig config;
  config.controller = cc::make_controller(transfer_.alone, config.mtu, client_->group);
  client_->stream =
      std::make_unique<tcp::PipeStream>(client_->incoming, client_->outgoing, client_->owner);
  const tcp::Tuple tuple{interface, {client_address(interface), kClientPort}, server_endpoint()};
  client_->stream->attach(client_->tcp.connect(tuple, *client_->stream, std::move(config), now_));
}

Outcome Net::run() {
  start();
  const Instant end = now_ + transfer_.limit;
  for (;;) {
    settle();
    if (done()) return conclude();
    const Instant next = next_event();
    if (next > end) return {};
    now_ = std::max(now_, next);
    while (transfer_.way == Way::kBonded && next_sample_ <= now_) {
      sample(kSample);
      next_sample_ += kSample;
    }
    deliver_due();
  }
}

// ---- the wires

void Net::emit(const End& from, tcp::InterfaceId interface, const wire::Segment& segment) {
  Wire& wire = wires_[(interface - 1) * 2 + (&from == client_.get() ? 0 : 1)];
  const std::uint32_t piece = segment.gso_size == 0 ? segment.payload.size() : segment.gso_size;
  std::uint32_t offset = 0;
  do {
    const std::uint32_t length = std::min(piece, segment.payload.size() - offset);
    Flying flying{wire.next_number++, segment};
    wire::Segment& part = flying.segment;
    part.gso_size = 0;
    part.seq = segment.seq + offset;
    part.payload = Slices(Bytes(zeros.data(), length));
    offset += length;
    const bool last = offset == segment.payload.size();
    part.flags.fin = segment.flags.fin && last;
    part.flags.psh = segment.flags.psh && last;
    part.flags.cwr = segment.flags.cwr && offset == length;
    const std::size_t options = 60 - wire::room_left(segment.options);
    sim::Packet packet(20 + options + length);
    std::memcpy(packet.data(), &flying.number, sizeof flying.number);
    if (wire.model.enqueue(std::move(packet), now_) == sim::LinkModel::Fate::kAccepted) {
      wire.flying.push_back(std::move(flying));
    }
  } while (offset < segment.payload.size());
}

void Net::deliver_due() {
  for (std::size_t i = 0; i < wires_.size(); ++i) {
    Wire& wire = wires_[i];
    while (auto delivery = wire.model.pop_delivered(now_)) {
      std::uint64_t number = 0;
      std::memcpy(&number, delivery->packet.data(), sizeof number);
      while (wire.flying.front().number != number) wire.flying.pop_front();
      const wire::Segment segment = std::move(wire.flying.front().segment);
      wire.flying.pop_front();
      deliver(i % 2 == 0 ? *server_ : *client_, static_cast<tcp::InterfaceId>(i / 2 + 1), segment);
    }
  }
}

void Net::deliver(End& to, tcp::InterfaceId interface, const wire::Segment& segment) {
  if (to.tcp.receive(interface, segment, now_) != tcp::Layer::Received::kNewSyn) return;
  const mptcp::LocalPath local{
      .interface = interface, .address = segment.destination.address, .address_id = 1};
  if (segment.options.find<wire::MpJoinSyn>() != nullptr) {
    to.mptcp.receive_join(interface, segment, local, now_);
  } else if (transfer_.way == Way::kBonded) {
    ENSURE(!to.bundle);
    to.bundle = std::make_unique<mptcp::Connection>(to.mptcp, to.outgoing, to.incoming, nullptr,
                                                    transfer_.bundle, to.owner);
    to.bundle->accept(interface, segment, 0, local, now_);
    to.outgoing.append(Slices(Bytes(zeros.data(), kReply)));
    to.bundle->answer(now_);
  } else {
    tcp::ConnectionConfig config;
    config.controller = cc::make_controller(transfer_.alone, config.mtu, to.group);
    to.stream = std::make_unique<tcp::PipeStream>(to.incoming, to.outgoing, to.owner);
    to.stream->attach(to.tcp.accept(interface, segment, *to.stream, std::move(config), now_));
  }
}

// ---- running

void Net::settle() {
  for (int rounds = 0;; ++rounds) {
    ENSURE(rounds < 10'000);
    move_data();
    Instant next = kNever;
    for (const auto& end : {client_.get(), server_.get()}) {
      next = std::min({next, end->tcp.next_deadline(), end->mptcp.next_deadline()});
    }
    if (next > now_) return;
    for (const auto& end : {client_.get(), server_.get()}) {
      end->mptcp.flush(now_);
      end->tcp.flush(now_, *end);
    }
  }
}

Instant Net::next_event() {
  Instant next = transfer_.way == Way::kBonded ? next_sample_ : kNever;
  for (const Wire& wire : wires_) next = std::min(next, wire.model.next_deadline());
  for (const auto& end : {client_.get(), server_.get()}) {
    next = std::min({next, end->tcp.next_deadline(), end->mptcp.next_deadline()});
  }
  return next;
}

void Net::move_data() {
  const bool down = transfer_.direction == Direction::kDown;
  client_->move(down ? kRequest : transfer_.bytes);
  server_->move(down && server_->received() >= kRequest ? reply() + transfer_.bytes : 0);
}

bool Net::done() const {
  return transfer_.direction == Direction::kDown ? client_->received() >= reply() + transfer_.bytes
                                                 : server_->received() >= transfer_.bytes;
}

// What the server says before anything else.
std::uint64_t Net::reply() const { return transfer_.way == Way::kBonded ? kReply : 0; }

// ---- where the time goes

void Net::sample(Duration span) {
  const bool down = transfer_.direction == Direction::kDown;
  const End& source = down ? *server_ : *client_;
  const End& sink = down ? *client_ : *server_;
  hints_.memory = {std::max(hints_.memory[0], source.pool.used_bytes()),
                   std::max(hints_.memory[1], sink.pool.used_bytes())};
  if (!source.bundle || !source.bundle->status().established) return;
  const std::uint64_t held = source.outgoing.readable();  // not DATA_ACKed
  if (held == 0) return;
  const auto subflows = source.bundle->subflows();
  std::uint64_t window = 0;  // beyond the DATA_ACK: each subflow's is the connection's
  for (const auto& subflow : subflows) window = std::max(window, subflow.path.send_window);
  for (const auto& subflow : subflows) {
    const auto uplink = subflow.tuple.interface - 1;
    const tcp::Connection::PathInfo& path = subflow.path;
    const bool could =
        subflow.established && !path.in_recovery && path.in_flight + 2 * path.mss <= path.cwnd;
    if (!could) continue;
    (held + 2 * path.mss >= window ? hints_.by_window : hints_.by_other)[uplink] += span;
  }
}

Outcome Net::conclude() {
  const bool down = transfer_.direction == Direction::kDown;
  const Duration time = now_ - Instant();
  for (std::size_t i = 0; i < 2; ++i) {
    const auto delivered = wires_[i * 2 + (down ? 1 : 0)].model.stats().delivered_bytes;
    const std::uint64_t most = cell_.uplinks[i].rate.bytes_in(time);
    hints_.used[i] = most == 0 ? 0 : static_cast<double>(delivered) / static_cast<double>(most);
  }
  const End& source = down ? *server_ : *client_;
  const End& sink = down ? *client_ : *server_;
  hints_.capacity = sink.incoming.capacity();
  if (source.bundle) {
    hints_.reinjected = source.bundle->counters().reinjected_bytes;
    for (const auto& subflow : source.bundle->subflows()) {
      hints_.retransmitted += subflow.counters.bytes_retransmitted;
      hints_.timeouts += subflow.counters.timeouts;
    }
  }
  return {.time = time, .hints = hints_};
}

}  // namespace braid::law
