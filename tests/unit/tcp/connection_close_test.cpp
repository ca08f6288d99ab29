// How connections end: in order, by reset, by silence, by an error of the network.
#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using wire::TcpFlags;

namespace {

wire::IcmpError error_about(const ScriptedPeer& peer, std::uint32_t seq, wire::IcmpError::Kind kind,
                            std::uint32_t mtu = 0) {
  wire::IcmpError error;
  error.kind = kind;
  error.mtu = mtu;
  error.source = TcpPair::endpoint(Side::kA);
  error.destination = TcpPair::endpoint(Side::kB);
  error.seq = peer.iss + seq;
  return error;
}

void report(ScriptedPeer& peer, const wire::IcmpError& error) {
  peer.layer.receive_error(TcpPair::kInterface, error, peer.now);
  peer.flush();
}

}  // namespace

TEST_SUITE_BEGIN("tcp");

TEST_CASE("we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, and the user is free at once") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.end.offer(100, true);
  peer.flush();
  const auto last = peer.take();
  CHECK(last.bytes.size() == 100);
  CHECK(last.segment.flags == TcpFlags{.fin = true, .psh = true, .ack = true});
  CHECK(connection.state() == State::kFinWait1);

  peer.receive(1, 102);
  CHECK(connection.state() == State::kFinWait2);
  peer.receive_data(1, 50, 102);  // half-closed: the other direction lives on
  CHECK(peer.end.drain());
  CHECK(peer.end.drained == 50);
  peer.sent.clear();

  peer.receive(51, 102, {.fin = true, .ack = true});
  CHECK(peer.take().ack == 52);
  CHECK(peer.end.stream.close_reason() == CloseReason::kFinished);
  CHECK(peer.layer.find(TcpPair::tuple(Side::kA)) == nullptr);
  CHECK(peer.layer.size() == 1);  // in TIME-WAIT
  peer.pass(60s);
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("the peer closes first: CLOSE-WAIT, LAST-ACK, gone with the last ACK") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive(1, 1, {.fin = true, .ack = true});
  CHECK(connection.state() == State::kCloseWait);
  CHECK(peer.end.incoming.complete());
  CHECK(peer.take().ack == 2);

  peer.end.offer(100, true);
  peer.flush();
  CHECK(connection.state() == State::kLastAck);
  CHECK(peer.take().segment.flags.fin);
  peer.receive(2, 102);
  CHECK(peer.end.stream.close_reason() == CloseReason::kFinished);
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("a FIN that comes with text sent again is taken") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive_data(1, 100, 1);
  peer.sent.clear();
  peer.receive_data(1, 100, 1, {.fin = true, .ack = true});
  CHECK(connection.state() == State::kCloseWait);
  CHECK(peer.take().ack == 102);
}

TEST_CASE("both close at once: CLOSING, then TIME-WAIT") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.end.offer(0, true);
  peer.flush();
  CHECK(peer.take().segment.flags == TcpFlags{.fin = true, .ack = true});
  peer.receive(1, 1, {.fin = true, .ack = true});
  CHECK(connection.state() == State::kClosing);
  CHECK(peer.take().ack == 2);
  peer.receive(2, 2);
  CHECK(peer.end.stream.close_reason() == CloseReason::kFinished);
  CHECK(peer.layer.size() == 1);
}

TEST_CASE("a FIN that also acknowledges ours leads from FIN-WAIT-1 straight to TIME-WAIT") {
  ScriptedPeer peer;
  peer.establish();
  peer.end.offer(0, true);
  peer.flush();
  peer.receive(1, 2, {.fin = true, .ack = true});
  CHECK(peer.end.stream.close_reason() == CloseReason::kFinished);
  CHECK(peer.layer.size() == 1);
}

TEST_CASE("a lost FIN is sent again") {
  ScriptedPeer peer;
  peer.establish();
  peer.end.offer(0, true);
  peer.flush();
  peer.sent.clear();
  peer.pass(3s);
  CHECK(peer.take().segment.flags == TcpFlags{.fin = true, .ack = true});
}

