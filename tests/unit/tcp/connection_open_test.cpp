// Openings beyond the three packets of the textbook: data in SYNs, withheld answers, early data,
// both ends at once.
#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using wire::TcpFlags;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a SYN carries the first bytes of the stream, and so does each repetition") {
  ScriptedPeer peer;
  peer.config.syn_payload = 40;
  peer.end.offer(1000, false);
  peer.connect();
  for (const Duration wait : {0s, 1s, 2s}) {
    peer.pass(wait);
    const auto syn = peer.take();
    CHECK(syn.segment.flags.syn);
    CHECK(syn.bytes == stream_bytes(0, 40));
  }
}

TEST_CASE("what the SYN-ACK acknowledges of the SYN's bytes is not sent again; the rest is") {
  ScriptedPeer peer;
  peer.config.syn_payload = 40;
  peer.end.offer(100, false);
  peer.connect();
  peer.sent.clear();
  std::uint32_t acked = 0;
  SUBCASE("all") { acked = 40; }
  SUBCASE("some") { acked = 15; }
  SUBCASE("none") { acked = 0; }
  peer.receive(peer.syn_ack(acked));
  CHECK(peer.end.outgoing.released().value() == acked);
  if (acked == 40) {  // otherwise what was refused answers for the ACK
    const auto ack = peer.take();
    CHECK(ack.bytes.empty());
    CHECK(ack.seq == 41);
  }
  std::vector<std::uint8_t> rest;
  std::uint32_t next = 1 + acked;
  while (!peer.sent.empty()) {
    const auto data = peer.take();
    CHECK(data.seq == next);
    next += static_cast<std::uint32_t>(data.bytes.size());
    rest.insert(rest.end(), data.bytes.begin(), data.bytes.end());
  }
  CHECK(rest == stream_bytes(acked, 100 - acked));
}

