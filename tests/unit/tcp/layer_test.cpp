#include "stack/tcp/layer.h"

#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using wire::TcpFlags;
using Received = Layer::Received;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a SYN nobody owns is returned and not answered") {
  ScriptedPeer peer;
  CHECK(peer.receive(peer.syn()) == Received::kNewSyn);
  CHECK(peer.sent.empty());
  CHECK(peer.layer.size() == 0);
}

TEST_CASE("other segments without a connection are answered with the RST of RFC 9293 3.10.7.1") {
  ScriptedPeer peer;
  SUBCASE("an ACK: its acknowledgment becomes the sequence number") {
    wire::Segment stray = peer.segment(10, 0);
    stray.ack = SeqNum(777);
    CHECK(peer.receive(stray) == Received::kStray);
    const auto reset = peer.take();
    CHECK(reset.segment.flags == TcpFlags{.rst = true});
    CHECK(reset.segment.seq == SeqNum(777));
    CHECK(reset.segment.source == stray.destination);
    CHECK(reset.segment.destination == stray.source);
  }
  SUBCASE("no ACK: everything it holds is acknowledged") {
    const std::vector<std::uint8_t> bytes(5);
    wire::Segment stray = peer.segment(10, 0, {.fin = true});
    stray.payload = Slices(Bytes(bytes));
    CHECK(peer.receive(stray) == Received::kStray);
    const auto reset = peer.take();
    CHECK(reset.segment.flags == TcpFlags{.rst = true, .ack = true});
    CHECK(reset.segment.seq == SeqNum(0));
    CHECK(reset.ack == 16);
  }
  SUBCASE("a RST: silence") {
    CHECK(peer.receive(10, 1, {.rst = true, .ack = true}) == Received::kStray);
    CHECK(peer.sent.empty());
  }
  CHECK(peer.layer.counters().strays == 1);
}

TEST_CASE("a silent interface answers no stray") {
  ScriptedPeer peer;
  peer.layer.set_stray(TcpPair::kInterface, Layer::Stray::kIgnore);
  CHECK(peer.receive(10, 1) == Received::kStray);
  CHECK(peer.sent.empty());
}

TEST_CASE("RSTs for strays are rationed by the second") {
  ScriptedPeer peer;
  for (std::uint32_t i = 0; i < Layer::kResetsPerSecond + 50; ++i) peer.receive(10, 1);
  CHECK(peer.sent.size() == Layer::kResetsPerSecond);
  CHECK(peer.layer.counters().resets_limited == 50);
  peer.pass(1s);
  peer.receive(10, 1);
  CHECK(peer.sent.size() == Layer::kResetsPerSecond + 1);
}

TEST_CASE("refuse answers a SYN with RST and the owner's options") {
  ScriptedPeer peer;
  wire::TcpOptions options;
  options.mptcp.push_back(wire::MpTcprst{.reason = wire::TcprstReason::kMptcpSpecific});
  peer.layer.refuse(TcpPair::kInterface, peer.syn(), options);
  peer.flush();
  const auto reset = peer.take();
  CHECK(reset.segment.flags == TcpFlags{.rst = true, .ack = true});
  CHECK(reset.ack == 1);
  CHECK(reset.segment.options == options);
}

TEST_CASE("the same addresses on two interfaces are two connections") {
  ScriptedPeer peer;
  PipeEnd second;
  Tuple tuple = TcpPair::tuple(Side::kA);
  Connection& first = peer.connect();
  tuple.interface = 9;
  Connection& other = peer.layer.connect(tuple, second.stream, default_config(), peer.now);
  peer.flush();
  peer.receive(peer.syn_ack());
  CHECK(peer.layer.find(TcpPair::tuple(Side::kA)) == &first);
  CHECK(peer.layer.find(tuple) == &other);
  CHECK(other.state() == State::kSynSent);
}

TEST_CASE("a tuple whose connection has ended can be used again before the next flush") {
  ScriptedPeer peer;
  peer.establish();
  peer.layer.receive(TcpPair::kInterface, peer.segment(1, 1, {.rst = true}), peer.now);
  CHECK(peer.end.closed());
  CHECK(peer.layer.receive(TcpPair::kInterface, peer.syn(), peer.now) == Received::kNewSyn);
  PipeEnd fresh;
  peer.layer.accept(TcpPair::kInterface, peer.syn(), fresh.stream, default_config(), peer.now);
  peer.flush();
  CHECK(peer.take().segment.flags.syn);
  CHECK(peer.layer.size() == 1);
}

