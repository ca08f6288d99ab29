#include "stack/tcp/prr.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;
using Progress = Prr::Progress;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("the first retransmission is allowed whatever is in flight") {
  Prr prr;
  prr.enter(20000, 10000, kMss);
  CHECK(prr.allowance() == kMss);
  prr.on_ack(1, 19000, Progress::kDoubtful);
  CHECK(prr.allowance() == kMss);
  prr.on_sent(kMss);
  CHECK(prr.allowance() == 0);
}

TEST_CASE("above the target, sending is the target's share of what arrives") {
  Prr prr;
  prr.enter(20000, 14000, kMss);
  prr.on_sent(kMss);
  std::uint64_t sent = kMss;
  std::uint64_t in_flight = 19000;
  for (int i = 0; i < 9; ++i) {
    in_flight -= 500;
    prr.on_ack(1000, in_flight, Progress::kDoubtful);
    const std::uint64_t now = prr.allowance();
    prr.on_sent(now);
    sent += now;
  }
  CHECK(sent == 6300);  // 9000 * 14 / 20
}

TEST_CASE("below the target, an ACK that shows a further loss lets out only what it delivered") {
  Prr prr;
  prr.enter(20000, 10000, kMss);
  prr.on_sent(kMss);
  prr.on_ack(2000, 3000, Progress::kDoubtful);
  CHECK(prr.allowance() == 2000);
}

TEST_CASE("below the target, an ACK that shows progress lets out a segment more") {
  Prr prr;
  prr.enter(20000, 10000, kMss);
  prr.on_sent(kMss);
  prr.on_ack(2000, 3000, Progress::kGood);
  CHECK(prr.allowance() == 3000);
}

TEST_CASE("the refill never lifts what is in flight above the target") {
  Prr prr;
  prr.enter(20000, 10000, kMss);
  prr.on_sent(kMss);
  prr.on_ack(15000, 9500, Progress::kGood);
  CHECK(prr.allowance() == 500);
}

TEST_CASE("an ACK that delivers nothing lets nothing out (RFC 9937 6.2)") {
  Prr prr;
  prr.enter(20000, 10000, kMss);
  prr.on_ack(3000, 16000, Progress::kGood);
  const std::uint64_t allowed = prr.allowance();
  prr.on_sent(allowed);
  prr.on_ack(0, 2000, Progress::kDoubtful);  // more was judged lost meanwhile
  CHECK(prr.allowance() == 0);
}

TEST_CASE("a new recovery starts its own count") {
  Prr prr;
  prr.enter(20000, 10000, kMss);
  prr.on_sent(kMss);
  prr.on_ack(18000, 2000, Progress::kGood);
  prr.enter(10000, 5000, kMss);
  CHECK(prr.allowance() == kMss);
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