TEST_CASE("the initial window is ten segments of the size the peer announced") {  // RFC 6928
  ScriptedPeer peer;
  peer.peer_options.mss = 1000;
  peer.config.max_super_payload = 0;
  peer.establish();
  peer.end.offer(20'000, false);
  peer.flush();
  CHECK(peer.sent.size() == 10);
}

TEST_CASE("bytes in the SYN-ACK are delivered with the handshake") {
  ScriptedPeer peer;
  peer.connect();
  const auto bytes = stream_bytes(0, 60);
  wire::Segment answer = peer.syn_ack();
  answer.payload = Slices(Bytes(bytes));
  peer.sent.clear();
  peer.receive(answer);
  CHECK(peer.end.drain());
  CHECK(peer.end.drained == 60);
  CHECK(peer.take().ack == 61);
}

TEST_CASE("bytes in an accepted SYN are delivered and acknowledged by the SYN-ACK") {
  ScriptedPeer peer;
  const auto bytes = stream_bytes(0, 60);
  wire::Segment syn = peer.syn();
  syn.payload = Slices(Bytes(bytes));
  peer.accept(syn);
  CHECK(peer.end.drain());
  CHECK(peer.end.drained == 60);
  CHECK(peer.take().ack == 61);
  peer.receive(61, 1);
  CHECK(peer.end.stream.is_established());
}

TEST_CASE("a withheld SYN-ACK leaves on answer(), and repeated SYNs are only counted") {
  ScriptedPeer peer;
  peer.config.answer = ConnectionConfig::Answer::kWithhold;
  Connection& connection = peer.accept();
  peer.receive(peer.syn());
  peer.receive(peer.syn());
  peer.pass(1000s);
  CHECK(peer.sent.empty());
  CHECK(connection.syn_repeats() == 2);
  CHECK(peer.layer.next_deadline() == kNever);
  CHECK_FALSE(peer.end.closed());

  connection.answer(peer.now);
  connection.answer(peer.now);
  peer.flush();
  CHECK(peer.take().segment.flags == TcpFlags{.syn = true, .ack = true});
  CHECK(peer.sent.empty());
  peer.pass(1s);
  CHECK(peer.take().segment.flags.syn);  // from here on it has a timer
  peer.receive(1, 1);
  CHECK(connection.state() == State::kEstablished);
}

TEST_CASE("repeat_syn sends an active open's SYN once more, before its time, while unanswered") {
  ScriptedPeer peer;
  Connection& connection = peer.connect();
  peer.sent.clear();
  peer.pass(300ms);
  connection.repeat_syn();
  peer.flush();
  CHECK(peer.take().segment.flags.syn);
  peer.receive(peer.syn_ack());
  peer.sent.clear();
  connection.repeat_syn();
  peer.flush();
  CHECK(peer.sent.empty());
}

TEST_CASE("a SYN repeated on request only stays silent on its own, and still gives up in time") {
  ScriptedPeer peer;
  peer.config.syn_repeats = ConnectionConfig::SynRepeats::kOnRequest;
  peer.config.syn_timeout = 60s;
  Connection& connection = peer.connect();
  peer.sent.clear();
  peer.pass(20s);
  CHECK(peer.sent.empty());
  connection.repeat_syn();
  peer.flush();
  CHECK(peer.take().segment.flags.syn);
  peer.pass(39s);
  CHECK_FALSE(peer.end.closed());
  CHECK(peer.sent.empty());
  peer.pass(1s);
  CHECK(peer.end.stream.close_reason() == CloseReason::kTimedOut);
}

TEST_CASE("a RST of the peer ends a connection whose SYN-ACK is withheld") {
  ScriptedPeer peer;
  peer.config.answer = ConnectionConfig::Answer::kWithhold;
  peer.accept();
  peer.receive(1, 0, {.rst = true});
  CHECK(peer.end.stream.close_reason() == CloseReason::kReset);
}

TEST_CASE("early data follows the SYN-ACK back to back, within the SYN's window") {
  ScriptedPeer peer;
  peer.config.early_data = ConnectionConfig::EarlyData::kYes;
  peer.window = 500;
  peer.end.offer(1000, true);
  Connection& connection = peer.accept();
  CHECK(peer.take().segment.flags.syn);
  const auto data = peer.take();
  CHECK(data.seq == 1);
  CHECK(data.bytes == stream_bytes(0, 500));
  CHECK_FALSE(data.segment.flags.fin);
  CHECK(connection.can_send());
  CHECK(connection.state() == State::kSynReceived);

  peer.window = 60000;
  peer.receive(1, 501);
  CHECK(connection.state() == State::kFinWait1);
  const auto rest = peer.take();
  CHECK(rest.bytes == stream_bytes(500, 500));
  CHECK(rest.segment.flags.fin);
}

TEST_CASE("without early data nothing but the SYN-ACK leaves before the handshake's ACK") {
  ScriptedPeer peer;
  peer.end.offer(1000, false);
  Connection& connection = peer.accept();
  CHECK(peer.sent.size() == 1);
  CHECK_FALSE(connection.can_send());
  CHECK(connection.send_budget(peer.now) == 0);
}

TEST_CASE("early data whose SYN-ACK was lost arrives all the same") {
  PipePair pair;
  pair.config_b.early_data = ConnectionConfig::EarlyData::kYes;
  int dropped = 0;
  pair.script = [&](Side from, wire::Segment& segment) {
    if (from == Side::kB && segment.flags.syn && dropped++ == 0) return TcpPair::Fate::kDrop;
    return TcpPair::Fate::kPass;
  };
  pair.connect();
  CHECK(pair.transfer(0, 20'000));
  CHECK(dropped >= 2);
}

TEST_CASE("both ends open at once: one connection, and bytes both ways") {
  PipePair pair;
  pair.connect();
  tcp::Tuple back = TcpPair::tuple(Side::kB);
  pair.b.stream.attach(
      pair.layer(Side::kB).connect(back, pair.b.stream, default_config(), pair.now()));
  REQUIRE(pair.run([&] { return pair.a.stream.is_established() && pair.b.stream.is_established(); },
                   5s));
  CHECK(pair.now() < Instant(1s) + 100ms);  // no timer was needed
  CHECK(pair.transfer(10'000, 10'000));
}

TEST_CASE("both ends open at once with bytes in their SYNs: none is lost") {
  PipePair pair;
  pair.config_a.syn_payload = 30;
  pair.a.offer(100, false);
  pair.b.offer(100, false);
  pair.connect();
  tcp::ConnectionConfig config = default_config();
  config.syn_payload = 50;
  pair.b.stream.attach(pair.layer(Side::kB).connect(TcpPair::tuple(Side::kB), pair.b.stream,
                                                    std::move(config), pair.now()));
  CHECK(pair.transfer(5'000, 5'000));
}

TEST_CASE("a handshake whose every first packet is lost completes by repetition") {
  PipePair pair;
  std::vector<std::pair<Side, TcpFlags>> seen;
  pair.script = [&](Side from, wire::Segment& segment) {
    const TcpFlags flags{.syn = segment.flags.syn, .ack = segment.flags.ack};
    const std::pair<Side, TcpFlags> kind{from, flags};
    if (std::find(seen.begin(), seen.end(), kind) != seen.end()) return TcpPair::Fate::kPass;
    seen.push_back(kind);
    return TcpPair::Fate::kDrop;
  };
  CHECK(pair.establish());
  CHECK(seen.size() == 3);
  CHECK(pair.transfer(1000, 1000));
}

TEST_CASE("the handshake's round trip seeds the estimate, unless it may not be used") {
  PipePair pair;
  SUBCASE("used") {
    REQUIRE(pair.establish());
    CHECK(pair.a.stream.connection()->path_info().srtt == Duration(20ms));
  }
  SUBCASE("not used") {
    pair.config_a.handshake_rtt = ConnectionConfig::HandshakeRtt::kIgnore;
    REQUIRE(pair.establish());
    CHECK(pair.a.stream.connection()->path_info().srtt == Duration(0ms));
  }
}

TEST_SUITE_END();