TEST_CASE("TIME-WAIT: who may come in, and what the others are told") {
  ScriptedPeer peer;
  bool stamped = false;
  SUBCASE("with timestamps") { stamped = true; }
  SUBCASE("without timestamps") { stamped = false; }
  if (stamped) peer.peer_options.timestamps = wire::Timestamps{.value = 100, .echo_reply = 0};
  const auto stamp = [&](wire::Segment segment, std::uint32_t value) {
    if (stamped) segment.options.timestamps = wire::Timestamps{.value = value, .echo_reply = 0};
    return segment;
  };
  peer.establish();
  peer.end.offer(0, true);
  peer.flush();
  peer.receive(stamp(peer.segment(1, 2, {.fin = true, .ack = true}), 101));
  REQUIRE(peer.end.closed());
  peer.sent.clear();

  // An old duplicate SYN: acknowledged, not let in (RFC 6191 2).
  CHECK(peer.receive(stamp(peer.segment(0, 0, {.syn = true}), 90)) == Received::kTaken);
  CHECK(peer.take().ack == 2);
  // A RST kills nothing here (RFC 1337).
  CHECK(peer.receive(stamp(peer.segment(2, 2, {.rst = true}), 101)) == Received::kTaken);
  CHECK(peer.layer.size() == 1);
  // Stray data is acknowledged again.
  CHECK(peer.receive(stamp(peer.segment(1, 2, {.syn = true, .ack = true}), 101)) ==
        Received::kTaken);
  CHECK(peer.sent.size() == 1);
  peer.sent.clear();

  // A new SYN: later by its timestamp, or by its sequence number.
  wire::Segment fresh = stamp(peer.segment(stamped ? 0 : 5000, 0, {.syn = true}), 200);
  CHECK(peer.receive(fresh) == Received::kNewSyn);
  const SeqNum old_snd_nxt = peer.iss + 2;
  PipeEnd second;
  peer.layer.accept(TcpPair::kInterface, fresh, second.stream, default_config(), peer.now);
  peer.flush();
  CHECK(peer.take().segment.seq > old_snd_nxt);
  CHECK(peer.layer.size() == 1);
}

TEST_CASE("a new connect may follow one in TIME-WAIT") {
  PipePair pair;
  REQUIRE(pair.establish());
  REQUIRE(pair.transfer(1000, 1000));
  REQUIRE(pair.run([&] { return pair.a.closed() && pair.b.closed(); }));
  PipeEnd c, d;
  pair.on_syn = [&](Side at, const wire::Segment& syn) {
    d.stream.attach(
        pair.layer(at).accept(TcpPair::kInterface, syn, d.stream, default_config(), pair.now()));
  };
  c.stream.attach(pair.layer(Side::kA).connect(TcpPair::tuple(Side::kA), c.stream, default_config(),
                                               pair.now()));
  CHECK(pair.run([&] { return c.stream.is_established() && d.stream.is_established(); }, 5s));
}

TEST_CASE("five hundred connections at once are kept apart, in a defined order") {
  const auto run = [] {
    ScriptedPeer peer;
    std::vector<std::unique_ptr<PipeEnd>> ends;
    for (std::uint16_t i = 0; i < 500; ++i) {
      ends.push_back(std::make_unique<PipeEnd>());
      Tuple tuple = TcpPair::tuple(Side::kA);
      tuple.local.port = static_cast<std::uint16_t>(2000 + i);
      ends.back()->stream.attach(
          peer.layer.connect(tuple, ends.back()->stream, default_config(), peer.now));
    }
    peer.flush();
    std::vector<std::uint16_t> order;
    for (const auto& sent : peer.sent) order.push_back(sent.segment.source.port);
    peer.layer.validate();
    return order;
  };
  const auto order = run();
  CHECK(order.size() == 500);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(order == run());
}

TEST_SUITE_END();
