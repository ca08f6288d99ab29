// Opening, and the rules every segment of a connection obeys.
#include "stack/tcp/connection.h"

#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using wire::TcpFlags;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("an active open sends a SYN, and acknowledges its answer at once") {
  ScriptedPeer peer;
  Connection& connection = peer.connect();
  const auto syn = peer.take();
  CHECK(syn.segment.flags == TcpFlags{.syn = true, .ece = true, .cwr = true});
  CHECK(syn.segment.options.mss == 1460);
  CHECK(syn.segment.options.window_scale == 8);
  CHECK(syn.segment.options.timestamps.has_value());
  CHECK(connection.state() == State::kSynSent);

  peer.receive(peer.syn_ack());
  CHECK(connection.state() == State::kEstablished);
  CHECK(peer.end.stream.is_established());
  const auto ack = peer.take();
  CHECK(ack.segment.flags == TcpFlags{.ack = true});
  CHECK(ack.seq == 1);
  CHECK(ack.ack == 1);
  CHECK(peer.sent.empty());
}

TEST_CASE("a SYN is repeated after one, two, four seconds, and not for ever") {
  ScriptedPeer peer;
  peer.config.max_syn_retransmissions = 3;
  peer.connect();
  peer.sent.clear();
  for (const int seconds : {1, 2, 4}) {
    peer.pass(seconds * 1s - 1ms);
    CHECK(peer.sent.empty());
    peer.pass(1ms);
    CHECK(peer.take().segment.flags == TcpFlags{.syn = true});
  }
  peer.pass(8s);
  CHECK(peer.end.stream.close_reason() == CloseReason::kTimedOut);
  CHECK(peer.sent.empty());
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("a RST that acknowledges our SYN is a refusal; any other is ignored") {
  ScriptedPeer peer;
  Connection& connection = peer.connect();
  peer.receive(0, 0, {.rst = true});
  peer.receive(0, 7, {.rst = true, .ack = true});
  CHECK(connection.state() == State::kSynSent);
  peer.receive(0, 1, {.rst = true, .ack = true});
  CHECK(peer.end.stream.close_reason() == CloseReason::kRefused);
}

TEST_CASE("a SYN-ACK for a SYN we never sent is answered with RST and changes nothing") {
  ScriptedPeer peer;
  Connection& connection = peer.connect();
  peer.sent.clear();
  peer.receive(0, 4711, {.syn = true, .ack = true});
  const auto reset = peer.take();
  CHECK(reset.segment.flags == TcpFlags{.rst = true});
  CHECK(reset.seq == 4711);
  CHECK(connection.state() == State::kSynSent);
}

TEST_CASE("a passive open answers with what the peer offered and waits for the ACK") {
  ScriptedPeer peer;
  Connection& connection = peer.accept();
  const auto answer = peer.take();
  CHECK(answer.segment.flags == TcpFlags{.syn = true, .ack = true});
  CHECK(answer.ack == 1);
  CHECK(answer.segment.options.sack_permitted);
  CHECK_FALSE(answer.segment.options.window_scale.has_value());
  CHECK(connection.state() == State::kSynReceived);
  CHECK_FALSE(peer.end.stream.is_established());

  peer.receive(1, 1);
  CHECK(connection.state() == State::kEstablished);
  CHECK(peer.end.stream.is_established());
}

TEST_CASE("a repeated SYN is answered again at once, and the SYN-ACK's own timer runs on") {
  ScriptedPeer peer;
  peer.accept();
  peer.sent.clear();
  peer.pass(400ms);
  peer.receive(peer.syn());
  CHECK(peer.take().segment.flags.syn);
  peer.pass(599ms);
  CHECK(peer.sent.empty());
  peer.pass(1ms);
  CHECK(peer.take().segment.flags == TcpFlags{.syn = true, .ack = true});
}

TEST_CASE("in SYN-RECEIVED an ACK of what we never sent is answered with RST") {
  ScriptedPeer peer;
  Connection& connection = peer.accept();
  peer.sent.clear();
  peer.receive(1, 99);
  const auto reset = peer.take();
  CHECK(reset.segment.flags == TcpFlags{.rst = true});
  CHECK(reset.seq == 99);
  CHECK(connection.state() == State::kSynReceived);
}

TEST_CASE("a repeated SYN-ACK is answered with the handshake's ACK again") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive(peer.syn_ack());
  const auto ack = peer.take();
  CHECK(ack.seq == 1);
  CHECK(ack.ack == 1);
  CHECK(connection.counters().challenge_acks == 0);
}

