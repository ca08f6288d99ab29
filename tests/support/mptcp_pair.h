// MptcpPair: a client with several uplinks and a server, both with whole TCP and MPTCP layers,
// joined by virtual wires in virtual time.
//
// Client address i lives on interface i (10.0.i.1, or 2001:db8:i::1); the server has one interface.
// A segment travels over the wire of the client address in it. Super-segments are cut into pieces
// on the way, as TSO does. Everything offered to a wire is in log().
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stack/base/pipe.h"
#include "stack/base/random.h"
#include "stack/mptcp/layer.h"
#include "tests/support/pipe_end.h"

namespace braid::test {

// As a kernel has them: eight octets from the first mapping on.
inline constexpr mptcp::Habits kLongDsns{.sequence_width = mptcp::Habits::SequenceWidth::kLong};

class MptcpPair {
 public:
  struct Wire {
    Duration delay = 10ms;  // one way
    Duration jitter = 0ms;  // up to this much more, per piece: reorders
    double loss = 0;
    double duplication = 0;
    std::uint64_t rate = 0;  // bytes per second each way; 0: any
    Duration queue = 100ms;  // with a rate: what waits longer is dropped
    bool up = true;
  };
  enum class Fate : std::uint8_t { kPass, kDrop };
  using Script = std::function<Fate(Side from, std::uint32_t path, wire::Segment& piece)>;
  struct Logged {
    Instant time;
    Side from = Side::kA;
    std::uint32_t path = 0;
    wire::Segment segment;  // without payload
    std::uint32_t length = 0;
    Fate fate = Fate::kPass;
  };
  static constexpr tcp::InterfaceId kServerInterface = 100;
  static constexpr std::uint16_t kServerPort = 8803;

  // One side: its layers, its connection and the bytes.
  struct End final : mptcp::LocalPaths {
    explicit End(std::uint64_t seed) : random(seed), tcp(random), mptcp(tcp, random) {}
    ~End() override { connection.reset(); }
    std::span<const mptcp::LocalPath> paths() const override { return local_paths; }
    std::optional<std::uint16_t> allocate_port(const mptcp::LocalPath&,
                                               const wire::Endpoint&) override {
      return next_port++;
    }
    Duration expected_rtt(const mptcp::LocalPath& path, Instant) const override {
      const auto known = known_rtts.find(path.interface);
      return known == known_rtts.end() ? Duration() : known->second;
    }
    // Appends what the pipe takes of the stream up to `total` bytes; finishes it there if asked.
    void offer(std::uint64_t total, bool finish) {
      while (offered < total) {
        const auto part = stream_bytes(
            offered, std::min<std::uint64_t>({total - offered, outgoing.room(), 32 * 1024}));
        if (part.empty()) return;
        const std::uint32_t taken = outgoing.append(Slices(Bytes(part)));
        if (taken == 0) return;
        offered += taken;
      }
      if (finish && !outgoing.end()) outgoing.finish();
    }
    // Takes what has arrived and compares it with the stream. False on the first wrong byte.
    bool drain(std::uint64_t most = UINT64_MAX) {
      while (incoming.readable() > 0 && most > 0) {
        const Slices bytes = incoming.peek(
            incoming.released(), static_cast<std::uint32_t>(std::min<std::uint64_t>(most, 65536)));
        for (const Bytes slice : bytes) {
          for (const std::uint8_t byte : slice) {
            if (byte != stream_byte(drained)) return false;
            ++drained;
          }
        }
        most -= bytes.size();
        incoming.release(incoming.released() + bytes.size());
      }
      return true;
    }
    const mptcp::Status& status() const { return connection->status(); }
    std::uint64_t open_subflows() const {
      std::uint64_t count = 0;
      for (const auto& info : connection->subflows()) count += info.established;
      return count;
    }
    std::uint64_t bytes_in(std::size_t path) const {  // by the client's address
      std::uint64_t bytes = 0;
      for (const auto& info : connection->subflows()) {
        if (path_of(info.tuple.local.address, info.tuple.remote.address) == path) {
          bytes += info.counters.bytes_in;
        }
      }
      return bytes;
    }

