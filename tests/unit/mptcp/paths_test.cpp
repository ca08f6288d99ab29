#include <doctest/doctest.h>

#include <algorithm>

#include "stack/mptcp/path_manager.h"
#include "tests/support/mptcp_pair.h"

using namespace braid;
using namespace braid::test;

namespace {

using mptcp::LocalPath;
using mptcp::PathManager;

wire::Endpoint endpoint(const char* address, std::uint16_t port = 8803) {
  return {*wire::IpAddress::parse(address), port};
}
LocalPath path(std::uint32_t interface, const char* address) {
  return {.interface = interface,
          .address = *wire::IpAddress::parse(address),
          .address_id = static_cast<std::uint8_t>(interface)};
}
const PathManager::Occupied kNobody = [](const LocalPath&) { return false; };
constexpr Instant kStart{10s};

bool join_all(MptcpPair& pair) {
  if (!pair.establish()) return false;
  pair.a.offer(1, false);
  return pair.run([&] { return pair.a.open_subflows() == 2 && pair.b.open_subflows() == 2; }, 10s);
}

template <typename T>
std::vector<MptcpPair::Logged> carrying(const MptcpPair& pair, Side from) {
  std::vector<MptcpPair::Logged> out;
  for (const auto& logged : pair.log()) {
    if (logged.from == from && logged.segment.options.find<T>() != nullptr) out.push_back(logged);
  }
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");

TEST_CASE("one join per free path, to the first address where the family fits") {
  PathManager manager(1s);
  manager.set_primary(endpoint("192.0.2.1"), PathManager::Joinable::kYes);
  const std::vector<LocalPath> paths{path(1, "10.0.1.1"), path(2, "2001:db8::1")};
  const auto wanted = manager.next(paths, kNobody, kStart);
  REQUIRE(wanted.has_value());
  CHECK(wanted->path.interface == 1);
  CHECK(wanted->remote == endpoint("192.0.2.1"));
  const auto first_taken = [](const LocalPath& p) { return p.interface == 1; };
  CHECK_FALSE(manager.next(paths, first_taken, kStart));
  manager.advertised(3, *wire::IpAddress::parse("2001:db8:f::9"), std::nullopt);
  const auto sixth = manager.next(paths, first_taken, kStart);
  REQUIRE(sixth.has_value());
  CHECK(sixth->remote == endpoint("2001:db8:f::9"));  // M94: the first subflow's port
}

TEST_CASE("a peer that denies joins is joined at an advertised address only") {
  PathManager manager(1s);
  manager.set_primary(endpoint("192.0.2.1"), PathManager::Joinable::kDenied);
  const std::vector<LocalPath> paths{path(2, "10.0.2.1")};
  CHECK_FALSE(manager.next(paths, kNobody, kStart));
  manager.advertised(3, *wire::IpAddress::parse("192.0.2.9"), 443);
  REQUIRE(manager.next(paths, kNobody, kStart));
  CHECK(manager.next(paths, kNobody, kStart)->remote == endpoint("192.0.2.9", 443));
  // M92: not without REMOVE_ADDR.
  manager.advertised(3, *wire::IpAddress::parse("192.0.2.10"), 443);
  CHECK(manager.next(paths, kNobody, kStart)->remote == endpoint("192.0.2.9", 443));
  manager.withdrawn(3);
  CHECK_FALSE(manager.next(paths, kNobody, kStart));
}

TEST_CASE("failed joins pause longer each time, and a path that returns starts afresh") {
  PathManager manager(1s);
  manager.set_primary(endpoint("192.0.2.1"), PathManager::Joinable::kYes);
  std::vector<LocalPath> paths{path(2, "10.0.2.1")};
  Instant now = kStart;
  for (const Duration pause : {1s, 2s, 4s}) {
    REQUIRE(manager.next(paths, kNobody, now));
    manager.attempted(paths[0], now);
    manager.failed(paths[0], PathManager::Refusal::kTransient, now);
    CHECK_FALSE(manager.next(paths, kNobody, now + pause - 1ms));
    CHECK(manager.next_deadline(paths, kNobody, now) == now + pause);
    now += pause;
  }
  manager.failed(paths[0], PathManager::Refusal::kTransient, now);
  paths[0].usable = false;
  manager.paths_changed(paths);
  CHECK(manager.next_deadline(paths, kNobody, now) == kNever);
  paths[0].usable = true;
  manager.paths_changed(paths);
  CHECK(manager.next(paths, kNobody, now));
}

TEST_CASE("an announced address is echoed and joined") {
  MptcpPair pair(1);
  pair.a.local_paths.pop_back();
  REQUIRE(pair.establish());
  const wire::IpAddress second = *wire::IpAddress::parse("192.0.2.50");
  int lost = 0;
  pair.script = [&lost](Side, std::uint32_t, wire::Segment& piece) {
    const bool announces = piece.options.find<wire::AddAddr>() != nullptr;
    return announces && lost++ == 0 ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
  };
  pair.b.connection->announce(7, {second, 8803}, pair.now());
  pair.run_for(3s);
  const auto announced = carrying<wire::AddAddr>(pair, Side::kB);
  CHECK(announced.size() == 2);  // the first was lost
  const auto echoes = carrying<wire::AddAddr>(pair, Side::kA);
  REQUIRE(echoes.size() == 1);
  CHECK(*echoes[0].segment.options.find<wire::AddAddr>() ==
        wire::AddAddr{.echo = true, .address_id = 7, .address = second});
}

TEST_CASE(
    "a pure ACK that announces an address says nothing else when there is nothing new to say") {
  MptcpPair pair(1, 1);
  REQUIRE(pair.establish());
  pair.a.offer(100, false);
  pair.run_for(1s);
  pair.b.connection->announce(7, {*wire::IpAddress::parse("192.0.2.50"), 8803}, pair.now());
  pair.run_for(1s);
  const auto announced = carrying<wire::AddAddr>(pair, Side::kB);
  REQUIRE(announced.size() == 1);
  CHECK(announced[0].segment.options.mptcp.size() == 1);
}

TEST_CASE("an announcement taken back is removed at the peer, and not repeated") {
  MptcpPair pair(1, 1);
  REQUIRE(pair.establish());
  pair.b.connection->announce(7, {*wire::IpAddress::parse("192.0.2.50"), 8803}, pair.now());
  pair.run_for(1s);
  pair.b.connection->withdraw(7, pair.now());
  pair.run_for(5s);
  const auto removed = carrying<wire::RemoveAddr>(pair, Side::kB);
  REQUIRE(removed.size() == 1);
  CHECK(*removed[0].segment.options.find<wire::RemoveAddr>() ==
        wire::RemoveAddr{.count = 1, .address_ids = {7}});
  CHECK(carrying<wire::AddAddr>(pair, Side::kB).size() == 1);
}

TEST_CASE("an ADD_ADDR with a wrong HMAC is as good as none") {
  MptcpPair pair(2, 1);
  REQUIRE(pair.establish());
  pair.script = [](Side from, std::uint32_t, wire::Segment& piece) {
    for (std::size_t i = 0; i < piece.options.mptcp.size() && from == Side::kB; ++i) {
      if (auto* add = std::get_if<wire::AddAddr>(&piece.options.mptcp[i])) add->truncated_hmac ^= 1;
    }
    return MptcpPair::Fate::kPass;
  };
  pair.b.connection->announce(7, endpoint("192.0.2.50"), pair.now());
  pair.run_for(5s);
  CHECK(carrying<wire::AddAddr>(pair, Side::kA).empty());  // M89
}

TEST_CASE("an IPv6 announcement fits beside timestamps, alone") {
  MptcpPair pair(3, 1);
  REQUIRE(pair.establish());
  pair.a.offer(100, false);
  pair.run_for(100ms);
  pair.b.connection->announce(9, endpoint("2001:db8::50"), pair.now());
  pair.run_for(1s);
  const auto announced = carrying<wire::AddAddr>(pair, Side::kB);
  REQUIRE(announced.size() == 1);
  CHECK(announced[0].segment.options.timestamps.has_value());
  CHECK(announced[0].segment.options.mptcp.size() == 1);
  CHECK_FALSE(announced[0].segment.options.find<wire::AddAddr>()->port.has_value());
  CHECK(carrying<wire::AddAddr>(pair, Side::kA).size() == 1);
}

TEST_CASE("a path that is lost is taken from the peer over another, and rejoined when it is back") {
  MptcpPair pair(4);
  REQUIRE(join_all(pair));
  bool intact = true;
  const auto move = [&] {
    pair.b.offer(1 << 22, false);
    intact = intact && pair.a.drain();
    return false;
  };
  for (auto& [number, wire] : pair.wires) wire.rate = 1'000'000;
  pair.run(move, 300ms);
  pair.wires[2].up = false;
  pair.a.local_paths[1].usable = false;
  pair.a.connection->paths_changed(pair.now());
  pair.run(move, 100ms);
  const auto removals = carrying<wire::RemoveAddr>(pair, Side::kA);
  REQUIRE(removals.size() == 1);
  CHECK(removals[0].path == 1);
  CHECK(removals[0].segment.options.find<wire::RemoveAddr>()->address_ids[0] == 2);
  CHECK(pair.a.open_subflows() == 1);
  pair.run(move, 2s);
  CHECK(pair.b.open_subflows() == 1);  // M97: probed, silent, gone
  pair.wires[2].up = true;
  pair.a.local_paths[1].usable = true;
  pair.a.connection->paths_changed(pair.now());
  pair.run(move, 500ms);
  CHECK(pair.a.open_subflows() == 2);
  CHECK(pair.b.open_subflows() == 2);
  CHECK(intact);
}

TEST_CASE("a REMOVE_ADDR for a path that still answers removes nothing") {
  MptcpPair pair(5);
  REQUIRE(join_all(pair));
  pair.script = [done = false](Side from, std::uint32_t path, wire::Segment& piece) mutable {
    if (from == Side::kA && path == 1 && !done && piece.payload.empty()) {
      wire::RemoveAddr remove{.count = 1};
      remove.address_ids[0] = 2;
      done = piece.options.mptcp.push_back(remove);
    }
    return MptcpPair::Fate::kPass;
  };
  pair.b.offer(10'000, false);
  pair.run(
      [&] {
        pair.a.drain();
        return false;
      },
      3s);
  CHECK(pair.b.open_subflows() == 2);  // M97
}

TEST_CASE("a backup path is idle while the other one works, and takes over when it dies") {
  MptcpPair pair(6);
  pair.a.local_paths[1].backup = true;
  REQUIRE(join_all(pair));
  bool intact = true;
  const auto until = [&](std::uint64_t bytes) {
    return [&, bytes] {
      pair.b.offer(bytes, false);
      intact = intact && pair.a.drain();
      return pair.a.drained >= bytes;
    };
  };
  REQUIRE(pair.run(until(500'000), 20s));
  CHECK(pair.a.bytes_in(2) == 0);  // M46
  pair.wires[1].up = false;
  CHECK(pair.run(until(1'000'000), 20s));
  CHECK(pair.a.bytes_in(2) > 400'000);
  CHECK(intact);
}

TEST_CASE("a change of priority is told on the subflow itself") {
  MptcpPair pair(7);
  REQUIRE(join_all(pair));
  pair.a.connection->set_priority(1, mptcp::Connection::Priority::kBackup, pair.now());
  pair.run_for(100ms);
  const auto told = carrying<wire::MpPrio>(pair, Side::kA);
  REQUIRE(told.size() == 1);
  CHECK(told[0].path == 1);
  CHECK(told[0].segment.options.find<wire::MpPrio>()->backup);
  const std::uint64_t before = pair.a.bytes_in(1);
  bool intact = true;
  CHECK(pair.run(
      [&] {
        pair.b.offer(300'000, false);
        intact = intact && pair.a.drain();
        return pair.a.drained == 300'000;
      },
      20s));
  CHECK(intact);
  CHECK(pair.a.bytes_in(1) == before);  // M77
}

TEST_CASE("a connection without any path waits for one, and goes on over it") {
  MptcpPair pair(8);
  REQUIRE(join_all(pair));
  pair.wires[1].up = pair.wires[2].up = false;
  const auto saved = pair.a.local_paths;
  pair.a.local_paths.clear();
  pair.a.connection->paths_changed(pair.now());
  pair.run_for(5s);
  CHECK(pair.a.open_subflows() == 0);
  CHECK_FALSE(pair.a.status().closed);  // M84
  pair.wires[1].up = pair.wires[2].up = true;
  pair.a.local_paths = saved;
  pair.a.connection->paths_changed(pair.now());
  CHECK(pair.transfer(10'000, 50'000));
  CHECK(pair.run([&] { return pair.a.status().closed && pair.b.status().closed; }, 10s));
}

TEST_CASE("the last path coming back after a long outage is used at once") {
  MptcpPair pair(12, 1);
  REQUIRE(pair.establish());
  bool intact = true;
  const auto until = [&](std::uint64_t bytes) {
    return [&, bytes] {
      pair.a.offer(1, false);
      pair.b.offer(3'000'000, false);
      intact = intact && pair.a.drain();
      return pair.a.drained >= bytes;
    };
  };
  pair.wires[1].rate = 1'000'000;
  REQUIRE(pair.run(until(500'000), 10s));
  pair.wires[1].up = false;
  pair.a.local_paths[0].usable = false;
  pair.a.connection->paths_changed(pair.now());
  pair.run_for(40s);
  pair.wires[1].up = true;
  pair.a.local_paths[0].usable = true;
  pair.a.connection->paths_changed(pair.now());
  CHECK(pair.run(until(1'500'000), 3s));  // the peer's timer alone would take up to a minute
  CHECK(intact);
  CHECK(pair.a.open_subflows() == 1);
}

TEST_CASE("a connection that finds no path any more ends") {
  MptcpPair pair(9);
  REQUIRE(join_all(pair));
  pair.wires[1].up = pair.wires[2].up = false;
  pair.a.local_paths.clear();
  pair.a.connection->paths_changed(pair.now());
  CHECK(pair.run([&] { return pair.a.status().closed.has_value(); }, 70s));
  CHECK(pair.a.status().closed == tcp::CloseReason::kTimedOut);
}

TEST_CASE("a peer that was restarted is noticed by the RST to a join") {
  MptcpPair pair(10);
  REQUIRE(join_all(pair));
  // The server forgets everything without a word, and its uplink is silent to strays.
  pair.script = [](Side from, std::uint32_t, wire::Segment&) {
    return from == Side::kB ? MptcpPair::Fate::kDrop : MptcpPair::Fate::kPass;
  };
  pair.b.connection.reset();
  pair.run_for(1ms);
  pair.script = nullptr;
  pair.a.offer(10'000, false);
  CHECK(pair.run([&] { return pair.a.status().closed.has_value(); }, 10s));
  CHECK(pair.a.status().closed == tcp::CloseReason::kReset);
}

TEST_CASE("C in MP_CAPABLE keeps joins away") {
  MptcpPair pair(11);
  pair.b.config.joins = mptcp::ConnectionConfig::Joins::kDenied;
  REQUIRE(pair.establish());
  pair.a.offer(100, false);
  pair.run_for(3s);
  CHECK(pair.a.open_subflows() == 1);  // M29
  for (const auto& logged : pair.log()) CHECK(logged.path == 1);
}

TEST_SUITE_END();