TEST_CASE("a SYN inside a connection gets a challenge ACK, wherever it lies (RFC 5961 4.2)") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  SUBCASE("in the window") { peer.receive(100, 0, {.syn = true}); }
  SUBCASE("the connection's own first SYN") { peer.receive(peer.syn()); }
  CHECK(connection.state() == State::kEstablished);
  const auto ack = peer.take();
  CHECK(ack.segment.flags == TcpFlags{.ack = true});
  CHECK(ack.ack == 1);
}

TEST_CASE("a RST in the window but not at rcv_nxt is challenged, and the true one then resets") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive(50, 1, {.rst = true});
  CHECK(connection.state() == State::kEstablished);
  CHECK(peer.take().ack == 1);
  CHECK(connection.counters().challenge_acks == 1);
  peer.receive(1, 1, {.rst = true});
  CHECK(peer.end.stream.close_reason() == CloseReason::kReset);
  CHECK(peer.sent.empty());
}

TEST_CASE("challenge ACKs are rationed: ten in a second") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  for (int i = 0; i < 50; ++i) peer.receive(50, 1, {.rst = true});
  CHECK(connection.counters().challenge_acks == 10);
  CHECK(peer.sent.size() == 10);
  peer.pass(1s);
  peer.receive(50, 1, {.rst = true});
  CHECK(connection.counters().challenge_acks == 11);
}

TEST_CASE("an ACK of what was never sent is not believed, nor is its text") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive_data(1, 100, 5000);
  CHECK(peer.end.incoming.in_order().value() == 0);
  CHECK(connection.counters().challenge_acks == 1);
}

