// Rules of RFC 8684 between two ends and a wire that lies: what the tests of single files do not
// show.
#include <doctest/doctest.h>

#include <algorithm>

#include "stack/mptcp/negotiation.h"
#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

using Fate = MptcpPair::Fate;

bool join_all(MptcpPair& pair) {
  if (!pair.establish()) return false;
  pair.a.offer(1, false);
  return pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 10s);
}

template <typename T>
T* option_of(wire::Segment& piece) {
  for (std::size_t i = 0; i < piece.options.mptcp.size(); ++i) {
    if (auto* found = std::get_if<T>(&piece.options.mptcp[i])) return found;
  }
  return nullptr;
}

template <typename T>
void strip_only(wire::Segment& piece) {
  wire::FewOf<wire::MptcpOption, 3> kept;
  for (const auto& option : piece.options.mptcp) {
    if (!std::holds_alternative<T>(option)) kept.push_back(option);
  }
  piece.options.mptcp = kept;
}

// Whether `from` has sent a RST for this reason over this path.
bool has_reset(const MptcpPair& pair, Side from, std::uint32_t path, wire::TcprstReason reason) {
  return std::any_of(pair.log().begin(), pair.log().end(), [&](const MptcpPair::Logged& logged) {
    const auto* why = logged.segment.options.find<wire::MpTcprst>();
    return logged.from == from && logged.path == path && logged.segment.flags.rst &&
           why != nullptr && why->reason == reason;
  });
}

