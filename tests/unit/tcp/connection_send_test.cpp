// What leaves: windows, options, ECN, ACKs beside data.
#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using wire::TcpFlags;

namespace {

// A user that puts a DSS of 28 bytes on everything it sends, as a subflow does.
class DssUser final : public StreamUser {
 public:
  explicit DssUser(PipeStream& inner) : inner_(inner) {}
  Verdict segment_arrived(const wire::Segment& s, std::uint64_t p, Instant now) override {
    ++arrived;
    inner_.segment_arrived(s, p, now);
    return verdict;
  }
  Interval place(std::uint64_t p, const Slices& b, Instant now) override {
    return inner_.place(p, b, now);
  }
  void received_up_to(std::uint64_t p, Instant now) override { inner_.received_up_to(p, now); }
  void peer_finished(std::uint64_t p, Instant now) override { inner_.peer_finished(p, now); }
  std::uint64_t receive_window() const override { return inner_.receive_window(); }
  WindowScope window_scope() const override { return inner_.window_scope(); }
  std::uint64_t send_end() const override { return inner_.send_end(); }
  bool send_finished() const override { return inner_.send_finished(); }
  Slices peek(std::uint64_t p, std::uint32_t n) const override { return inner_.peek(p, n); }
  std::uint32_t data_option_bytes() const override { return 28; }
  void add_options(const Outgoing& outgoing, wire::TcpOptions& options) override {
    purposes.push_back(outgoing.purpose);
    if (outgoing.purpose == Purpose::kReset) {
      options.mptcp.push_back(wire::MpTcprst{});
      return;
    }
    wire::Dss dss{.data_ack = 1, .eight_byte_ack = outgoing.purpose == Purpose::kData};
    if (outgoing.purpose == Purpose::kData) {
      dss.mapping = wire::Dss::Mapping{.data_length = 1, .checksum = std::uint16_t{0}};
    }
    options.mptcp.push_back(dss);
  }
  void acked(std::uint64_t p, Instant now) override { inner_.acked(p, now); }
  Verdict established(const wire::Segment& s, std::uint32_t n, Instant now) override {
    return inner_.established(s, n, now);
  }
  void retransmission_timeout(std::uint32_t n, Instant) override { timeouts = n; }
  void send_budget_grew() override { ++budget_grew; }
  void closed(CloseReason reason, Instant now) override { inner_.closed(reason, now); }

  Verdict verdict = Verdict::kContinue;
  std::vector<Purpose> purposes;
  int arrived = 0;
  int budget_grew = 0;
  std::uint32_t timeouts = 0;

 private:
  PipeStream& inner_;
};

struct DssPeer : ScriptedPeer {
  DssPeer() : user(end.stream) {
    peer_options.timestamps = wire::Timestamps{.value = 1, .echo_reply = 0};
    connection = &layer.connect(TcpPair::tuple(Side::kA), user, std::move(config), now);
    end.stream.attach(*connection);
    flush();
    receive(syn_ack());
    sent.clear();
    user.purposes.clear();
  }
  wire::Segment stamped(std::uint32_t seq, std::uint32_t ack, TcpFlags flags = {.ack = true}) {
    wire::Segment made = segment(seq, ack, flags);
    made.options.timestamps = wire::Timestamps{.value = ++clock, .echo_reply = 0};
    return made;
  }

  DssUser user;
  Connection* connection;
  std::uint32_t clock = 1;
};

}  // namespace

TEST_SUITE_BEGIN("tcp");

TEST_CASE("data whose options have no room for SACK is joined by one pure ACK that has") {
  DssPeer peer;
  peer.end.offer(1400, false);
  const auto bytes = stream_bytes(500, 100);
  wire::Segment segment = peer.stamped(501, 1);
  segment.payload = Slices(Bytes(bytes));
  peer.receive(segment);
  REQUIRE(peer.sent.size() == 2);
  const auto data = peer.take();
  CHECK(data.bytes.size() == 1400);
  CHECK(data.segment.options.sack.empty());
  const auto ack = peer.take();
  CHECK(ack.bytes.empty());
  REQUIRE(ack.segment.options.sack.size() == 1);
  CHECK(ack.segment.options.sack[0] == wire::SackBlock{peer.peer_isn + 501, peer.peer_isn + 601});
  CHECK(peer.user.purposes == std::vector<Purpose>{Purpose::kData, Purpose::kAck});
}

TEST_CASE("SACK blocks shorten the pieces, and no crumb of a segment is left behind them") {
  ScriptedPeer peer;
  peer.establish();
  peer.receive_data(1001, 100, 1);
  peer.sent.clear();
  peer.end.offer(6000, false);
  peer.flush();
  const auto data = peer.take();
  CHECK(data.segment.options.sack.size() == 1);
  CHECK(data.segment.gso_size == 1460 - 12);
  CHECK(data.bytes.size() % data.segment.gso_size == 0);
  std::uint32_t next = data.seq + static_cast<std::uint32_t>(data.bytes.size());
  while (!peer.sent.empty()) {
    const auto more = peer.take();
    CHECK(more.seq == next);
    next += static_cast<std::uint32_t>(more.bytes.size());
  }
  CHECK(next == 6001);
}

TEST_CASE("the user's options come off the size of every piece") {
  DssPeer peer;
  CHECK(peer.connection->path_info().mss == 1460 - 40);
  peer.end.offer(4000, false);
  peer.flush();
  CHECK(peer.take().segment.gso_size == 1420);
}