TEST_CASE("a repeated FIN in TIME-WAIT is acknowledged and starts the sixty seconds again") {
  ScriptedPeer peer;
  peer.establish();
  peer.end.offer(0, true);
  peer.flush();
  peer.receive(1, 2, {.fin = true, .ack = true});
  peer.pass(50s);
  peer.sent.clear();
  peer.receive(1, 2, {.fin = true, .ack = true});
  const auto ack = peer.take();
  CHECK(ack.seq == 2);
  CHECK(ack.ack == 2);
  peer.pass(59s);
  CHECK(peer.layer.size() == 1);
  peer.pass(1s);
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("abort sends one RST with the numbers the peer expects") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive_data(1, 100, 1);
  peer.end.offer(300, false);
  peer.flush();
  peer.sent.clear();
  connection.abort(peer.now);
  CHECK_FALSE(peer.end.closed());  // its options are still wanted
  peer.flush();
  const auto reset = peer.take();
  CHECK(reset.segment.flags == TcpFlags{.rst = true, .ack = true});
  CHECK(reset.seq == 301);
  CHECK(reset.ack == 101);
  CHECK(peer.sent.empty());
  CHECK(peer.end.stream.close_reason() == CloseReason::kAborted);
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("abandon is over at once and says nothing to the peer") {
  ScriptedPeer peer;
  peer.config.answer = ConnectionConfig::Answer::kWithhold;
  Connection& connection = peer.accept();
  connection.abandon(peer.now);
  CHECK(peer.end.stream.close_reason() == CloseReason::kAborted);
  peer.pass(10s);
  CHECK(peer.sent.empty());
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("abort in SYN-SENT sends nothing") {
  ScriptedPeer peer;
  Connection& connection = peer.connect();
  peer.sent.clear();
  connection.abort(peer.now);
  peer.flush();
  CHECK(peer.sent.empty());
  CHECK(peer.end.stream.close_reason() == CloseReason::kAborted);
}

TEST_CASE("abort with the SYN-ACK withheld answers the SYN like a closed port") {
  ScriptedPeer peer;
  peer.config.answer = ConnectionConfig::Answer::kWithhold;
  Connection& connection = peer.accept();
  connection.abort(peer.now);
  peer.flush();
  const auto reset = peer.take();
  CHECK(reset.segment.flags == TcpFlags{.rst = true, .ack = true});
  CHECK(reset.segment.seq == SeqNum(0));
  CHECK(reset.ack == 1);
}

TEST_CASE("a RST whose door is closed waits for it, but not longer than a second") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.door_ready = false;
  connection.abort(peer.now);
  peer.flush();
  CHECK_FALSE(peer.end.closed());
  SUBCASE("the door opens") {
    peer.pass(300ms);
    peer.door_ready = true;
    peer.layer.door_opened(TcpPair::kInterface);
    peer.flush();
    CHECK(peer.take().segment.flags.rst);
  }
  SUBCASE("it does not") {
    peer.pass(1s);
    CHECK(peer.sent.empty());
  }
  CHECK(peer.end.stream.close_reason() == CloseReason::kAborted);
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("data that nobody acknowledges ends the connection after its retransmissions") {
  ScriptedPeer peer;
  peer.config.max_retransmissions = 3;
  peer.establish();
  peer.end.offer(100, false);
  peer.flush();
  peer.pass(600s);
  CHECK(peer.end.stream.close_reason() == CloseReason::kTimedOut);
}

TEST_CASE(
    "a FIN behind a full window is taken: it needs no room, and its sender would repeat it for "
    "ever") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  const auto next = [&] {
    return 1 + static_cast<std::uint32_t>(peer.end.incoming.in_order().value());
  };
  for (std::uint32_t at = 0; at != next();) {  // until nothing more is taken
    at = next();
    peer.receive_data(at, 1460, 1);
  }
  const std::uint32_t at = next();
  peer.sent.clear();
  SUBCASE("by itself") { peer.receive(at, 1, {.fin = true, .ack = true}); }
  SUBCASE("not with a byte there is no room for") {
    peer.receive_data(at, 1, 1, {.fin = true, .ack = true});
    CHECK(connection.state() == State::kEstablished);
    CHECK(peer.take().ack == at);
    return;
  }
  CHECK(connection.state() == State::kCloseWait);
  CHECK(peer.take().ack == at + 1);
  CHECK(peer.end.drain());
  CHECK(peer.end.incoming.complete());
}

TEST_CASE("hard ICMP errors end an attempt to connect, soft ones only if asked to") {
  using Kind = wire::IcmpError::Kind;
  ScriptedPeer peer;
  SUBCASE("hard") {
    peer.connect();
    report(peer, error_about(peer, 0, Kind::kPortUnreachable));
    CHECK(peer.end.stream.close_reason() == CloseReason::kUnreachable);
  }
  SUBCASE("soft") {
    Connection& connection = peer.connect();
    report(peer, error_about(peer, 0, Kind::kHostUnreachable));
    CHECK_FALSE(peer.end.closed());
    CHECK(connection.last_error()->kind == Kind::kHostUnreachable);
  }
  SUBCASE("soft, and asked to") {
    peer.config.soft_errors = ConnectionConfig::SoftErrors::kEndConnecting;
    peer.connect();
    report(peer, error_about(peer, 0, Kind::kHostUnreachable));
    CHECK(peer.end.stream.close_reason() == CloseReason::kUnreachable);
  }
  SUBCASE("hard, but quoting what was never sent") {
    peer.connect();
    report(peer, error_about(peer, 5, Kind::kPortUnreachable));
    CHECK_FALSE(peer.end.closed());
  }
  SUBCASE("hard, about our SYN-ACK") {
    peer.accept();
    report(peer, error_about(peer, 0, Kind::kPortUnreachable));
    CHECK(peer.end.stream.close_reason() == CloseReason::kUnreachable);
  }
  SUBCASE("soft, about our SYN-ACK") {
    peer.accept();
    report(peer, error_about(peer, 0, Kind::kHostUnreachable));
    CHECK_FALSE(peer.end.closed());
  }
  SUBCASE("soft, about our SYN-ACK, and asked to") {
    peer.config.soft_errors = ConnectionConfig::SoftErrors::kEndConnecting;
    peer.accept();
    report(peer, error_about(peer, 0, Kind::kHostUnreachable));
    CHECK(peer.end.stream.close_reason() == CloseReason::kUnreachable);
  }
  SUBCASE("hard, about a SYN-ACK that has not left") {
    peer.config.answer = ConnectionConfig::Answer::kWithhold;
    peer.accept();
    report(peer, error_about(peer, 0, Kind::kPortUnreachable));
    CHECK_FALSE(peer.end.closed());
  }
  SUBCASE("hard, on a connection that stands (RFC 5461, RFC 5927)") {
    peer.establish();
    peer.end.offer(100, false);
    peer.flush();
    report(peer, error_about(peer, 1, Kind::kPortUnreachable));
    CHECK_FALSE(peer.end.closed());
  }
}

TEST_CASE("packet-too-big cuts segments smaller and sends what was dropped again") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.end.offer(1460, false);
  peer.flush();
  CHECK(peer.take().bytes.size() == 1460);
  SUBCASE("a sane MTU") {
    report(peer, error_about(peer, 1, wire::IcmpError::Kind::kPacketTooBig, 1400));
    CHECK(connection.path_info().mss == 1360);
    REQUIRE(!peer.sent.empty());
    const auto again = peer.take();
    CHECK(again.seq == 1);
    CHECK((again.segment.gso_size == 1360 || again.bytes.size() <= 1360));
  }
  SUBCASE("an absurd one goes down to the default MSS only") {
    report(peer, error_about(peer, 1, wire::IcmpError::Kind::kPacketTooBig, 68));
    CHECK(connection.path_info().mss == 536);
  }
  SUBCASE("a router that gives no MTU: the next plateau") {
    report(peer, error_about(peer, 1, wire::IcmpError::Kind::kPacketTooBig, 0));
    CHECK(connection.path_info().mss == 1452);
  }
  SUBCASE("about what is not in flight: ignored") {
    report(peer, error_about(peer, 2000, wire::IcmpError::Kind::kPacketTooBig, 1400));
    CHECK(connection.path_info().mss == 1460);
  }
}

