#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

using Fate = MptcpPair::Fate;

void strip(wire::Segment& piece) { piece.options.mptcp.clear(); }

template <typename T>
void strip_only(wire::Segment& piece) {
  wire::FewOf<wire::MptcpOption, 3> kept;
  for (const auto& option : piece.options.mptcp) {
    if (!std::holds_alternative<T>(option)) kept.push_back(option);
  }
  piece.options.mptcp = kept;
}

// Both ends carry both streams as plain TCP, and say so.
void check_plain(MptcpPair& pair, std::uint64_t from_a = 60'000, std::uint64_t from_b = 90'000) {
  CHECK(pair.transfer(from_a, from_b));
  CHECK(pair.a.status().mode == mptcp::Mode::kFallback);
  CHECK(pair.b.status().mode == mptcp::Mode::kFallback);
  CHECK(pair.run([&] { return pair.a.status().closed && pair.b.status().closed; }, 30s));
  CHECK(pair.a.status().closed == tcp::CloseReason::kFinished);
  CHECK(pair.b.status().closed == tcp::CloseReason::kFinished);
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("options lost anywhere in the handshake leave plain TCP") {
  MptcpPair pair(1);
  SUBCASE("from the SYN") {  // M33
    pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kA && piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("from the SYN-ACK") {  // M34
    pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kB && piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("from all but the SYNs") {  // M34, M107
    pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
      if (!piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("from what the client sends after its SYN") {
    pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kA && !piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("from what the server sends after its SYN-ACK") {
    pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kB && !piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("because one side does not want it") {
    pair.b.config.negotiate = mptcp::ConnectionConfig::Negotiate::kPlainTcp;
  }
  SUBCASE("because the client does not want it") {
    pair.a.config.negotiate = mptcp::ConnectionConfig::Negotiate::kPlainTcp;
  }
  pair.connect();
  check_plain(pair);
}

TEST_CASE("a Convert message in the SYN is no part of the stream, whatever becomes of MPTCP") {
  MptcpPair pair(2);
  pair.message_length = 300;
  bool plain = true;
  SUBCASE("nothing") { plain = false; }
  SUBCASE("stripped from the SYN-ACK") {
    pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kB && piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("stripped after the SYNs") {
    pair.script = [](Side, std::uint32_t, wire::Segment& piece) {
      if (!piece.flags.syn) strip(piece);
      return Fate::kPass;
    };
  }
  // The message, then the head of the stream, in one SYN.
  auto payload = std::vector<std::uint8_t>(300, 0xee);
  const auto head = stream_bytes(0, 500);
  payload.insert(payload.end(), head.begin(), head.end());
  pair.connect(payload);
  REQUIRE(pair.run([&] { return pair.b.connection != nullptr; }, 1s));
  // The client's stream goes on behind what its SYN carried.
  bool intact = true;
  CHECK(pair.run(
      [&] {
        const auto rest = stream_bytes(500, 20'000);
        if (pair.a.outgoing.in_order().value() == 0) pair.a.outgoing.append(Slices(Bytes(rest)));
        pair.b.offer(30'000, true);
        intact = intact && pair.b.drain() && pair.a.drain();
        return pair.b.drained == 20'500 && pair.a.drained == 30'000;
      },
      20s));
  CHECK(intact);
  CHECK((pair.a.status().mode == mptcp::Mode::kFallback) == plain);
  CHECK((pair.b.status().mode == mptcp::Mode::kFallback) == plain);
}

TEST_CASE("DATA_ACKs that never come make the sender fall back with an infinite mapping") {
  MptcpPair pair(3, 1);
  pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
    if (from == Side::kB && !piece.flags.syn && piece.payload.empty()) strip_only<wire::Dss>(piece);
    return Fate::kPass;
  };
  REQUIRE(pair.establish());
  pair.a.offer(20'000, false);
  REQUIRE(pair.run([&] { return pair.a.status().mode == mptcp::Mode::kFallback; }, 2s));  // M109
  pair.run_for(100ms);
  const bool told = std::any_of(pair.log().begin(), pair.log().end(), [](const auto& logged) {
    const auto* dss = logged.segment.options.template find<wire::Dss>();
    return logged.from == Side::kA && dss != nullptr && dss->mapping &&
           dss->mapping->data_length == 0;
  });
  CHECK(told);
  check_plain(pair);
}

TEST_CASE("an infinite mapping is of data: beside a DATA_ACK on an ACK it means nothing (M113)") {
  MptcpPair pair(3, 1);
  const auto map_for_ever = [](wire::Segment& piece) {
    const wire::Dss* const said = piece.options.find<wire::Dss>();
    if (said == nullptr) return;
    wire::Dss dss = *said;
    if (!dss.mapping) dss.mapping = wire::Dss::Mapping{.subflow_sequence = 1};
    dss.mapping->data_length = 0;
    piece.options.mptcp = {dss};
  };
  bool plain = false;
  SUBCASE("on an ACK") {
    pair.script = [&](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kB && !piece.flags.syn && piece.payload.empty()) map_for_ever(piece);
      return Fate::kPass;
    };
  }
  SUBCASE("on data") {
    plain = true;
    pair.script = [&](Side from, std::uint32_t, wire::Segment& piece) {
      if (from == Side::kB && !piece.flags.syn && !piece.payload.empty()) map_for_ever(piece);
      return Fate::kPass;
    };
  }
  REQUIRE(pair.establish());
  CHECK(pair.transfer(20'000, 10'000));
  CHECK((pair.a.status().mode == mptcp::Mode::kFallback) == plain);
}

TEST_CASE("an ADD_ADDR that leaves no room for a DATA_ACK is no reason to fall back") {
  MptcpPair pair(3, 1);
  // All that acknowledges our first data is the announcement.
  pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
    if (from == Side::kA || piece.flags.syn) return Fate::kPass;
    if (piece.options.find<wire::AddAddr>() == nullptr) return Fate::kDrop;
    CHECK(piece.options.find<wire::Dss>() == nullptr);
    return Fate::kPass;
  };
  REQUIRE(pair.establish());
  pair.a.offer(1'000, false);
  pair.run_for(30ms);
  pair.b.connection->announce(9, {*wire::IpAddress::parse("2001:db8::9"), 8803}, pair.now());
  pair.run_for(100ms);
  const auto& log = pair.log();
  REQUIRE(std::any_of(log.begin(), log.end(), [](const auto& logged) {
    return logged.from == Side::kB && logged.segment.options.template find<wire::AddAddr>();
  }));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("a checksum that is wrong on the only subflow ends in plain TCP without losing a byte") {
  MptcpPair pair(4, 1);
  pair.a.config.checksums = mptcp::Checksums::kRequired;
  REQUIRE(pair.establish());
  bool intact = true;
  REQUIRE(pair.run(
      [&] {
        pair.b.offer(50'000, false);
        intact = intact && pair.a.drain();
        return pair.a.drained == 50'000;
      },
      5s));
  // A middlebox that rewrites what it carries: here the sum, so that the bytes stay comparable.
  pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
    for (std::size_t i = 0; i < piece.options.mptcp.size() && from == Side::kB; ++i) {
      auto* dss = std::get_if<wire::Dss>(&piece.options.mptcp[i]);
      if (dss && dss->mapping && dss->mapping->checksum && dss->mapping->data_length > 0) {
        dss->mapping->checksum = static_cast<std::uint16_t>(*dss->mapping->checksum ^ 1);
      }
    }
    return Fate::kPass;
  };
  check_plain(pair, 60'000, 200'000);
  CHECK(pair.a.connection->counters().checksum_failures == 1);
  int fails[2] = {0, 0};
  for (const auto& logged : pair.log()) {
    if (logged.segment.options.find<wire::MpFail>()) ++fails[static_cast<int>(logged.from)];
  }
  CHECK(fails[0] >= 1);
  CHECK(fails[1] >= 1);  // M114
}

TEST_CASE("a checksum that is wrong on one of two subflows costs that subflow") {
  MptcpPair pair(5);
  pair.a.config.checksums = mptcp::Checksums::kRequired;
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  REQUIRE(pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 5s));
  pair.script = [](Side from, std::uint32_t path, wire::Segment& piece) {
    for (std::size_t i = 0; i < piece.options.mptcp.size() && from == Side::kB && path == 2; ++i) {
      auto* dss = std::get_if<wire::Dss>(&piece.options.mptcp[i]);
      if (dss && dss->mapping && dss->mapping->checksum) *dss->mapping->checksum ^= 1;
    }
    return Fate::kPass;
  };
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  CHECK(pair.transfer(1000, 1'000'000));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.a.connection->counters().checksum_failures >= 1);
  const bool told = std::any_of(pair.log().begin(), pair.log().end(), [](const auto& logged) {
    return logged.path == 2 && logged.segment.flags.rst &&
           logged.segment.options.template find<wire::MpFail>() != nullptr;
  });
  CHECK(told);  // M111
}

TEST_CASE("a joined subflow whose options are stripped is reset, and the rest goes on") {
  MptcpPair pair(6);
  REQUIRE(pair.establish());
  pair.a.offer(1, false);
  REQUIRE(pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 5s));
  pair.script = [](Side, std::uint32_t path, wire::Segment& piece) {
    if (path == 2 && !piece.flags.syn && !piece.flags.rst) strip(piece);
    return Fate::kPass;
  };
  for (auto& [path, wire] : pair.wires) wire.rate = 1'000'000;
  CHECK(pair.transfer(100'000, 1'000'000));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  const bool told = std::any_of(pair.log().begin(), pair.log().end(), [](const auto& logged) {
    const auto* why = logged.segment.options.template find<wire::MpTcprst>();
    return logged.path == 2 && logged.segment.flags.rst && why != nullptr &&
           why->reason == wire::TcprstReason::kMiddleboxInterference;
  });
  CHECK(told);  // M109, M110
}

TEST_CASE("MP_FAIL on a RST ends one subflow: the other end does not fall back by it (M111)") {
  MptcpPair pair(51);
  pair.a.config.checksums = mptcp::Checksums::kRequired;
  REQUIRE(pair.establish());
  bool damaged = false;
  bool told = false;
  pair.script = [&](Side from, std::uint32_t path, wire::Segment& piece) {
    // The fourth packet of the join is lost at first: b has seen the join open, a has not.
    if (from == Side::kB && path == 2 && !piece.flags.syn && !told) return MptcpPair::Fate::kDrop;
    for (std::size_t i = 0; i < piece.options.mptcp.size(); ++i) {
      auto* dss = std::get_if<wire::Dss>(&piece.options.mptcp[i]);
      const bool mapped = dss != nullptr && dss->mapping && dss->mapping->checksum;
      if (from == Side::kA && path == 1 && mapped && !told && pair.b.open_subflows() == 2) {
        damaged = true;
        dss->mapping->checksum = static_cast<std::uint16_t>(*dss->mapping->checksum ^ 1);
      }
    }
    const bool fails = piece.options.find<wire::MpFail>() != nullptr;
    told = told || (from == Side::kB && piece.flags.rst && fails);
    return MptcpPair::Fate::kPass;
  };
  pair.a.offer(1000, false);
  pair.run([&] { return pair.b.open_subflows() == 2; }, 5s);
  CHECK(pair.transfer(100'000, 1000, 60s));
  REQUIRE(damaged);
  REQUIRE(told);
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
  CHECK(pair.b.status().mode == mptcp::Mode::kMptcp);
}

TEST_CASE("a segment splitter that repeats the option on every piece does no harm") {
  MptcpPair pair(7, 1);
  // The wire cuts super-segments just so already; and mappings may come on the first piece alone.
  std::uint32_t last_mapping = 0;
  pair.script = [&last_mapping](Side from, std::uint32_t, wire::Segment& piece) {
    if (from != Side::kB || piece.payload.empty()) return Fate::kPass;
    const auto* dss = piece.options.find<wire::Dss>();
    if (dss == nullptr || !dss->mapping) return Fate::kPass;
    if (dss->mapping->subflow_sequence == last_mapping)
      strip(piece);
    else
      last_mapping = dss->mapping->subflow_sequence;
    return Fate::kPass;
  };
  REQUIRE(pair.establish());
  CHECK(pair.transfer(10'000, 400'000));
  CHECK(pair.a.status().mode == mptcp::Mode::kMptcp);
}

TEST_SUITE_END();
