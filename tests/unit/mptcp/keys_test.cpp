#include "stack/mptcp/keys.h"

#include <doctest/doctest.h>

namespace braid::mptcp {
namespace {

constexpr MptcpKey kA = 0x0706050403020100;
constexpr MptcpKey kB = 0x1716151413121110;
constexpr std::uint32_t kNonceA = 0x2b2a2928;
constexpr std::uint32_t kNonceB = 0x3b3a3938;

}  // namespace

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("token and initial DSN are the two ends of the key's SHA-256 (RFC 8684 M32)") {
  CHECK(token_of(kA) == 0x033fc8b9);
  CHECK(initial_dsn_of(kA) == 0x4c63560d71b8a821);
  CHECK(token_of(kB) == 0xdd857459);
  CHECK(initial_dsn_of(kB) == 0x089699ad491816e5);
}

TEST_CASE("a join's HMAC is the leftmost 160 bits, sender first (RFC 8684 M41)") {
  const wire::JoinHmac expected{0xe2, 0xa5, 0x29, 0xd6, 0xfe, 0xed, 0x56, 0xcc, 0x22, 0x4a,
                                0xd3, 0x63, 0xd3, 0xaf, 0xe9, 0xc3, 0x22, 0x4a, 0x21, 0xad};
  CHECK(join_hmac(kA, kB, kNonceA, kNonceB) == expected);
}

TEST_CASE("the SYN-ACK of a join takes the leftmost 64 bits") {
  CHECK(truncated_join_hmac(join_hmac(kB, kA, kNonceB, kNonceA)) == 0xe3a0de30e2cd4ad1);
}

TEST_CASE("a join's HMAC depends on who sends it and on both nonces") {
  const wire::JoinHmac hmac = join_hmac(kA, kB, kNonceA, kNonceB);
  CHECK(join_hmac(kB, kA, kNonceA, kNonceB) != hmac);
  CHECK(join_hmac(kA, kB, kNonceB, kNonceA) != hmac);
  CHECK(join_hmac(kA, kB, kNonceA, kNonceB + 1) != hmac);
  CHECK(join_hmac(kA, kB, kNonceA + 1, kNonceB) != hmac);
}

TEST_CASE("an advertised address is authenticated by the rightmost 64 bits (RFC 8684 M88)") {
  const wire::IpAddress v4 = *wire::IpAddress::parse("192.0.2.7");
  CHECK(add_addr_hmac(kB, kA, 5, v4, 0) == 0x94b96ea1822b6f52);
  SUBCASE("a port is part of the message") {
    CHECK(add_addr_hmac(kB, kA, 5, v4, 8803) == 0xae7b49081386d695);
  }
  SUBCASE("an IPv6 address is sixteen bytes of the message") {
    const wire::IpAddress v6 = *wire::IpAddress::parse("2001:db8::7");
    CHECK(add_addr_hmac(kA, kB, 9, v6, 8803) == 0x7383a4e050f9161b);
  }
}
TEST_SUITE_END();

}  // namespace braid::mptcp