TEST_CASE("a SYN whose text was too big goes again at once, with text that fits") {
  ScriptedPeer peer;
  peer.config.syn_payload = 1400;
  peer.end.offer(1400, false);
  peer.connect();
  CHECK(peer.take().bytes.size() == 1400);
  SUBCASE("told so by a router") {
    report(peer, error_about(peer, 0, wire::IcmpError::Kind::kPacketTooBig, 1000));
    const auto again = peer.take();
    CHECK(again.segment.flags.syn);
    CHECK(again.bytes.size() < 960);
    CHECK(again.segment.options.mss == 1460);  // what we take has not changed
    report(peer, error_about(peer, 0, wire::IcmpError::Kind::kPacketTooBig, 1000));
    CHECK(peer.sent.empty());  // no news
  }
  SUBCASE("by somebody who has not seen it") {
    report(peer, error_about(peer, 5000, wire::IcmpError::Kind::kPacketTooBig, 1000));
    CHECK(peer.sent.empty());
  }
}

TEST_CASE("without super-segments what was too big is sent again in pieces that fit") {
  ScriptedPeer peer;
  peer.config.max_super_payload = 0;
  peer.establish();
  peer.end.offer(1460, false);
  peer.flush();
  peer.sent.clear();
  report(peer, error_about(peer, 1, wire::IcmpError::Kind::kPacketTooBig, 1000));
  std::uint32_t next = 1;
  while (!peer.sent.empty()) {
    const auto again = peer.take();
    CHECK(again.seq == next);
    CHECK(again.bytes.size() <= 960);
    CHECK(again.segment.gso_size == 0);
    next += static_cast<std::uint32_t>(again.bytes.size());
  }
  CHECK(next == 1461);
}

