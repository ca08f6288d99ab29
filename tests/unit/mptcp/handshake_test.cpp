#include <doctest/doctest.h>

#include "stack/mptcp/join_handshake.h"
#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

using mptcp::Negotiation;
constexpr wire::MptcpKey kKeyA = 0x0706050403020100;
constexpr wire::MptcpKey kKeyB = 0x1716151413121110;

wire::TcpOptions with(const wire::MptcpOption& option) {
  wire::TcpOptions options;
  options.mptcp.push_back(option);
  return options;
}

std::vector<MptcpPair::Logged> sent(const MptcpPair& pair, Side side) {
  std::vector<MptcpPair::Logged> out;
  for (const auto& logged : pair.log()) {
    if (logged.from == side) out.push_back(logged);
  }
  return out;
}

// The MPTCP options of a segment, as text.
std::string options_of(const MptcpPair::Logged& logged) {
  std::string text;
  for (const auto& option : logged.segment.options.mptcp) text += wire::describe(option) + ";";
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("both sides of a negotiation learn the same") {
  Negotiation a(Negotiation::Role::kInitiator, kKeyA, {});
  Negotiation b(Negotiation::Role::kResponder, kKeyB, {});
  CHECK(a.syn() == wire::MpCapable{});
  b.receive_syn(with(a.syn()));
  REQUIRE(b.agreed());
  CHECK(b.syn_ack() == wire::MpCapable{.sender_key = kKeyB});
  a.receive_syn_ack(with(b.syn_ack()));
  REQUIRE(a.agreed());
  CHECK(a.ack() == wire::MpCapable{.sender_key = kKeyA, .receiver_key = kKeyB});
  CHECK(b.receive_ack(a.ack()));
  CHECK(b.receive_ack(a.data(100, std::nullopt)));  // M22: again, with data
  CHECK(b.remote_key() == kKeyA);
  CHECK_FALSE(a.checksum());
  CHECK_FALSE(b.checksum());
}

TEST_CASE("one side's wish for checksums is enough") {
  for (const bool by_initiator : {true, false}) {
    CAPTURE(by_initiator);
    Negotiation a(Negotiation::Role::kInitiator, kKeyA, {.require_checksum = by_initiator});
    Negotiation b(Negotiation::Role::kResponder, kKeyB, {.require_checksum = !by_initiator});
    b.receive_syn(with(a.syn()));
    CHECK(b.syn_ack().checksum_required == !by_initiator);  // linux-peer (f)
    a.receive_syn_ack(with(b.syn_ack()));
    CHECK(a.checksum());
    CHECK(b.checksum());
    CHECK(a.ack().checksum_required);
  }
}

TEST_CASE("offers nobody can speak are answered as plain TCP") {
  wire::MpCapable offer;
  SUBCASE("B is set") { offer.extensibility = true; }  // M28
  SUBCASE("no algorithm") { offer.crypto_bits = 0; }   // M30
  SUBCASE("only unknown algorithms") { offer.crypto_bits = 0x10; }
  SUBCASE("version 0") { offer.version = 0; }
  SUBCASE("a key in the SYN") { offer.sender_key = 1; }
  Negotiation b(Negotiation::Role::kResponder, kKeyB, {});
  b.receive_syn(with(offer));
  CHECK_FALSE(b.agreed());
}

TEST_CASE("a third ACK with a wrong key is refused") {
  Negotiation b(Negotiation::Role::kResponder, kKeyB, {});
  b.receive_syn(with(wire::MpCapable{}));
  CHECK_FALSE(b.receive_ack({.sender_key = kKeyA, .receiver_key = kKeyB + 1}));
  CHECK_FALSE(b.receive_ack({.sender_key = kKeyA}));
  CHECK(b.receive_ack({.sender_key = kKeyA, .receiver_key = kKeyB}));
  CHECK_FALSE(b.receive_ack({.sender_key = kKeyA + 1, .receiver_key = kKeyB}));
}

TEST_CASE("a third ACK of another version than was agreed on is refused") {
  Negotiation b(Negotiation::Role::kResponder, kKeyB, {});
  b.receive_syn(with(wire::MpCapable{}));
  CHECK_FALSE(b.receive_ack({.version = 0, .sender_key = kKeyA, .receiver_key = kKeyB}));
  CHECK_FALSE(b.remote_key());
}

TEST_CASE("a join proves both keys, each HMAC for its own direction") {
  mptcp::JoinHandshake a({.local = kKeyA, .remote = kKeyB}, 3, true, 0x2b2a2928);
  CHECK(a.syn() ==
        wire::MpJoinSyn{.backup = true, .address_id = 3, .token = 0xdd857459, .nonce = 0x2b2a2928});
  mptcp::JoinHandshake b({.local = kKeyB, .remote = kKeyA}, a.syn(), 0, 0x3b3a3938);
  CHECK(b.peer_wants_backup());
  CHECK(b.remote_address_id() == 3);
  // The vectors of the checklist (proxy-discussion 1.4, 12).
  CHECK(b.syn_ack() == wire::MpJoinSynAck{.address_id = 0,
                                          .truncated_hmac = 0xe3a0de30e2cd4ad1,
                                          .nonce = 0x3b3a3938});
  wire::MpJoinSynAck forged = b.syn_ack();
  forged.truncated_hmac ^= 1;
  CHECK_FALSE(a.receive_syn_ack(forged));
  REQUIRE(a.receive_syn_ack(b.syn_ack()));
  CHECK(a.ack().hmac[0] == 0xe2);
  CHECK(a.ack().hmac[19] == 0xad);
  CHECK(b.receive_ack(a.ack()));
  wire::MpJoinAck wrong = a.ack();
  wrong.hmac[19] ^= 1;
  CHECK_FALSE(b.receive_ack(wrong));
}

TEST_CASE("the first segments of a connection carry what the kernel's would") {
  MptcpPair pair(1, 1);
  bool wide = false;
  SUBCASE("ours") {}
  SUBCASE("the kernel's") { wide = true; }
  if (wide) pair.b.config.habits = &kLongDsns;
  REQUIRE(pair.establish());
  pair.a.offer(5, false);
  pair.run_for(200ms);
  const auto a = sent(pair, Side::kA);
  const auto b = sent(pair, Side::kB);
  REQUIRE(a.size() >= 3);
  REQUIRE(b.size() >= 2);
  REQUIRE(a[0].segment.options.find<wire::MpCapable>() != nullptr);
  CHECK(*a[0].segment.options.find<wire::MpCapable>() == wire::MpCapable{});
  const auto* answer = b[0].segment.options.find<wire::MpCapable>();
  REQUIRE(answer != nullptr);
  REQUIRE(answer->sender_key.has_value());
  const auto* third = a[1].segment.options.find<wire::MpCapable>();  // M20
  REQUIRE(third != nullptr);
  CHECK(third->receiver_key == answer->sender_key);
  CHECK(a[1].length == 0);
  const auto* data = a[2].segment.options.find<wire::MpCapable>();  // M21
  REQUIRE(data != nullptr);
  CHECK(data->data_length == 5);
  CHECK(a[2].length == 5);
  CHECK(a[2].segment.options.find<wire::Dss>() == nullptr);
  // MP_CAPABLE with data shows no DSN (M56): a kernel answers it with a DATA_ACK of eight octets.
  const auto* ack = b[1].segment.options.find<wire::Dss>();
  REQUIRE(ack != nullptr);
  CHECK(ack->eight_byte_ack == wide);
  const std::uint64_t said = mptcp::initial_dsn_of(*third->sender_key) + 6;
  CHECK(ack->data_ack == (wide ? said : static_cast<std::uint32_t>(said)));
}

TEST_CASE(
    "a SYN's payload lies outside the data sequence space, and the reply needs no third ACK") {
  MptcpPair pair(2, 1);
  pair.message_length = 300;
  const auto message = stream_bytes(0, 300);
  const auto reply = stream_bytes(0, 2);
  pair.b.outgoing.append(Slices(Bytes(reply)));
  int acks = 0;
  SUBCASE("with the third ACK") {}
  SUBCASE("with the third ACK lost") {
    pair.script = [&acks](Side from, std::uint32_t, wire::Segment& piece) {
      const bool third = from == Side::kA && !piece.flags.syn && acks++ == 0;
      return third ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
    };
  }
  pair.connect(message);
  REQUIRE(pair.run([&] { return pair.a.incoming.readable() == 2; }, 5s));
  const auto b = sent(pair, Side::kB);
  REQUIRE(b.size() >= 2);
  CHECK(b[1].time == b[0].time);  // back to back with the SYN-ACK
  const auto* dss = b[1].segment.options.find<wire::Dss>();
  REQUIRE(dss != nullptr);
  CHECK(dss->data_ack == 0);  // a placeholder: the client's key is not known yet
  CHECK_FALSE(dss->eight_byte_ack);
  REQUIRE(dss->mapping.has_value());
  CHECK(dss->mapping->subflow_sequence == 1);
  pair.b.offered = 2;
  CHECK(pair.transfer(50'000, 60'000));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.b.status().mode == mptcp::Mode::kMptcp);
  // The first byte behind the message is SSN 1, DSN IDSN + 1.
  const auto a = sent(pair, Side::kA);
  for (const auto& logged : a) {
    if (logged.length == 0 || logged.segment.flags.syn) continue;
    const auto* mapping = logged.segment.options.find<wire::Dss>();
    if (mapping == nullptr) continue;
    REQUIRE(mapping->mapping.has_value());
    const std::uint32_t first = mapping->mapping->subflow_sequence + 300;
    CHECK(logged.segment.seq - a[0].segment.seq >= static_cast<std::int32_t>(first));
    break;
  }
}