    ChunkPool pool{64 << 20};  // before the layers: what still closes there holds chunks
    Random random;
    tcp::Layer tcp;
    mptcp::Layer mptcp;
    Pipe incoming{pool, 64 * 1024};
    Pipe outgoing{pool, 4 << 20};
    Agenda::Entry owner;
    mptcp::ConnectionConfig config;
    std::unique_ptr<mptcp::Connection> connection;
    std::vector<mptcp::LocalPath> local_paths;
    std::map<tcp::InterfaceId, Duration> known_rtts;
    std::uint16_t next_port = 40000;
    std::uint64_t offered = 0;
    std::uint64_t drained = 0;
  };

  explicit MptcpPair(std::uint64_t seed = 1, std::uint32_t uplinks = 2)
      : a(seed * 2 + 1), b(seed * 2 + 2), random_(seed) {
    for (std::uint32_t i = 1; i <= uplinks; ++i) {
      a.local_paths.push_back({.interface = i,
                               .address = client_address(i),
                               .address_id = static_cast<std::uint8_t>(i)});
      wires[i] = Wire();
    }
    b.local_paths.push_back(
        {.interface = kServerInterface, .address = server().address, .address_id = 1});
    for (End* end : {&a, &b}) {
      end->tcp.set_stray(kServerInterface, tcp::Layer::Stray::kIgnore);
      for (std::uint32_t i = 1; i <= uplinks; ++i) {
        end->tcp.set_stray(i, tcp::Layer::Stray::kIgnore);
      }
    }
  }

  static wire::IpAddress client_address(std::uint32_t path) {
    return *wire::IpAddress::parse("10.0." + std::to_string(path) + ".1");
  }
  static wire::Endpoint server() { return {*wire::IpAddress::parse("192.0.2.1"), kServerPort}; }

  Instant now() const { return now_; }
  const std::vector<Logged>& log() const { return log_; }

  // The client connects over path 1. The server accepts and answers at once unless told otherwise.
  void connect(std::vector<std::uint8_t> syn_payload = {}) {
    a.connection =
        std::make_unique<mptcp::Connection>(a.mptcp, a.outgoing, a.incoming, &a, a.config, a.owner);
    a.connection->connect(a.local_paths.front(), a.next_port++, server(), Bytes(syn_payload), now_);
  }
  bool establish() {
    connect();
    return run([&] { return a.status().established && b.connection && b.status().established; },
               10s);
  }
  // Runs until `done` or until nothing happens before `limit`. True when `done` came true.
  bool run(const std::function<bool()>& done, Duration limit = 60s) {
    const Instant end = now_ + limit;
    while (true) {
      settle();
      if (done()) return true;
      const Instant next = next_event();
      if (next > end) {
        now_ = end;
        settle();
        return done();
      }
      now_ = std::max(now_, next);
      deliver_due();
    }
  }
  void run_for(Duration time) {
    run([] { return false; }, time);
  }
  // Both ends offer their streams, drain each other's, and finish.
  bool transfer(std::uint64_t from_a, std::uint64_t from_b, Duration limit = 600s) {
    bool intact = true;
    const bool done = run(
        [&] {
          if (!b.connection) return false;
          a.offer(from_a, true);
          b.offer(from_b, true);
          intact = intact && a.drain() && b.drain();
          return !intact || (a.incoming.complete() && b.incoming.complete() &&
                             a.drained == from_b && b.drained == from_a);
        },
        limit);
    return done && intact;
  }

  End a, b;
  std::map<std::uint32_t, Wire> wires;
  Script script;
  std::uint32_t message_length = 0;  // of the SYN's payload: no part of the stream
  bool answer_at_once = true;

 private:
  struct Door final : tcp::Exit {
    MptcpPair* pair = nullptr;
    Side side = Side::kA;
    bool ready(tcp::InterfaceId) const override { return true; }
    void send(tcp::InterfaceId, const wire::Segment& segment) override {
      pair->offer(side, segment);
    }
  };
  struct InFlight {
    Side to = Side::kA;
    std::uint32_t path = 0;
    wire::Segment segment;
    std::vector<std::uint8_t> payload;
  };

  static std::uint32_t path_of(const wire::IpAddress& one, const wire::IpAddress& two) {
    const wire::IpAddress& client = one.bytes()[0] == 10 ? one : two;
    return client.bytes()[2];
  }

