#include "stack/tcp/isn.h"

#include <doctest/doctest.h>

#include <numeric>

#include "tests/support/tcp_pair.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("siphash gives the digests its authors published") {
  std::array<std::uint8_t, 16> message;
  std::iota(message.begin(), message.end(), std::uint8_t{0});
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(siphash(key, Bytes(message).first(15)) == 0xa129ca6149be45e5);
  CHECK(siphash(key, Bytes()) == 0x726fdb47dd0e0e31);
}

TEST_CASE("initial sequence numbers follow a clock and cannot be carried from tuple to tuple") {
  Random random(1);
  const TupleSecret secret(random);
  const Tuple tuple = TcpPair::tuple(Side::kA);
  Tuple neighbour = tuple;
  ++neighbour.local.port;

  CHECK(secret.isn(tuple, Instant(8us)) - secret.isn(tuple, Instant(0us)) == 2);
  CHECK(secret.isn(tuple, Instant(0us)) != secret.isn(neighbour, Instant(0us)));
  Tuple other_door = tuple;
  ++other_door.interface;
  CHECK(secret.isn(tuple, Instant(0us)) != secret.isn(other_door, Instant(0us)));

  const TupleSecret stranger(random);
  CHECK(secret.isn(tuple, Instant(0us)) != stranger.isn(tuple, Instant(0us)));
}

TEST_CASE("a tuple's timestamp offset stays the same and says nothing of its other numbers") {
  Random random(1);
  const TupleSecret secret(random);
  const Tuple tuple = TcpPair::tuple(Side::kA, wire::Family::kIpv6);
  CHECK(secret.timestamp_offset(tuple) == secret.timestamp_offset(tuple));
  CHECK(secret.timestamp_offset(tuple) != secret.isn(tuple, Instant(0us)).value());
  CHECK(secret.timestamp_offset(tuple) != static_cast<std::uint32_t>(secret.table_hash(tuple)));
}

TEST_SUITE_END();