TEST_CASE("a withheld answer waits, and what is put into the pipe follows it") {
  MptcpPair pair(3, 1);
  pair.answer_at_once = false;
  pair.message_length = 8;
  pair.connect(stream_bytes(0, 8));
  pair.run_for(2500ms);
  REQUIRE(pair.b.connection != nullptr);
  CHECK(sent(pair, Side::kB).empty());
  CHECK(pair.b.connection->syn_repeats() == 1);
  pair.b.offer(100, false);
  pair.b.connection->answer(pair.now());
  pair.run_for(15ms);
  const auto b = sent(pair, Side::kB);
  REQUIRE(b.size() == 2);
  CHECK(b[0].segment.flags.syn);
  CHECK(b[1].length == 100);
}

TEST_CASE("a join shows its four packets") {
  MptcpPair pair(4);
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  REQUIRE(pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 5s));
  std::vector<MptcpPair::Logged> second;
  for (const auto& logged : pair.log()) {
    if (logged.path == 2) second.push_back(logged);
  }
  REQUIRE(second.size() >= 4);
  const auto* syn = second[0].segment.options.find<wire::MpJoinSyn>();
  REQUIRE(syn != nullptr);
  CHECK(syn->token == pair.b.connection->local_token());
  CHECK(syn->address_id == 2);
  const auto* syn_ack = second[1].segment.options.find<wire::MpJoinSynAck>();
  REQUIRE(syn_ack != nullptr);
  CHECK(syn_ack->address_id == 0);
  CHECK(second[2].segment.options.find<wire::MpJoinAck>() != nullptr);
  CHECK_MESSAGE(second[3].segment.options.find<wire::Dss>() != nullptr, options_of(second[3]));
  CHECK(second[3].from == Side::kB);
}