  void offer(Side from, const wire::Segment& segment) {
    const std::uint32_t piece = segment.gso_size == 0 ? segment.payload.size() : segment.gso_size;
    std::uint32_t offset = 0;
    do {
      const std::uint32_t length = std::min(piece, segment.payload.size() - offset);
      wire::Segment part = segment;
      part.gso_size = 0;
      part.seq = segment.seq + offset;
      part.payload = segment.payload.sub(offset, length);
      const bool last = offset + length == segment.payload.size();
      part.flags.fin = segment.flags.fin && last;
      part.flags.psh = segment.flags.psh && last;
      part.flags.cwr = segment.flags.cwr && offset == 0;
      offer_piece(from, part);
      offset += length;
    } while (offset < segment.payload.size());
  }

  void offer_piece(Side from, wire::Segment part) {
    const std::uint32_t path = path_of(part.source.address, part.destination.address);
    Wire& wire = wires[path];
    Fate fate = script ? script(from, path, part) : Fate::kPass;
    if (!wire.up || (wire.loss > 0 && random_.chance(wire.loss))) fate = Fate::kDrop;
    Instant departs = now_;
    if (fate == Fate::kPass && wire.rate > 0) {
      Instant& free = free_at_[{path, from}];
      departs = std::max(free, now_);
      if (departs - now_ > wire.queue) {
        fate = Fate::kDrop;
      } else {
        departs += Rate::bytes_per_second(wire.rate).time_for(part.payload.size() + 80);
        free = departs;
      }
    }
    log_.push_back({now_, from, path, part, part.payload.size(), fate});
    log_.back().segment.payload = {};
    if (fate == Fate::kDrop) return;
    const int copies = wire.duplication > 0 && random_.chance(wire.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      Duration delay = wire.delay;
      if (wire.jitter > 0ns) {
        delay += Duration(
            static_cast<std::int64_t>(random_.unit() * static_cast<double>(wire.jitter.count())));
      }
      InFlight flight{test::other(from), path, part, part.payload.to_vector()};
      flight.segment.payload = {};
      in_flight_.emplace(std::pair{departs + delay, ++order_}, std::move(flight));
    }
  }

  void deliver_due() {
    while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_) {
      InFlight flight = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      flight.segment.payload = Slices(Bytes(flight.payload));
      if (!wires[flight.path].up) continue;
      deliver(flight.to, flight.path, flight.segment);
    }
  }

  void deliver(Side at, std::uint32_t path, const wire::Segment& segment) {
    End& end = at == Side::kA ? a : b;
    const tcp::InterfaceId interface = at == Side::kA ? path : kServerInterface;
    if (end.tcp.receive(interface, segment, now_) != tcp::Layer::Received::kNewSyn) return;
    mptcp::LocalPath local{
        .interface = interface, .address = segment.destination.address, .address_id = 1};
    if (segment.options.find<wire::MpJoinSyn>() != nullptr) {
      end.mptcp.receive_join(interface, segment, local, now_);
    } else if (at == Side::kB && !b.connection) {
      b.connection = std::make_unique<mptcp::Connection>(b.mptcp, b.outgoing, b.incoming, nullptr,
                                                         b.config, b.owner);
      b.connection->accept(interface, segment, message_length, local, now_);
      if (answer_at_once) b.connection->answer(now_);
    } else {
      end.tcp.refuse(interface, segment);
    }
  }

  // Flushes until neither side has anything to do at this instant.
  void settle() {
    for (int rounds = 0; next_deadline() <= now_; ++rounds) {
      ENSURE(rounds < 10'000);
      for (const Side side : {Side::kA, Side::kB}) {
        End& end = side == Side::kA ? a : b;
        Door door;
        door.pair = this;
        door.side = side;
        end.mptcp.flush(now_);
        end.tcp.flush(now_, door);
      }
    }
  }

  Instant next_deadline() const {
    return std::min({a.tcp.next_deadline(), b.tcp.next_deadline(), a.mptcp.next_deadline(),
                     b.mptcp.next_deadline()});
  }
  Instant next_event() const {
    Instant next = next_deadline();
    if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first.first);
    return next;
  }

  Random random_;
  std::map<std::pair<std::uint32_t, Side>, Instant> free_at_;
  std::map<std::pair<Instant, std::uint64_t>, InFlight> in_flight_;
  std::uint64_t order_ = 0;
  Instant now_{1s};
  std::vector<Logged> log_;
};

}  // namespace braid::test
