// What a connection finds out of its path: how large packets may be, and how long the SYN took.
#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using wire::Family;

namespace {

// Lets no packet of more than `most` bytes through, and counts those it stops.
struct Hole {
  Hole(TcpPair& pair, std::uint32_t most) {
    pair.script = [this, most](Side, wire::Segment& piece) {
      const std::uint32_t header = piece.source.address.is_v4() ? 40 : 60;
      const auto options = static_cast<std::uint32_t>(wire::encoded_length(piece.options));
      const std::uint32_t packet = header + options + piece.payload.size();
      longest = std::max(longest, packet);
      if (packet <= most) return TcpPair::Fate::kPass;
      ++swallowed;
      return TcpPair::Fate::kDrop;
    };
  }
  int swallowed = 0;
  std::uint32_t longest = 0;
};

// A's stream goes on until `total` bytes have come to B, and is not finished.
bool carry(PipePair& pair, std::uint64_t total, Duration limit = 600s) {
  bool intact = true;
  return pair.run(
             [&] {
               pair.a.offer(total, false);
               intact = intact && pair.b.drain();
               return !intact || pair.b.drained == total;
             },
             limit) &&
         intact;
}

std::uint32_t path_mtu(PipeEnd& end) { return end.stream.connection()->path_info().path_mtu; }

}  // namespace

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a path that swallows large packets in silence is found, and used to the full") {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    for (const std::uint32_t most : {1280U, 1300U, 1400U, 1499U}) {
      CAPTURE(most);
      PipePair pair;
      Hole hole(pair, most);
      pair.connect(family);
      const Instant begin = pair.now();
      REQUIRE(carry(pair, 2'000'000, 60s));
      CHECK(path_mtu(pair.a) <= most);
      CHECK(path_mtu(pair.a) + 60 > most);
      CHECK(pair.a.stream.connection()->path_info().path_mtu_source == PathMtu::Source::kProbing);
      CHECK(hole.swallowed <= 45);  // the first flight, and some probes
      CHECK(pair.now() - begin < 10s);
    }
  }
}

TEST_CASE("where every packet passes none is probed") {
  PipePair pair;
  Hole hole(pair, 1500);
  pair.connect();
  REQUIRE(carry(pair, 1'000'000));
  CHECK(hole.longest == 1500);
  CHECK(path_mtu(pair.a) == 1500);
  CHECK(pair.a.stream.connection()->path_info().path_mtu_source == PathMtu::Source::kInterface);
}

TEST_CASE("loss is not taken for a narrow path") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    PipePair pair(seed);
    pair.wire.loss = 0.02 * static_cast<double>(seed % 6);
    pair.connect();
    const bool whole = pair.run(
        [&] {
          if (pair.a.stream.connection() != nullptr) CHECK(path_mtu(pair.a) == 1500);
          pair.a.offer(400'000, false);
          pair.b.drain();
          return pair.b.drained == 400'000;
        },
        600s);
    CHECK(whole);
  }
}

TEST_CASE("an outage is not taken for a narrow path, and full packets leave soon after it") {
  PipePair pair;
  pair.connect();
  REQUIRE(carry(pair, 500'000));
  Instant end_of_outage = kNever;
  pair.script = [&](Side, wire::Segment&) {
    return pair.now() < end_of_outage ? TcpPair::Fate::kDrop : TcpPair::Fate::kPass;
  };
  end_of_outage = pair.now() + 9s;
  pair.clear_log();
  const auto all = [&] {
    CHECK(path_mtu(pair.a) == 1500);
    pair.a.offer(1'500'000, false);
    pair.b.drain();
    return pair.b.drained == 1'500'000;
  };
  REQUIRE(pair.run(all, 60s));
  int small = 0, large = 0;
  for (const auto& logged : pair.log()) {
    if (logged.from != Side::kA || logged.time < end_of_outage) continue;
    ++(logged.length > 1400 ? large : small);
  }
  CHECK(large > 600);
  CHECK(small < 20);
}

TEST_CASE("what others found of a path is where a connection begins") {
  ScriptedPeer peer;
  peer.config.path_mtu = 1400;
  Connection& connection = peer.connect();
  CHECK(peer.take().segment.options.mss == 1460);  // of what we can take nothing is known
  peer.receive(peer.syn_ack());
  CHECK(connection.path_info().path_mtu == 1400);
  CHECK(connection.path_info().path_mtu_source == PathMtu::Source::kShared);
  CHECK(connection.path_info().mss == 1360);
}

TEST_CASE("after a lost SYN its timestamp tells how long the answered one took") {
  ScriptedPeer peer;
  peer.peer_options.timestamps = wire::Timestamps{.value = 77, .echo_reply = 0};
  Connection& connection = peer.connect();
  peer.pass(1s);
  peer.take();
  const auto second = peer.take();
  REQUIRE(second.segment.flags.syn);
  peer.pass(30ms);
  wire::Segment answer = peer.syn_ack();
  answer.options.timestamps->echo_reply = second.segment.options.timestamps->value;
  peer.receive(answer);
  CHECK(connection.path_info().srtt >= 30ms);
  CHECK(connection.path_info().srtt < 32ms);
}

TEST_CASE(
    "after a lost SYN and without timestamps the first timeout is three seconds (RFC 6298 5.7)") {
  for (const bool lost : {false, true}) {
    ScriptedPeer peer;
    peer.config.handshake_rtt = ConnectionConfig::HandshakeRtt::kIgnore;
    Connection& connection = peer.connect();
    if (lost) peer.pass(1s);
    peer.receive(peer.syn_ack());
    CHECK(connection.path_info().srtt == Duration::zero());
    CHECK(connection.path_info().rto == (lost ? Duration(3s) : Duration(1s)));
  }
}

TEST_SUITE_END();