TEST_CASE("no join leaves before anything was heard of the peer at the data level (M24)") {
  MptcpPair pair(5);
  pair.a.known_rtts[2] = 1s;
  REQUIRE(pair.establish());
  pair.run_for(2s);
  CHECK(pair.a.open_subflows() == 1);
  for (const auto& logged : pair.log()) CHECK(logged.path == 1);
}

TEST_CASE("a join leaves with the peer's first mapping where our key arrives before it") {
  MptcpPair pair(5);
  pair.a.known_rtts[1] = 40ms;
  bool early = false;
  SUBCASE("over a path that is longer") {
    pair.a.known_rtts[2] = 120ms;
    early = true;
  }
  SUBCASE("not over one that may be as short") { pair.a.known_rtts[2] = 50ms; }
  SUBCASE("not over one that nobody knows") {}
  pair.wires[1].delay = 20ms;
  pair.wires[2].delay = 60ms;
  pair.message_length = 3;
  pair.connect({'s', 'y', 'n'});
  CHECK(pair.transfer(300'000, 300'000));
  const auto& log = pair.log();
  const auto first = [&](auto&& is) { return std::find_if(log.begin(), log.end(), is)->time; };
  const Instant join = first([](const auto& one) {
    return one.segment.options.template find<wire::MpJoinSyn>() != nullptr;
  });
  const Instant syn_ack =
      first([](const auto& one) { return one.segment.flags.syn && one.segment.flags.ack; });
  // At once, or after the answer to our first bytes.
  CHECK(join - syn_ack == (early ? 20ms : 60ms));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("a join that has overtaken our key is dropped, not refused, and comes again") {
  MptcpPair pair(5);
  pair.a.known_rtts = {{1, 200ms}, {2, 1s}};  // the second was, and is no longer
  pair.wires[1].delay = 100ms;
  pair.wires[2].delay = 1ms;
  pair.message_length = 3;
  pair.connect({'s', 'y', 'n'});
  REQUIRE(pair.run(
      [&] {
        if (pair.b.connection) pair.b.offer(10'000'000, false);
        pair.a.drain();
        return pair.b.connection && pair.b.open_subflows() == 2;
      },
      10s));
  int joins = 0;
  for (const auto& logged : pair.log()) {
    CHECK_FALSE(logged.segment.flags.rst);
    joins += logged.segment.options.find<wire::MpJoinSyn>() != nullptr;
  }
  CHECK(joins > 1);
}

TEST_CASE("what overtakes the third ACK does not part the two ends") {
  MptcpPair pair(14);
  pair.message_length = 3;
  std::uint64_t bytes = 0;
  SUBCASE("data, while the third ACK and the first mapping are lost") { bytes = 20'000; }
  SUBCASE("an end without data") {}
  int lost = 0;
  pair.script = [&](Side from, std::uint32_t, wire::Segment& piece) {
    const bool key = from == Side::kA && piece.options.find<wire::MpCapable>() != nullptr;
    return key && !piece.flags.syn && lost++ < 3 ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
  };
  pair.connect({'s', 'y', 'n'});
  CHECK(pair.transfer(bytes, 1000, 30s));
  CHECK(lost >= 3);
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.b.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("a lost third ACK of a join is repeated until the fourth packet comes") {
  MptcpPair pair(6);
  REQUIRE(pair.establish());
  int dropped = 0;
  pair.script = [&dropped](Side, std::uint32_t, wire::Segment& piece) {
    const bool third = piece.options.find<wire::MpJoinAck>() != nullptr;
    return third && dropped++ < 3 ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
  };
  pair.b.offer(200'000, false);
  CHECK(pair.run(
      [&] {
        pair.b.offer(400'000, false);
        pair.a.drain();
        return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2;
      },
      10s));
  CHECK(dropped >= 3);
}

TEST_CASE(
    "a repeated third ACK is answered: the fourth packet may have been lost, and no data follow") {
  MptcpPair pair(6);
  REQUIRE(pair.establish());
  int dropped = 0;
  pair.script = [&dropped](Side from, std::uint32_t path, wire::Segment& piece) {
    const bool fourth = from == Side::kB && path == 2 && !piece.flags.syn && dropped == 0;
    return fourth && ++dropped > 0 ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
  };
  pair.a.offer(1, false);  // and nothing more that b would have to answer
  CHECK(pair.run([&] { return pair.a.open_subflows() == 2; }, 3s));
  CHECK(dropped == 1);
}

TEST_CASE("a join with a wrong HMAC is reset") {
  MptcpPair pair(7);
  pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
    for (std::size_t i = 0; i < piece.options.mptcp.size(); ++i) {
      if (auto* ack = std::get_if<wire::MpJoinAck>(&piece.options.mptcp[i])) ack->hmac[5] ^= 1;
    }
    return MptcpPair::Fate::kPass;
  };
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  pair.run_for(500ms);
  CHECK(pair.b.open_subflows() == 1);
  bool reset = false;
  for (const auto& logged : pair.log()) {
    if (logged.path != 2 || logged.from != Side::kB || !logged.segment.flags.rst) continue;
    reset = true;
    const auto* why = logged.segment.options.find<wire::MpTcprst>();
    REQUIRE(why != nullptr);
    CHECK(why->reason == wire::TcprstReason::kMptcpSpecific);
  }
  CHECK(reset);
  CHECK(pair.transfer(10'000, 10'000));  // M86: the connection lives on
}

TEST_CASE("a join for an unknown token is refused with a reason") {
  MptcpPair pair(8);
  REQUIRE(pair.establish());
  pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
    for (std::size_t i = 0; i < piece.options.mptcp.size() && from == Side::kA; ++i) {
      if (auto* syn = std::get_if<wire::MpJoinSyn>(&piece.options.mptcp[i])) syn->token ^= 1;
    }
    return MptcpPair::Fate::kPass;
  };
  pair.a.offer(1, false);
  pair.run_for(500ms);
  CHECK(pair.a.open_subflows() == 1);
  CHECK(pair.a.connection->counters().joins_failed == 1);
  const auto& last = pair.log().back();
  CHECK(last.segment.flags.rst);
  REQUIRE(last.segment.options.find<wire::MpTcprst>() != nullptr);
  CHECK(pair.transfer(10'000, 10'000));
}

TEST_CASE("after three silent SYNs the fourth is plain TCP") {
  MptcpPair pair(9, 1);
  pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
    return piece.options.mptcp.empty() ? MptcpPair::Fate::kPass : MptcpPair::Fate::kDrop;
  };
  pair.connect();
  CHECK(pair.transfer(10'000, 20'000));
  CHECK(pair.a.status().mode == mptcp::Mode::kFallback);
  const auto a = sent(pair, Side::kA);
  for (std::size_t i = 0; i < 4; ++i) CHECK(a[i].segment.options.mptcp.size() == (i < 3 ? 1 : 0));
  CHECK(pair.a.status().capable_unanswered);
}

TEST_CASE("with a Convert message the third SYN is plain, its payload with it (M35)") {
  MptcpPair pair(10, 1);
  pair.message_length = 24;
  const auto message = stream_bytes(0, 24);
  int lost = 0;
  SUBCASE("because the first two are swallowed") {
    pair.script = [&lost](Side, std::uint32_t, wire::Segment& piece) {
      const bool capable = piece.options.find<wire::MpCapable>() != nullptr;
      lost += capable ? 1 : 0;
      return capable ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
    };
  }
  SUBCASE("or their answers are lost: those speak MPTCP all the same") {
    pair.script = [&lost, &pair](Side from, std::uint32_t, wire::Segment& piece) {
      const bool answer = from == Side::kB && piece.flags.syn && pair.now() < Instant(4500ms);
      lost += answer ? 1 : 0;
      return answer ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
    };
  }
  pair.connect(message);
  CHECK(pair.transfer(10'000, 20'000));
  CHECK(lost >= 2);
  const auto a = sent(pair, Side::kA);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(a[i].segment.flags.syn);
    CHECK(a[i].length == 24);
    CHECK((a[i].segment.options.find<wire::MpCapable>() != nullptr) == (i < 2));
  }
  const bool swallowed = lost == 2;
  CHECK(pair.a.status().mode == (swallowed ? mptcp::Mode::kFallback : mptcp::Mode::kMptcp));
  CHECK(pair.a.status().capable_unanswered == swallowed);
}

TEST_SUITE_END();