// The key that `side` gave in its handshake.
std::uint64_t key_of(const MptcpPair& pair, Side side) {
  for (const auto& logged : pair.log()) {
    const auto* capable = logged.segment.options.find<wire::MpCapable>();
    if (logged.from == side && capable != nullptr && capable->sender_key) {
      return *capable->sender_key;
    }
  }
  return 0;
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE(
    "a later version is answered with ours, two algorithms in an answer are none (M16, M31)") {
  mptcp::Negotiation responder(mptcp::Negotiation::Role::kResponder, 7, {});
  wire::TcpOptions offer;
  offer.mptcp.push_back(wire::MpCapable{.version = 2});
  responder.receive_syn(offer);
  REQUIRE(responder.agreed());
  CHECK(responder.syn_ack().version == 1);
  CHECK(responder.syn_ack().crypto_bits == 1);

  wire::MpCapable answer{.sender_key = 9};
  SUBCASE("one algorithm") {}
  SUBCASE("two algorithms") { answer.crypto_bits = 3; }
  SUBCASE("a later version than we asked for") { answer.version = 2; }
  mptcp::Negotiation initiator(mptcp::Negotiation::Role::kInitiator, 8, {});
  wire::TcpOptions options;
  options.mptcp.push_back(answer);
  initiator.receive_syn_ack(options);
  CHECK(initiator.agreed() == (answer.crypto_bits == 1 && answer.version == 1));
}

TEST_CASE("a key whose token is in use is drawn again (M17, M18)") {
  // Connections of one host, before each of which chance begins anew.
  MptcpPair pair(5);
  MptcpPair::End& host = pair.a;
  std::vector<std::unique_ptr<mptcp::Connection>> connections;
  for (std::uint16_t port = 5000; port < 5003; ++port) {
    host.random = Random(std::uint64_t{77});
    auto& connection = *connections.emplace_back(std::make_unique<mptcp::Connection>(
        host.mptcp, host.outgoing, host.incoming, nullptr, host.config, host.owner));
    connection.connect(host.local_paths[0], port, MptcpPair::server(), {}, pair.now());
    CHECK(connection.local_token() != 0);
  }
  CHECK(connections[0]->local_token() != connections[1]->local_token());
  CHECK(connections[1]->local_token() != connections[2]->local_token());
  CHECK(connections[0]->local_token() != connections[2]->local_token());
}

TEST_CASE("an answer to a join that proves nothing is reset, and so is a third ACK without proof") {
  MptcpPair pair(21);
  Side resets = Side::kA;
  SUBCASE("a wrong HMAC in the SYN-ACK (M42, M45)") {
    pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
      if (auto* answer = option_of<wire::MpJoinSynAck>(piece)) answer->truncated_hmac ^= 1;
      return Fate::kPass;
    };
  }
  SUBCASE("no MP_JOIN in the SYN-ACK (M42, M45)") {
    pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
      strip_only<wire::MpJoinSynAck>(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("no MP_JOIN in the third ACK (M43, M45, M119)") {
    resets = Side::kB;
    pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
      strip_only<wire::MpJoinAck>(piece);
      return Fate::kPass;
    };
  }
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  pair.run_for(500ms);
  CHECK(has_reset(pair, resets, 2, wire::TcprstReason::kMptcpSpecific));
  CHECK(pair.b.open_subflows() == 1);
  CHECK(pair.transfer(20'000, 20'000));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("more joins than allowed are refused as prohibited, for now (M49, M40)") {
  MptcpPair pair(22, 3);
  pair.b.config.max_subflows = 2;
  REQUIRE(join_all(pair));
  pair.run_for(3s);
  CHECK(pair.b.open_subflows() == 2);
  CHECK(has_reset(pair, Side::kB, 3, wire::TcprstReason::kAdministrativelyProhibited));
  CHECK(pair.transfer(20'000, 20'000));
}

TEST_CASE(
    "every piece of data explains itself, and DATA_ACKs are as wide as the DSNs (M53, M55, M56, "
    "M108)") {
  MptcpPair pair(23);
  bool wide = false;
  std::uint32_t full = 1428;  // 1500 - 40 - 12 - 20
  SUBCASE("four octets at first") {}
  SUBCASE("eight, when told so") {
    wide = true;
    full = 1420;
    pair.a.config.habits = pair.b.config.habits = &kLongDsns;
  }
  REQUIRE(join_all(pair));
  CHECK(pair.transfer(300'000, 300'000));
  std::size_t data = 0;
  std::uint32_t largest = 0;
  // From the middle on: both know how wide the other's are.
  for (std::size_t i = pair.log().size() / 2; i < pair.log().size(); ++i) {
    const auto& logged = pair.log()[i];
    const auto* dss = logged.segment.options.find<wire::Dss>();
    if (dss != nullptr && dss->data_ack) CHECK(dss->eight_byte_ack == wide);
    if (logged.length == 0) continue;
    ++data;
    largest = std::max(largest, logged.length);
    REQUIRE(dss != nullptr);
    REQUIRE(dss->mapping);
    CHECK(dss->mapping->eight_byte_sequence == wide);
  }
  CHECK(data > 200);
  CHECK(largest == full);
}

TEST_CASE(
    "a lone segment that is lost is asked after two round trips and 40 ms: no end of ours keeps an "
    "ACK for longer") {
  MptcpPair pair(31, 1);
  pair.wires[1].delay = 20ms;
  REQUIRE(pair.establish());
  const auto say = [&](std::uint64_t total) {
    pair.a.offer(total, false);
    return pair.run([&] { return pair.b.drain() && pair.b.drained == total; }, 5s);
  };
  REQUIRE(say(20'000));
  pair.run_for(500ms);
  std::vector<Instant> sent;
  pair.script = [&](Side from, std::uint32_t, wire::Segment& piece) {
    if (from == Side::kB || piece.payload.empty()) return Fate::kPass;
    sent.push_back(pair.now());
    return sent.size() == 1 ? Fate::kDrop : Fate::kPass;
  };
  REQUIRE(say(20'100));
  REQUIRE(sent.size() == 2);
  CHECK(sent[1] - sent[0] >= 2 * 40ms + 40ms);
  CHECK(sent[1] - sent[0] <= 2 * 40ms + 60ms);  // the smoothed round trip has seen a delayed ACK
}

TEST_CASE(
    "DSNs of four octets end where another byte with the same ones could be on its way (M55)") {
  ChunkPool pool(1 << 20);
  Pipe out(pool, 65536), in(pool, 65536);
  const mptcp::Habits ours;
  const mptcp::DataLevel level(out, in, ours);
  CHECK_FALSE(level.has_long_sequence(StreamOffset(0)));
  CHECK_FALSE(level.has_long_sequence(StreamOffset((std::uint64_t{1} << 31) - 1)));
  CHECK(level.has_long_sequence(StreamOffset(std::uint64_t{1} << 31)));
  CHECK(mptcp::DataLevel(out, in, kLongDsns).has_long_sequence(StreamOffset(0)));
}

TEST_CASE(
    "a DSS checksum that is there unasked, or asked for and missing, costs the subflow (M58)") {
  MptcpPair pair(24);
  bool agreed = false;
  SUBCASE("unasked") {}
  SUBCASE("missing") { agreed = true; }
  if (agreed) pair.a.config.checksums = mptcp::Checksums::kRequired;
  REQUIRE(join_all(pair));
  pair.script = [agreed](Side from, std::uint32_t path, wire::Segment& piece) {
    auto* dss = option_of<wire::Dss>(piece);
    if (from == Side::kB && path == 2 && dss != nullptr && dss->mapping) {
      dss->mapping->checksum.reset();
      if (!agreed) dss->mapping->checksum = 0x1234;
    }
    return Fate::kPass;
  };
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  CHECK(pair.transfer(1000, 1'000'000));
  CHECK(has_reset(pair, Side::kA, 2, wire::TcprstReason::kMptcpSpecific));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE(
    "data whose mapping never comes is acknowledged for a while, then the subflow is reset (M59, "
    "M60)") {
  MptcpPair pair(25);
  REQUIRE(join_all(pair));
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  std::uint64_t unmapped = 0;
  bool stripping = false;
  pair.script = [&](Side from, std::uint32_t path, wire::Segment& piece) {
    if (stripping && from == Side::kB && path == 2 && !piece.payload.empty()) {
      strip_only<wire::Dss>(piece);
      unmapped += piece.payload.size();
    }
    return Fate::kPass;
  };
  bool intact = true;
  REQUIRE(pair.run(
      [&] {
        pair.b.offer(3'000'000, true);
        intact = intact && pair.a.drain();
        return pair.a.bytes_in(2) > 100'000;
      },
      10s));
  stripping = true;
  CHECK(pair.run(
      [&] {
        pair.b.offer(3'000'000, true);
        intact = intact && pair.a.drain();
        return pair.a.incoming.complete() && pair.a.drained == 3'000'000;
      },
      30s));
  CHECK(intact);
  CHECK(has_reset(pair, Side::kA, 2, wire::TcprstReason::kMiddleboxInterference));
  CHECK(unmapped > 1460);
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE(
    "a subflow that stayed silent is replaced when its path works again, and told why (M75)") {
  MptcpPair pair(26);
  REQUIRE(join_all(pair));
  for (auto& [path, wire] : pair.wires) wire.rate = 300'000;
  const auto keep_going = [&] {
    pair.a.offer(20'000'000, false);
    pair.b.drain();
    return false;
  };
  pair.run(keep_going, 500ms);
  pair.wires[2].up = false;
  pair.run(keep_going, 8s);
  pair.wires[2].up = true;
  pair.run(keep_going, 15s);
  CHECK(has_reset(pair, Side::kA, 2, wire::TcprstReason::kUnacceptablePerformance));
  CHECK(pair.a.open_subflows() == 2);
}

TEST_CASE("once both streams are done every subflow ends with a FIN from each side (M82, M86)") {
  MptcpPair pair(27);
  REQUIRE(join_all(pair));
  CHECK(pair.transfer(50'000, 50'000));
  pair.run_for(2s);
  CHECK(pair.a.status().closed == tcp::CloseReason::kFinished);
  CHECK(pair.b.status().closed == tcp::CloseReason::kFinished);
  for (const Side side : {Side::kA, Side::kB}) {
    for (const std::uint32_t path : {1U, 2U}) {
      const auto fins =
          std::count_if(pair.log().begin(), pair.log().end(), [&](const auto& logged) {
            return logged.from == side && logged.path == path && logged.segment.flags.fin;
          });
      CHECK(fins == 1);
    }
  }
  CHECK(std::none_of(pair.log().begin(), pair.log().end(),
                     [](const auto& logged) { return logged.segment.flags.rst; }));
}

TEST_CASE("a REMOVE_ADDR for an address nobody uses is ignored (M98)") {
  MptcpPair pair(28);
  REQUIRE(join_all(pair));
  pair.script = [done = false](Side from, std::uint32_t path, wire::Segment& piece) mutable {
    if (from == Side::kA && path == 1 && !done && piece.payload.empty()) {
      wire::RemoveAddr remove{.count = 2};
      remove.address_ids[0] = 77;
      remove.address_ids[1] = 200;
      done = piece.options.mptcp.push_back(remove);
    }
    return Fate::kPass;
  };
  CHECK(pair.transfer(50'000, 50'000));
  CHECK(std::none_of(pair.log().begin(), pair.log().end(),
                     [](const auto& logged) { return logged.segment.flags.rst; }));
}

TEST_CASE("MP_FASTCLOSE on an ACK ends everything if it shows our key, else nothing (M101)") {
  MptcpPair pair(29);
  REQUIRE(join_all(pair));
  std::uint64_t key = key_of(pair, Side::kB);
  bool right = true;
  SUBCASE("the right key") {}
  SUBCASE("a wrong key") {
    key ^= 1;
    right = false;
  }
  int told = 0;
  pair.script = [&](Side from, std::uint32_t, wire::Segment& piece) {
    if (from == Side::kA && told == 0 && piece.payload.empty() && !piece.flags.rst) {
      piece.options.mptcp = {};
      told += piece.options.mptcp.push_back(wire::MpFastclose{.receiver_key = key});
    }
    return Fate::kPass;
  };
  pair.b.offer(10'000, false);
  pair.run([&] { return !pair.a.drain(); }, 500ms);
  REQUIRE(told == 1);
  CHECK(pair.b.status().closed.has_value() == right);
  if (right) {
    CHECK(pair.b.status().closed == tcp::CloseReason::kReset);
    for (const std::uint32_t path : {1U, 2U}) {
      CHECK(std::any_of(pair.log().begin(), pair.log().end(), [&](const auto& logged) {
        return logged.from == Side::kB && logged.path == path && logged.segment.flags.rst;
      }));
    }
    CHECK(pair.a.status().closed.has_value());
  }
}

TEST_CASE("two ends that abort at the same time leave nothing behind (M103)") {
  MptcpPair pair(30);
  REQUIRE(join_all(pair));
  pair.a.connection->abort(pair.now());
  pair.b.connection->abort(pair.now());
  pair.run_for(2s);
  CHECK(pair.a.status().closed == tcp::CloseReason::kAborted);
  CHECK(pair.b.status().closed == tcp::CloseReason::kAborted);
  CHECK(pair.a.tcp.size() == 0);
  CHECK(pair.b.tcp.size() == 0);
}

TEST_CASE(
    "a wrong checksum on the only subflow left of two is answered with RST and MP_FAIL (M115)") {
  MptcpPair pair(31);
  pair.a.config.checksums = mptcp::Checksums::kRequired;
  REQUIRE(join_all(pair));
  pair.a.local_paths.pop_back();
  pair.a.connection->paths_changed(pair.now());
  pair.run_for(3s);
  REQUIRE(pair.a.open_subflows() == 1);
  bool told = false;
  pair.script = [&](Side from, std::uint32_t path, wire::Segment& piece) {
    auto* dss = option_of<wire::Dss>(piece);
    if (from == Side::kB && !told && dss != nullptr && dss->mapping && dss->mapping->checksum) {
      dss->mapping->checksum = static_cast<std::uint16_t>(*dss->mapping->checksum ^ 1);
    }
    const auto* fail = piece.options.find<wire::MpFail>();
    told = told || (from == Side::kA && path == 1 && piece.flags.rst && fail != nullptr);
    return Fate::kPass;
  };
  CHECK(pair.transfer(1000, 200'000));
  CHECK(told);
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.a.connection->counters().checksum_failures == 1);
}

TEST_SUITE_END();
