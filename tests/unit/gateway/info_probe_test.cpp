#include "gateway/info_probe.h"

#include <doctest/doctest.h>

#include "stack/convert/client.h"
#include "stack/convert/server.h"
#include "stack/ip/plain_layer.h"
#include "tests/unit/gateway/fake_door.h"
#include "tests/unit/gateway/idle_host.h"

namespace braid::gateway {
namespace {

// It owns a probe and listens for its path as a gateway does.
class ProbingHost final : public IdleHost {
 public:
  using IdleHost::IdleHost;
  PathHealth health;

 private:
  void overhear(tcp::InterfaceId, const wire::Segment&, Instant now) override { health.heard(now); }
};

struct Watcher final : Activity {
  void flush(Instant) override { ++woken; }
  int woken = 0;
};

struct Bench {
  ip::PlainLayer ip;
  Random random{std::uint64_t{3}};
  ProbingHost host{ip, random};
  FakeDoor door;
  Watcher watcher;
  Instant now{100s};
  wire::Endpoint here{*wire::IpAddress::parse("10.1.0.2"), 61000};
  wire::Endpoint there{*wire::IpAddress::parse("203.0.113.5"), 8803};
  std::optional<InfoProbe> probe;

  Bench() {
    host.set_door(1, &door);
    watcher.join(host.agenda());
    probe.emplace(host, host.health, watcher);
    probe->start({.interface = 1, .address = here.address, .address_id = 1}, here.port, there, now);
    host.flush(now);
  }
  wire::Segment sent(std::size_t i) {
    const Bytes packet(door.packets.at(i));
    return *wire::parse_tcp(here.address, there.address, packet.subspan(20));
  }
  void arrive(wire::Segment segment) {
    segment.source = there;
    segment.destination = here;
    const auto packet = wire::flatten(wire::make_packet(segment, 1));
    host.receive(1, {.bytes = Bytes(packet)}, now);
    host.flush(now);
  }
  void run_until(Instant end) {
    while (host.next_deadline() <= end) {
      now = std::max(now, host.next_deadline());
      host.flush(now);
    }
    now = end;
    host.flush(now);
  }
};

// The Info message, and behind it as many bytes as a Connect has more.
std::vector<std::uint8_t> padded_request() {
  std::vector<std::uint8_t> bytes = convert::info_request();
  bytes.resize(24);
  return bytes;
}

TEST_SUITE_BEGIN("gateway");
TEST_CASE("an Info request is a SYN with the Info message and without MPTCP (RFC 8803 C21)") {
  Bench bench;
  REQUIRE(bench.door.packets.size() == 1);
  const wire::Segment syn = bench.sent(0);
  CHECK(syn.flags.syn);
  CHECK(syn.destination == bench.there);
  CHECK(syn.payload.to_vector() == padded_request());
  CHECK(syn.payload.size() == convert::connect_request(bench.there).size());
  CHECK(syn.options.mptcp.empty());
  CHECK(!bench.probe->outcome());
}

TEST_CASE("an answer proves the path, measures it, and the connection is reset") {
  Bench bench;
  bench.now += 40ms;
  const wire::Segment syn = bench.sent(0);
  const auto reply = convert::info_reply();
  const SeqNum acked = syn.seq + 1 + syn.payload.size();
  bench.arrive(
      {.seq = SeqNum(7), .ack = acked, .flags = {.syn = true, .ack = true}, .window = 60000});
  CHECK(!bench.probe->outcome());
  bench.arrive({.seq = SeqNum(8),
                .ack = acked,
                .flags = {.ack = true},
                .window = 60000,
                .payload = Slices(Bytes(reply))});
  CHECK(bench.probe->outcome() == InfoProbe::Outcome::kAlive);
  CHECK(bench.watcher.woken == 1);
  CHECK(bench.host.health.rtt(bench.now) == 40ms);
  CHECK(bench.host.health.proven_since(bench.now));
  CHECK(bench.sent(bench.door.packets.size() - 1).flags.rst);
}

TEST_CASE(
    "a request that was cut short on its way shows that no connection can begin there (C47)") {
  Bench bench;
  bench.now += 40ms;
  const wire::Segment syn = bench.sent(0);
  bench.arrive({.seq = SeqNum(7),
                .ack = syn.seq + 1 + 8,
                .flags = {.syn = true, .ack = true},
                .window = 60000});
  CHECK(bench.probe->outcome() == InfoProbe::Outcome::kDeaf);
  CHECK(bench.host.health.is_deaf(bench.now));
  CHECK(bench.host.health.is_doubtful());
  CHECK(!bench.host.health.is_dead(bench.now));
}

TEST_CASE("a request that stays unanswered is repeated once before the verdict") {
  Bench bench;
  bench.run_until(bench.now + bench.host.health.patience(bench.now) - 1ms);
  CHECK(bench.door.packets.size() == 1);
  bench.run_until(bench.now + 1ms);
  REQUIRE(bench.door.packets.size() == 2);
  CHECK(bench.sent(1).seq == bench.sent(0).seq);
  CHECK(bench.sent(1).payload.to_vector() == padded_request());
  bench.run_until(bench.now + bench.host.health.verdict_after(bench.now));
  CHECK(bench.door.packets.size() == 2);
}

TEST_CASE("silence until the verdict is a dead path") {
  Bench bench;
  bench.run_until(bench.now + bench.host.health.verdict_after(bench.now) - 1ms);
  CHECK(!bench.probe->outcome());
  bench.run_until(bench.now + 1ms);
  CHECK(bench.probe->outcome() == InfoProbe::Outcome::kDead);
  CHECK(bench.host.health.is_dead(bench.now));
  CHECK(bench.watcher.woken == 1);
}

TEST_CASE("silence while other packets come in is a deaf path, not a dead one") {
  Bench bench;
  bench.run_until(bench.now + 50ms);
  bench.host.health.heard(bench.now);
  bench.run_until(bench.now + 1s);
  CHECK(bench.probe->outcome() == InfoProbe::Outcome::kDeaf);
  CHECK(!bench.host.health.is_dead(bench.now));
  CHECK(bench.host.health.deaf_until() > bench.now);
}

TEST_CASE("a RST, or an answer that is no Convert, is a path to somebody else") {
  Bench bench;
  const wire::Segment syn = bench.sent(0);
  const SeqNum acked = syn.seq + 1 + syn.payload.size();
  SUBCASE("a RST") { bench.arrive({.ack = acked, .flags = {.rst = true, .ack = true}}); }
  SUBCASE("text") {
    const std::vector<std::uint8_t> text = {'2', '2', '0', ' '};
    bench.arrive(
        {.seq = SeqNum(7), .ack = acked, .flags = {.syn = true, .ack = true}, .window = 60000});
    bench.arrive({.seq = SeqNum(8),
                  .ack = acked,
                  .flags = {.ack = true},
                  .window = 60000,
                  .payload = Slices(Bytes(text))});
  }
  CHECK(bench.probe->outcome() == InfoProbe::Outcome::kRefused);
  CHECK(!bench.host.health.is_dead(bench.now));
  CHECK(!bench.host.health.proven_since(bench.now - 1s));
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
