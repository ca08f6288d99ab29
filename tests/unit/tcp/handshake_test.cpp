#include "stack/tcp/handshake.h"

#include <doctest/doctest.h>

using namespace braid;
using namespace braid::tcp;

namespace {

constexpr Instant kStart{5s};

wire::Segment peer_syn(wire::TcpOptions options, wire::TcpFlags flags = {.syn = true}) {
  wire::Segment segment;
  segment.flags = flags;
  segment.options = options;
  return segment;
}

}  // namespace

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a SYN offers everything that is switched on") {
  Handshake handshake({.mtu = 1400, .window_scale = 7});
  wire::TcpOptions options;
  handshake.add_options(options);
  CHECK(options.mss == 1360);
  CHECK(options.window_scale == 7);
  CHECK(options.sack_permitted);
  CHECK(handshake.uses_timestamps());
  CHECK(handshake.ecn_flags() == wire::TcpFlags{.ece = true, .cwr = true});
}

TEST_CASE("the MSS announced leaves 60 bytes for the headers of IPv6") {
  CHECK(Handshake({.family = wire::Family::kIpv6, .mtu = 1500}).own_mss() == 1440);
}

TEST_CASE("an answer repeats only what the peer offered") {
  Handshake handshake({});
  handshake.peer_syn(peer_syn({.mss = 1000}));
  wire::TcpOptions options;
  handshake.add_options(options);
  CHECK(options == wire::TcpOptions{.mss = 1460});
  CHECK_FALSE(handshake.uses_timestamps());
  CHECK(handshake.agreed().peer_mss == 1000);
  CHECK(handshake.agreed().send_shift == 0);
  CHECK(handshake.agreed().receive_shift == 0);
  CHECK_FALSE(handshake.agreed().sack);
}

TEST_CASE("scales are agreed both ways, and one above 14 counts as 14 (RFC 7323 2.3)") {
  Handshake handshake({.window_scale = 9});
  handshake.peer_syn(peer_syn({.window_scale = 15}));
  CHECK(handshake.agreed().send_shift == 14);
  CHECK(handshake.agreed().receive_shift == 9);
}

TEST_CASE("a peer without an MSS option gets the default of its family (RFC 9293 MUST-15)") {
  Handshake v4({});
  v4.peer_syn(peer_syn({}));
  CHECK(v4.agreed().peer_mss == 536);
  Handshake v6({.family = wire::Family::kIpv6});
  v6.peer_syn(peer_syn({}));
  CHECK(v6.agreed().peer_mss == 1220);
}

TEST_CASE("an MSS too small to hold options and bytes is raised") {
  Handshake handshake({});
  handshake.peer_syn(peer_syn({.mss = 1}));
  CHECK(handshake.agreed().peer_mss == 88);
}

TEST_CASE("ECN is agreed when a SYN asks with both flags or a SYN-ACK grants with one") {
  const auto agreed = [](wire::TcpFlags flags) {
    Handshake handshake({});
    handshake.peer_syn(peer_syn({}, flags));
    return handshake.agreed().ecn;
  };
  CHECK(agreed({.syn = true, .ece = true, .cwr = true}));
  CHECK(agreed({.syn = true, .ack = true, .ece = true}));
  CHECK_FALSE(agreed({.syn = true, .ece = true}));
  CHECK_FALSE(agreed({.syn = true, .ack = true, .ece = true, .cwr = true}));
  CHECK_FALSE(agreed({.syn = true}));
}

TEST_CASE("a retransmitted SYN does not ask for ECN again") {
  Handshake handshake({});
  handshake.start(kStart);
  handshake.sent(Handshake::Sent::kDue, kStart);
  CHECK(handshake.ecn_flags() == wire::TcpFlags{});
}

TEST_CASE("the SYN timer starts at one second and doubles") {
  Handshake handshake({});
  handshake.start(kStart);
  Instant now = kStart;
  for (const Duration wait : {1s, 2s, 4s, 8s}) {
    handshake.sent(Handshake::Sent::kDue, now);
    CHECK(handshake.next_deadline() == now + wait);
    now += wait;
    CHECK(handshake.on_deadline(now - 1ns) == Handshake::Timeout::kNothing);
    CHECK(handshake.on_deadline(now) == Handshake::Timeout::kResend);
  }
}

TEST_CASE("so many timeouts of a SYN do not double as were asked for") {
  Handshake handshake({.linear_timeouts = 2});
  handshake.start(kStart);
  Instant now = kStart;
  for (const Duration wait : {1s, 1s, 1s, 2s, 4s}) {
    handshake.sent(Handshake::Sent::kDue, now);
    CHECK(handshake.next_deadline() == now + wait);
    now += wait;
    CHECK(handshake.on_deadline(now) == Handshake::Timeout::kResend);
  }
}

TEST_CASE("an answer to a repeated SYN leaves the timer where it was") {
  Handshake handshake({});
  handshake.start(kStart);
  handshake.sent(Handshake::Sent::kDue, kStart);
  handshake.sent(Handshake::Sent::kAnswer, kStart + 500ms);
  CHECK(handshake.next_deadline() == kStart + 1s);
  CHECK(handshake.round_trip(kStart + 600ms) == std::nullopt);
}

TEST_CASE("a handshake gives up after its retransmissions or its time, whichever is first") {
  SUBCASE("retransmissions") {
    Handshake handshake({.max_retransmissions = 1});
    handshake.start(kStart);
    handshake.sent(Handshake::Sent::kDue, kStart);
    CHECK(handshake.on_deadline(kStart + 1s) == Handshake::Timeout::kResend);
    handshake.sent(Handshake::Sent::kDue, kStart + 1s);
    CHECK(handshake.on_deadline(kStart + 3s) == Handshake::Timeout::kGiveUp);
  }
  SUBCASE("time, with a SYN that left") {
    Handshake handshake({.timeout = 1500ms});
    handshake.start(kStart);
    handshake.sent(Handshake::Sent::kDue, kStart);
    CHECK(handshake.on_deadline(kStart + 1s) == Handshake::Timeout::kResend);
    handshake.sent(Handshake::Sent::kDue, kStart + 1s);
    CHECK(handshake.next_deadline() == kStart + 1500ms);
    CHECK(handshake.on_deadline(kStart + 1500ms) == Handshake::Timeout::kGiveUp);
  }
  SUBCASE("time, when no SYN ever got out of the door") {
    Handshake handshake({});
    handshake.start(kStart);
    CHECK(handshake.next_deadline() == kStart + 180s);
    CHECK(handshake.on_deadline(kStart + 180s) == Handshake::Timeout::kGiveUp);
  }
}

TEST_CASE("a round trip is measured only when the SYN left once (Karn)") {
  Handshake handshake({});
  handshake.start(kStart);
  handshake.sent(Handshake::Sent::kDue, kStart + 1ms);
  CHECK(handshake.round_trip(kStart + 21ms) == Duration(20ms));
  handshake.sent(Handshake::Sent::kDue, kStart + 1s);
  CHECK(handshake.round_trip(kStart + 1020ms) == std::nullopt);
}

TEST_SUITE_END();
