#include "stack/tcp/recovery.h"

#include <doctest/doctest.h>

namespace braid::tcp {
namespace {

using Phase = Recovery::Phase;
using Cause = Recovery::Cause;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("a recovery is complete when all that was sent before it is acknowledged") {
  Recovery r;
  CHECK_FALSE(r.complete(1000));
  r.enter(Phase::kFast, 0, 5000, Cause::kReduced);
  CHECK_FALSE(r.complete(4999));
  CHECK(r.complete(5000));
  r.leave();
  CHECK(r.open());
  CHECK_FALSE(r.complete(6000));
}

TEST_CASE("an ACK of the original, by its timestamp, shows that the recovery was in vain") {
  Recovery r;
  r.enter(Phase::kTimeout, 0, 5000, Cause::kReduced);
  r.on_retransmitted(1000, 1000, Instant(2000ms) + 300us);
  SUBCASE("a tick before") { CHECK(r.in_vain(2000, Instant(1999ms))); }
  SUBCASE("the same tick proves nothing") { CHECK_FALSE(r.in_vain(2000, Instant(2000ms))); }
  SUBCASE("nothing of the retransmission is acknowledged") {
    CHECK_FALSE(r.in_vain(1000, Instant(1999ms)));
    CHECK(r.in_vain(1001, Instant(1999ms)));
  }
  SUBCASE("it is asked once: later ACKs answer other segments") {
    CHECK_FALSE(r.in_vain(2000, Instant(2010ms)));
    CHECK_FALSE(r.in_vain(3000, Instant(1999ms)));
  }
  SUBCASE("without timestamps nobody knows") { CHECK_FALSE(r.in_vain(2000, {})); }
}

TEST_CASE("duplicates of every retransmission show it too, even after the end") {
  Recovery r;
  r.enter(Phase::kFast, 0, 5000, Cause::kReduced);
  r.on_retransmitted(0, 1000, Instant(1s));
  r.on_retransmitted(2000, 1000, Instant(1s));
  r.on_dsack({0, 1000});
  CHECK_FALSE(r.all_duplicates());
  r.leave();
  r.on_dsack({2000, 3000});
  CHECK(r.all_duplicates());
  r.undone();
  CHECK_FALSE(r.all_duplicates());
}

TEST_CASE("a DSACK of bytes from before the recovery is not about its retransmissions") {
  Recovery r;
  r.enter(Phase::kFast, 4000, 9000, Cause::kReduced);
  r.on_retransmitted(4000, 1000, Instant(1s));
  r.on_dsack({3000, 4000});
  CHECK_FALSE(r.all_duplicates());
  r.on_dsack({4000, 5000});
  CHECK(r.all_duplicates());
}

TEST_CASE("what was not reduced cannot be undone") {
  Recovery r;
  r.enter(Phase::kFast, 0, 5000, Cause::kNotReduced);
  r.on_retransmitted(0, 1000, Instant(1s));
  CHECK_FALSE(r.in_vain(2000, Instant(1ms)));
  r.on_dsack({0, 1000});
  CHECK_FALSE(r.all_duplicates());
}

TEST_SUITE_END();

}  // namespace
}  // namespace braid::tcp