TEST_CASE("keep-alives ask one left of the next byte; an answer resets the count") {
  ScriptedPeer peer;
  peer.config.keepalive_interval = 100s;
  peer.establish();
  peer.pass(100s);
  const auto probe = peer.take();
  CHECK(probe.seq == 0);
  CHECK(probe.bytes.empty());
  peer.receive(1, 1);
  peer.pass(99s);
  CHECK(peer.sent.empty());
  peer.pass(1s);
  CHECK(peer.sent.size() == 1);
}

TEST_CASE("a peer silent to nine keep-alives is given up") {
  ScriptedPeer peer;
  peer.config.keepalive_interval = 100s;
  peer.establish();
  peer.pass(100s + 8 * 75s);
  CHECK(peer.sent.size() == 9);
  CHECK_FALSE(peer.end.closed());
  peer.pass(75s);
  CHECK(peer.end.stream.close_reason() == CloseReason::kTimedOut);
}

TEST_CASE("an idle connection without keep-alive never stirs") {
  ScriptedPeer peer;
  peer.establish();
  CHECK(peer.layer.next_deadline() == kNever);
  peer.pass(std::chrono::hours(100));
  CHECK(peer.sent.empty());
}

TEST_CASE(
    "a peer that fell silent behind its data is asked, and an answer is enough until more comes") {
  ScriptedPeer peer;
  peer.config.doubt_after = 500ms;
  peer.establish();
  peer.pass(std::chrono::hours(1));
  CHECK(peer.sent.empty());  // it has sent nothing yet
  peer.receive_data(1, 3, 1);
  peer.pass(499ms);
  peer.sent.clear();  // the delayed ACK
  peer.pass(1ms);
  const auto question = peer.take();
  CHECK(question.seq == 0);
  CHECK(question.bytes.empty());
  SUBCASE("an answer") {
    peer.receive(4, 1);
    peer.pass(std::chrono::hours(1));
    CHECK(peer.sent.empty());
    peer.receive_data(4, 1, 1);
    peer.pass(500ms);
    CHECK(peer.sent.size() == 2);  // ACK and question
  }
  SUBCASE("no answer: twelve questions, and the connection stays") {
    peer.pass(std::chrono::hours(1));
    CHECK(peer.sent.size() == 11);
    CHECK_FALSE(peer.end.closed());
  }
}

TEST_CASE("probe() asks once") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  connection.probe();
  peer.flush();
  CHECK(peer.take().seq == 0);
  peer.pass(600s);
  CHECK(peer.sent.empty());
}

TEST_SUITE_END();