TEST_CASE("segments far outside the window are answered with an ACK and otherwise ignored") {
  ScriptedPeer peer;
  peer.establish();
  peer.receive_data(200'000, 100, 1);
  CHECK(peer.take().ack == 1);
  CHECK(peer.end.incoming.written().value() == 0);
}

TEST_CASE("two ends that answer each other's stale ACKs do not do so for ever") {
  ScriptedPeer peer;
  peer.establish();
  for (int i = 0; i < 100; ++i) peer.receive(0, 1);  // a keep-alive's shape
  CHECK(peer.sent.size() == 2);
}

TEST_CASE("once agreed, every segment has timestamps, and one without is dropped") {
  ScriptedPeer peer;
  peer.peer_options.timestamps = wire::Timestamps{.value = 1000, .echo_reply = 0};
  Connection& connection = peer.connect();
  peer.receive(peer.syn_ack());
  peer.take();
  const auto ack = peer.take();
  REQUIRE(ack.segment.options.timestamps.has_value());
  CHECK(ack.segment.options.timestamps->echo_reply == 1000);
  CHECK(connection.path_info().mss == 1448);

  peer.receive_data(1, 100, 1);
  CHECK(peer.end.incoming.in_order().value() == 0);

  const auto bytes = stream_bytes(0, 100);
  wire::Segment segment = peer.segment(1, 1);
  segment.payload = Slices(Bytes(bytes));
  segment.options.timestamps = wire::Timestamps{.value = 999, .echo_reply = 0};
  peer.sent.clear();
  peer.receive(segment);  // PAWS: answered, not taken
  CHECK(peer.take().ack == 1);
  CHECK(peer.end.incoming.in_order().value() == 0);

  segment.options.timestamps->value = 1001;
  peer.receive(segment);
  CHECK(peer.end.incoming.in_order().value() == 100);
}

TEST_CASE("a segment holds no more than the peer's MSS less the options it carries") {
  ScriptedPeer peer;
  peer.peer_options.mss = 1000;
  peer.config.max_super_payload = 0;
  peer.establish();
  peer.end.offer(5000, false);
  peer.flush();
  REQUIRE(peer.sent.size() == 5);
  for (int i = 0; i < 5; ++i) CHECK(peer.take().bytes.size() == 1000);
}

TEST_CASE("a super-segment names the size of its pieces, a plain segment does not") {
  ScriptedPeer peer;
  peer.establish();
  peer.end.offer(10'000, false);
  peer.flush();
  const auto super = peer.take();
  CHECK(super.bytes == stream_bytes(0, super.bytes.size()));
  CHECK(super.bytes.size() > 1460);
  CHECK(super.segment.gso_size == 1460);
  peer.receive(1, 1 + static_cast<std::uint32_t>(super.bytes.size()));
  peer.pass(1s);
  peer.sent.clear();
  peer.receive(1, 10'001);
  peer.end.offer(10'500, false);
  peer.flush();
  const auto plain = peer.take();
  CHECK(plain.bytes.size() == 500);
  CHECK(plain.segment.gso_size == 0);
  CHECK(plain.segment.flags.psh);
}

TEST_CASE("nothing leaves through a door that is not ready, and all of it when it opens") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.door_ready = false;
  peer.receive_data(1, 100, 1);
  peer.end.offer(1000, false);
  peer.flush();
  CHECK(peer.sent.empty());
  CHECK(connection.waits_for_door());
  CHECK(connection.send_budget(peer.now) == 0);
  peer.door_ready = true;
  peer.layer.door_opened(TcpPair::kInterface);
  peer.flush();
  const auto data = peer.take();
  CHECK(data.bytes.size() == 1000);
  CHECK(data.ack == 101);
  CHECK(connection.send_budget(peer.now) > 0);
}

TEST_CASE("received segments of one wake-up share one ACK") {
  ScriptedPeer peer;
  peer.establish();
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto bytes = stream_bytes(i * 1000, 1000);
    wire::Segment segment = peer.segment(1 + i * 1000, 1);
    segment.payload = Slices(Bytes(bytes));
    peer.layer.receive(TcpPair::kInterface, segment, peer.now);
  }
  peer.flush();
  CHECK(peer.sent.size() == 1);
  CHECK(peer.take().ack == 5001);
}

TEST_CASE("request_ack sends one pure ACK even if nothing is due") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  connection.request_ack();
  connection.request_ack();
  peer.flush();
  CHECK(peer.sent.size() == 1);
  CHECK(peer.take().segment.flags == TcpFlags{.ack = true});
}

TEST_CASE(
    "ACKs are delayed by 40 ms; where paths are compared by a quarter of the round trip at most") {
  using AckDelay = ConnectionConfig::AckDelay;
  struct Case {
    AckDelay kind;
    Duration rtt;
    Duration delay;
  };
  for (const Case& one :
       {Case{AckDelay::kFixed, 80ms, 40ms}, Case{AckDelay::kByPath, 80ms, 20ms},
        Case{AckDelay::kByPath, 400ms, 40ms}, Case{AckDelay::kByPath, 1ms, 2ms}}) {
    CAPTURE(one.rtt.count());
    ScriptedPeer peer;
    peer.config.ack_delay = one.kind;
    peer.connect();
    peer.pass(one.rtt);
    peer.receive(peer.syn_ack());
    for (std::uint32_t i = 0; i < Receiver::kQuickAcks; ++i) peer.receive_data(1 + 100 * i, 100, 1);
    peer.sent.clear();
    peer.receive_data(1601, 100, 1);
    peer.pass(one.delay - 1ms);
    CHECK(peer.sent.empty());
    peer.pass(1ms);
    CHECK(peer.sent.size() == 1);
  }
}

TEST_SUITE_END();
