#include "stack/mptcp/path_manager.h"

#include <vector>

#include <doctest/doctest.h>

namespace braid::mptcp {
namespace {

wire::IpAddress address(std::uint32_t last) {
  return wire::IpAddress::v4(0xc0000200U + last);
}

const auto kNothingOccupied = [](const LocalPath&) { return false; };

TEST_SUITE("mptcp") {
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
}

}  // namespace
}  // namespace braid::mptcp