TEST_CASE("the user is asked about every acceptable segment, and may reset the connection") {
  DssPeer peer;
  peer.receive(peer.stamped(1, 1));
  CHECK(peer.user.arrived == 1);
  peer.receive(peer.stamped(1, 99));  // acknowledges what was never sent: not shown
  CHECK(peer.user.arrived == 1);
  peer.sent.clear();
  peer.user.verdict = Verdict::kReset;
  peer.receive(peer.stamped(1, 1));
  const auto reset = peer.take();
  CHECK(reset.segment.flags == TcpFlags{.rst = true, .ack = true});
  CHECK(reset.segment.options.find<wire::MpTcprst>() != nullptr);
  CHECK(peer.end.stream.close_reason() == CloseReason::kProtocolError);
}

TEST_CASE("a RST shows its options to the user before it ends the connection") {
  DssPeer peer;
  peer.user.verdict = Verdict::kReset;  // a RST is never answered with one
  peer.receive(peer.stamped(1, 1, {.rst = true, .ack = true}));
  CHECK(peer.user.arrived == 1);
  CHECK(peer.sent.empty());
  CHECK(peer.end.stream.close_reason() == CloseReason::kReset);
}

TEST_CASE("the user hears of timeouts and of room for more") {
  DssPeer peer;
  peer.end.offer(1000, false);
  peer.flush();
  peer.sent.clear();
  peer.pass(5s);
  CHECK(peer.user.timeouts >= 2);
  const int before = peer.user.budget_grew;
  peer.receive(peer.stamped(1, 1001));
  CHECK(peer.user.budget_grew == before + 1);
}

TEST_CASE("a closed window is probed until it opens") {
  ScriptedPeer peer;
  peer.window = 0;
  peer.establish();
  peer.end.offer(100, false);
  peer.flush();
  CHECK(peer.sent.empty());
  peer.pass(10s);
  REQUIRE(peer.sent.size() >= 2);
  peer.sent.clear();
  peer.window = 1000;
  peer.receive(1, 1);
  std::size_t got = 0;
  peer.pass(10s);
  while (!peer.sent.empty()) got = std::max(got, peer.sent.front().seq + peer.take().bytes.size());
  CHECK(got >= 101);
  CHECK_FALSE(peer.end.closed());
}

TEST_CASE("an older segment does not bring an older window back (RFC 9293 3.10.7.4)") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  peer.receive_data(1, 100, 1);
  CHECK(connection.path_info().send_window == 60000);
  peer.receive_data(201, 100, 1);
  wire::Segment newer = peer.segment(301, 1);
  newer.window = 2000;
  peer.receive(newer);
  CHECK(connection.path_info().send_window == 2000);
  peer.window = 50000;
  peer.receive_data(101, 100, 1);  // overtaken on the way
  CHECK(connection.path_info().send_window == 2000);
}

TEST_CASE("when the reader takes bytes from a full buffer the peer is told") {
  ScriptedPeer peer;
  Connection& connection = peer.establish();
  std::uint32_t seq = 1;
  std::uint32_t open = 65'535;
  while (open > 0) {
    const std::uint32_t length = std::min<std::uint32_t>(1460, open);
    peer.receive_data(seq, length, 1);
    seq += length;
    open = peer.sent.back().segment.window;
    REQUIRE(seq < 70'000);
  }
  peer.sent.clear();
  peer.end.drain(100);
  peer.flush();
  CHECK(peer.sent.empty());  // too little to be worth telling
  peer.end.drain(10'000);
  peer.flush();
  const auto update = peer.take();
  CHECK(update.bytes.empty());
  CHECK(update.segment.window >= 10'000);
  CHECK(connection.state() == State::kEstablished);
}

TEST_CASE("every byte of a promised window is taken, whatever the scale makes of the figure") {
  ScriptedPeer peer;
  peer.peer_options.window_scale = 8;
  peer.end.stream.set_max_capacity(64 * 1024);
  peer.establish();
  std::uint32_t seq = 1, edge = seq + 60'000;
  while (seq < 400'000) {
    // The last segment before the edge ends at the edge, to the byte.
    const std::uint32_t length = std::min<std::uint32_t>(1'437, edge - seq);
    if (length > 0) peer.receive_data(seq, length, 1);
    seq += length;
    peer.pass(50ms);
    if (!peer.sent.empty()) {
      const auto last = peer.sent.back();
      REQUIRE(last.ack == seq);
      edge = std::max(edge, last.ack + (std::uint32_t{last.segment.window} << 8));
      peer.sent.clear();
    }
    if (seq == edge) peer.end.drain(7'777);
    peer.flush();
  }
}

TEST_CASE("a congestion mark is echoed, answered with CWR, and then forgotten") {
  PipePair pair;
  bool marked = false;
  int echoes = 0, answers = 0;
  pair.script = [&](Side from, wire::Segment& segment) {
    if (from == Side::kA && segment.ecn == wire::Ecn::kEct0 && !marked) {
      segment.ecn = wire::Ecn::kCe;
      marked = true;
    }
    if (from == Side::kB && segment.flags.ece && !segment.flags.syn) ++echoes;
    if (from == Side::kA && segment.flags.cwr && !segment.flags.syn) ++answers;
    return TcpPair::Fate::kPass;
  };
  pair.connect();
  CHECK(pair.transfer(500'000, 0));
  CHECK(marked);
  CHECK(echoes > 0);
  CHECK(answers == 1);
  CHECK(echoes < 200);
  CHECK(pair.log().back().segment.flags.ece == false);
}

TEST_CASE("without ECN from the peer nothing is marked capable") {
  PipePair pair;
  pair.config_b.ecn = false;
  pair.connect();
  CHECK(pair.transfer(50'000, 50'000));
  for (const auto& logged : pair.log()) CHECK(logged.segment.ecn == wire::Ecn::kNotEct);
}

TEST_SUITE_END();
