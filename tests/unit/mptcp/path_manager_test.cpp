#include "stack/mptcp/path_manager.h"

#include <doctest/doctest.h>

#include <vector>

namespace braid::mptcp {
namespace {

wire::IpAddress address(std::uint32_t last) { return wire::IpAddress::v4(0xc0000200U + last); }

const auto kNothingOccupied = [](const LocalPath&) { return false; };

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("a path towards advertised addresses is never joined to the peer's first one") {
  PathManager manager(1s);
  manager.set_primary({address(1), 80}, PathManager::Joinable::kYes);
  std::vector<LocalPath> paths(1);
  paths[0].interface = 1;
  paths[0].address = address(9);
  paths[0].towards = LocalPath::Towards::kAdvertised;
  CHECK_FALSE(manager.next(paths, kNothingOccupied, Instant()));
  manager.advertised(3, address(2), std::nullopt);
  const auto join = manager.next(paths, kNothingOccupied, Instant());
  REQUIRE(join);
  CHECK(join->remote == wire::Endpoint{address(2), 80});
}

TEST_CASE("any other path is joined to the peer's first address while it works") {
  PathManager manager(1s);
  manager.set_primary({address(1), 80}, PathManager::Joinable::kYes);
  manager.advertised(3, address(2), std::nullopt);
  std::vector<LocalPath> paths(1);
  paths[0].interface = 1;
  paths[0].address = address(9);
  const auto join = manager.next(paths, kNothingOccupied, Instant());
  REQUIRE(join);
  CHECK(join->remote == wire::Endpoint{address(1), 80});
}

TEST_CASE("an address that does not answer is left for another one after a second") {
  PathManager manager(1s);
  manager.set_primary({address(1), 80}, PathManager::Joinable::kYes);
  std::vector<LocalPath> paths(1);
  paths[0].interface = 1;
  paths[0].address = address(9);
  CHECK(manager.patience(paths[0]) == 3s);  // nowhere else to go
  manager.advertised(3, address(2), std::nullopt);
  CHECK(manager.patience(paths[0]) == 1s);
  REQUIRE(manager.next(paths, kNothingOccupied, Instant()));
  manager.attempted(paths[0], Instant());
  manager.failed(paths[0], PathManager::Refusal::kTransient, Instant(1s));
  const auto join = manager.next(paths, kNothingOccupied, Instant(1s));
  REQUIRE(join);
  CHECK(join->remote == wire::Endpoint{address(2), 80});
  // Both in vain: a pause, then more patience with the first.
  manager.attempted(paths[0], Instant(1s));
  manager.failed(paths[0], PathManager::Refusal::kTransient, Instant(3s));
  CHECK(!manager.next(paths, kNothingOccupied, Instant(3s)));
  CHECK(manager.next_deadline(paths, kNothingOccupied, Instant(3s)) == Instant(4s));
  REQUIRE(manager.next(paths, kNothingOccupied, Instant(4s)));
  CHECK(manager.next(paths, kNothingOccupied, Instant(4s))->remote ==
        wire::Endpoint{address(1), 80});
  CHECK(manager.patience(paths[0]) == 4s);
}

TEST_CASE("where another connection was let in goes before the peer's first address") {
  PathManager manager(1s);
  manager.set_primary({address(1), 80}, PathManager::Joinable::kYes);
  manager.advertised(3, address(2), std::nullopt);
  std::vector<LocalPath> paths(1);
  paths[0].interface = 1;
  paths[0].address = address(9);
  paths[0].proven = wire::Endpoint{address(2), 80};
  CHECK(manager.next(paths, kNothingOccupied, Instant())->remote == wire::Endpoint{address(2), 80});
  // An address nobody announced to this connection is none of its candidates.
  paths[0].proven = wire::Endpoint{address(7), 80};
  CHECK(manager.next(paths, kNothingOccupied, Instant())->remote == wire::Endpoint{address(1), 80});
}

TEST_CASE("a path that became usable again starts afresh") {
  PathManager manager(1s);
  manager.set_primary({address(1), 80}, PathManager::Joinable::kYes);
  std::vector<LocalPath> paths(1);
  paths[0].interface = 1;
  paths[0].address = address(9);
  for (int i = 0; i < 6; ++i) {
    manager.failed(paths[0], PathManager::Refusal::kTransient, Instant());
  }
  CHECK(!manager.next(paths, kNothingOccupied, Instant(10s)));
  paths[0].usable = false;
  CHECK(manager.paths_changed(paths).empty());
  CHECK(!manager.next(paths, kNothingOccupied, Instant(100s)));
  paths[0].usable = true;
  CHECK(manager.paths_changed(paths).size() == 1);
  CHECK(manager.next(paths, kNothingOccupied, Instant(10s)));
  // And so does one that was found alive again without ever having been called unusable.
  for (int i = 0; i < 6; ++i) {
    manager.failed(paths[0], PathManager::Refusal::kTransient, Instant());
  }
  CHECK(manager.paths_changed(paths).empty());
  paths[0].revivals = 1;
  CHECK(manager.paths_changed(paths).size() == 1);
  CHECK(manager.next(paths, kNothingOccupied, Instant(10s)));
  CHECK(manager.paths_changed(paths).empty());
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::mptcp
