// TcpPair: two tcp::Layers joined by a virtual wire in virtual time, so that the engine talks to
// itself. The wire delays, and on request loses, duplicates, reorders, or asks a script.
//
// Super-segments are cut into their pieces on the way, as a network interface would, so each piece
// has its own fate. Everything that was offered to the wire is in log().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stack/base/random.h"
#include "stack/base/time.h"
#include "stack/tcp/layer.h"
#include "stack/wire/segment.h"

namespace braid::test {

enum class Side : std::uint8_t { kA = 0, kB = 1 };
inline Side other(Side side) { return side == Side::kA ? Side::kB : Side::kA; }

class TcpPair {
 public:
  struct Wire {
    Duration delay = 10ms;
    Duration jitter = 0ms;  // up to this much more, per piece: reorders
    double loss = 0;
    double duplication = 0;
  };
  enum class Fate : std::uint8_t { kPass, kDrop };
  // Sees each piece before chance does, and may change it.
  using Script = std::function<Fate(Side from, wire::Segment& piece)>;
  // A SYN nobody owns has arrived at `at`.
  using SynHandler = std::function<void(Side at, const wire::Segment& syn)>;
  struct Logged {
    Instant time;
    Side from = Side::kA;
    wire::Segment segment;  // without payload
    std::uint32_t length = 0;
    Fate fate = Fate::kPass;
  };

  static constexpr tcp::InterfaceId kInterface = 1;

  explicit TcpPair(std::uint64_t seed = 1)
      : random_(seed),
        keys_a_(seed * 2 + 1),
        keys_b_(seed * 2 + 2),
        layers_{std::make_unique<tcp::Layer>(keys_a_), std::make_unique<tcp::Layer>(keys_b_)} {}

  Wire wire;
  Script script;
  SynHandler on_syn;

  Instant now() const { return now_; }
  tcp::Layer& layer(Side side) { return *layers_[index(side)]; }
  const std::vector<Logged>& log() const { return log_; }
  void clear_log() { log_.clear(); }

  // 192.0.2.1:1000 at side A, 192.0.2.2:80 at side B, or the IPv6 likes.
  static wire::Endpoint endpoint(Side side, wire::Family family = wire::Family::kIpv4) {
    const char* text = family == wire::Family::kIpv4
                           ? (side == Side::kA ? "192.0.2.1" : "192.0.2.2")
                           : (side == Side::kA ? "2001:db8::1" : "2001:db8::2");
    const std::uint16_t port = side == Side::kA ? 1000 : 80;
    return {*wire::IpAddress::parse(text), port};
  }
  static tcp::Tuple tuple(Side side, wire::Family family = wire::Family::kIpv4) {
    return {kInterface, endpoint(side, family), endpoint(other(side), family)};
  }

  void set_door(Side side, bool ready) {
    exits_[index(side)].is_ready = ready;
    if (ready) layer(side).door_opened(kInterface);
  }

  // Something arrives at `at` now, from nowhere.
  void inject(Side at, const wire::Segment& segment) { deliver(at, segment); }

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
      if (next > now_) now_ = next;
      deliver_due();
    }
  }
  void run_for(Duration time) {
    run([] { return false; }, time);
  }

 private:
  struct Door final : tcp::Exit {
    TcpPair* pair = nullptr;
    Side side = Side::kA;
    bool is_ready = true;
    bool ready(tcp::InterfaceId) const override { return is_ready; }
    void send(tcp::InterfaceId, const wire::Segment& segment) override {
      pair->offer(side, segment);
    }
  };
  struct InFlight {
    Side to = Side::kA;
    wire::Segment segment;
    std::vector<std::uint8_t> payload;
  };

  static std::size_t index(Side side) { return static_cast<std::size_t>(side); }

  // Cuts a super-segment as TSO does: options repeated, FIN and PSH on the last piece, CWR on the
  // first.
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
    Fate fate = script ? script(from, part) : Fate::kPass;
    if (fate == Fate::kPass && wire.loss > 0 && random_.chance(wire.loss)) fate = Fate::kDrop;
    log_.push_back({now_, from, part, part.payload.size(), fate});
    log_.back().segment.payload = {};
    if (fate == Fate::kDrop) return;
    const int copies = wire.duplication > 0 && random_.chance(wire.duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      Duration delay = wire.delay;
      if (wire.jitter > 0ns) {
        delay += Duration(
            static_cast<std::int64_t>(random_.unit() * static_cast<double>(wire.jitter.count())));
      }
      InFlight flight{other(from), part, part.payload.to_vector()};
      flight.segment.payload = {};
      in_flight_.emplace(std::pair{now_ + delay, ++order_}, std::move(flight));
    }
  }

  void deliver(Side at, const wire::Segment& segment) {
    if (layer(at).receive(kInterface, segment, now_) == tcp::Layer::Received::kNewSyn && on_syn) {
      on_syn(at, segment);
    }
  }

  void deliver_due() {
    while (!in_flight_.empty() && in_flight_.begin()->first.first <= now_) {
      InFlight flight = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      flight.segment.payload = Slices(Bytes(flight.payload));
      deliver(flight.to, flight.segment);
    }
  }

  // Flushes until neither side has anything to do at this instant. A machine that always has is
  // broken, and this says so.
  void settle() {
    for (int rounds = 0; std::min(layers_[0]->next_deadline(), layers_[1]->next_deadline()) <= now_;
         ++rounds) {
      ENSURE(rounds < 10'000);
      for (const Side side : {Side::kA, Side::kB}) {
        exits_[index(side)].pair = this;
        exits_[index(side)].side = side;
        layer(side).flush(now_, exits_[index(side)]);
      }
    }
  }

  Instant next_event() const {
    Instant next = std::min(layers_[0]->next_deadline(), layers_[1]->next_deadline());
    if (!in_flight_.empty()) next = std::min(next, in_flight_.begin()->first.first);
    return next;
  }

  Random random_;
  Random keys_a_, keys_b_;
  std::array<std::unique_ptr<tcp::Layer>, 2> layers_;
  std::array<Door, 2> exits_;
  std::map<std::pair<Instant, std::uint64_t>, InFlight> in_flight_;
  std::uint64_t order_ = 0;
  Instant now_{1s};
  std::vector<Logged> log_;
};

}  // namespace braid::test
