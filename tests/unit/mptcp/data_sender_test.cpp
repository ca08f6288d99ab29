#include "stack/mptcp/data_sender.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace braid::mptcp {
namespace {

using Range = DataSender::Range;
using Kind = DataSender::Range::Kind;
using Trouble = DataSender::Trouble;

constexpr std::uint64_t kIdsn = 0xffffffff'ffffff00;  // wraps in mid stream
constexpr Duration kRto = 200ms;
constexpr SubflowId kOne = 1;
constexpr SubflowId kTwo = 2;
constexpr SubflowId kThree = 3;

// What is compared of a range, printable.
struct Wanted {
  std::uint64_t begin;
  std::uint32_t length;
  Kind kind = Kind::kNew;
  bool data_fin = false;
};

struct Fixture {
  ChunkPool pool{1 << 20};
  Pipe pipe{pool, 1 << 19};
  DataSequence sequence{kIdsn, StreamOffset(0)};
  DataSender sender{pipe, sequence};
  Instant now{1s};

  explicit Fixture(std::size_t bytes = 0, std::uint64_t window = 100000) {
    write(bytes);
    sender.initial_window(window);
  }
  void write(std::size_t bytes) {
    const std::string text(bytes, 'x');
    pipe.append(Slices(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
  }
  std::optional<Range> next(SubflowId subflow, std::uint32_t most = 1000) const {
    return sender.next(subflow, most, now);
  }
  // Takes and maps what next() offers; it must be this.
  void give(SubflowId subflow, Wanted wanted, std::uint32_t most = 1000) {
    const std::optional<Range> range = next(subflow, most);
    REQUIRE(range.has_value());
    CHECK(range->begin.value() == wanted.begin);
    CHECK(range->length == wanted.length);
    CHECK(range->kind == wanted.kind);
    CHECK(range->data_fin == wanted.data_fin);
    sender.mapped(*range, subflow, now);
  }
  DataSender::AckOutcome data_ack(std::uint64_t offset, std::uint64_t window = 100000) {
    return sender.receive_data_ack(sequence.dsn(StreamOffset(offset)), window, now);
  }
  void acked(SubflowId subflow, std::uint64_t begin, std::uint32_t length) {
    sender.subflow_acked(subflow, StreamOffset(begin), length);
  }
  void trouble(SubflowId subflow, Trouble kind) { sender.subflow_trouble(subflow, kind, now); }
  bool tick(Duration d = Duration::zero()) {
    now += d;
    return sender.on_deadline(kRto, now);
  }
};

}  // namespace

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("new bytes go out in order, cut to what the subflow takes") {
  Fixture f(2500);
  CHECK(f.sender.unsent() == 2500);
  f.give(kOne, {0, 1000});
  f.give(kTwo, {1000, 700}, 700);
  f.give(kOne, {1700, 800});
  CHECK_FALSE(f.next(kOne));
  CHECK(f.sender.unsent() == 0);
  CHECK(f.sender.snd_nxt() == StreamOffset(2500));
  CHECK_FALSE(f.next(kTwo, 0));
}

TEST_CASE("nothing is sent before the peer's window is known") {
  Fixture f(100, 0);
  CHECK_FALSE(f.next(kOne));
  f.sender.initial_window(40);
  f.give(kOne, {0, 40});
  CHECK_FALSE(f.next(kOne));
}

TEST_CASE("the last word of the handshake about the window counts, though it be less") {
  Fixture f(3000, 2000);
  f.give(kOne, {0, 500}, 500);
  f.sender.initial_window(700);
  CHECK(f.sender.window_left() == 200);
  f.data_ack(500, 900);
  f.sender.initial_window(100);  // and after a DATA_ACK it has none
  CHECK(f.sender.window_left() == 900);
}

TEST_CASE("a range never exceeds what a mapping with a DATA_FIN can hold") {
  Fixture f(70000);
  f.give(kOne, {0, 65534}, 100000);
}

TEST_CASE("the window's right edge only moves right (RFC 8684 M70)") {
  Fixture f(3000, 500);
  f.give(kOne, {0, 500});
  CHECK_FALSE(f.next(kOne));
  f.data_ack(200, 300);  // the same edge
  CHECK_FALSE(f.next(kOne));
  f.data_ack(500, 400);
  CHECK(f.sender.window_left() == 400);
  f.data_ack(500, 100);
  CHECK(f.sender.window_left() == 400);
  f.give(kOne, {500, 400});
}

// A kernel tells 65536 in its third ACK and means 64800 at the data level.
TEST_CASE("the first DATA_ACK takes back what only the handshake's window allowed") {
  Fixture f(3000, 1000);
  f.give(kOne, {0, 500}, 500);
  f.data_ack(0, 900);
  CHECK(f.sender.window_left() == 400);
  f.data_ack(100, 700);
  CHECK(f.sender.window_left() == 400);  // and from then on the edge only moves right
}

TEST_CASE("a DATA_ACK releases the pipe, in the middle of a mapping too") {
  Fixture f(2000);
  f.give(kOne, {0, 1000});
  f.give(kOne, {1000, 1000});
  CHECK(f.data_ack(600).advanced);
  CHECK(f.pipe.released() == StreamOffset(600));
  CHECK(f.sender.snd_una() == StreamOffset(600));
  CHECK_FALSE(f.data_ack(600).advanced);
  CHECK(f.data_ack(2000).advanced);
  CHECK(f.pipe.released() == StreamOffset(2000));
}

TEST_CASE("a DATA_ACK outside what is outstanding changes nothing, nor does its window") {
  Fixture f(2000, 1000);
  f.give(kOne, {0, 1000});
  f.data_ack(500, 500);
  CHECK_FALSE(f.data_ack(499, 90000).advanced);
  CHECK_FALSE(f.data_ack(1001, 90000).advanced);
  // The placeholder of a concentrator's early reply, and the far end of the number space.
  CHECK_FALSE(f.sender.receive_data_ack(0, 90000, f.now).advanced);
  CHECK_FALSE(f.data_ack(std::uint64_t{1} << 63, 90000).advanced);
  CHECK(f.sender.snd_una() == StreamOffset(500));
  CHECK(f.sender.window_left() == 0);
}

TEST_CASE("what a failed subflow carried goes to others at once, lowest first, before new data") {
  Fixture f(5000);
  f.give(kOne, {0, 1000});
  f.give(kTwo, {1000, 1000});
  f.give(kOne, {2000, 1000});
  f.trouble(kOne, Trouble::kFailed);
  CHECK(f.sender.has_reinjections());
  f.give(kTwo, {0, 1000, Kind::kReinjection});
  f.give(kTwo, {2000, 1000, Kind::kReinjection});
  CHECK_FALSE(f.sender.has_reinjections());
  f.give(kTwo, {3000, 1000});
}

TEST_CASE("a failed subflow's acknowledged bytes go again too (RFC 8684 M71)") {
  Fixture f(1000);
  f.give(kOne, {0, 1000});
  f.acked(kOne, 0, 1000);
  CHECK_FALSE(f.sender.has_reinjections());
  f.trouble(kOne, Trouble::kFailed);
  f.give(kTwo, {0, 1000, Kind::kReinjection});
}

TEST_CASE("what another subflow carries too survives a failure") {
  Fixture f(1000);
  f.give(kOne, {0, 1000});
  f.trouble(kOne, Trouble::kTimedOut);
  f.give(kTwo, {0, 1000, Kind::kReinjection});
  f.trouble(kOne, Trouble::kFailed);
  CHECK_FALSE(f.sender.has_reinjections());
  f.trouble(kTwo, Trouble::kFailed);
  f.give(kThree, {0, 1000, Kind::kReinjection});
}

TEST_CASE("a timed out subflow's bytes go to others, never to itself (RFC 8684 M72)") {
  Fixture f(1500);
  f.give(kOne, {0, 1000});
  f.trouble(kOne, Trouble::kTimedOut);
  f.give(kOne, {1000, 500});  // new data, should the scheduler want that
  CHECK_FALSE(f.next(kOne));
  f.give(kTwo, {0, 1000, Kind::kReinjection});
  SUBCASE("once for each timeout of all its carriers") {
    f.trouble(kOne, Trouble::kTimedOut);
    f.give(kTwo, {1000, 500, Kind::kReinjection});
    CHECK_FALSE(f.next(kThree));
    f.trouble(kTwo, Trouble::kTimedOut);
    CHECK_FALSE(f.next(kOne));
    CHECK_FALSE(f.next(kTwo));
    f.give(kThree, {0, 1000, Kind::kReinjection});
  }
  SUBCASE("and what came after the timeout is not touched") { CHECK_FALSE(f.next(kTwo)); }
}

TEST_CASE("a timed out subflow that delivers after all takes its bytes off the list") {
  Fixture f(2000);
  f.give(kOne, {0, 1000});
  f.give(kOne, {1000, 1000});
  f.trouble(kOne, Trouble::kTimedOut);
  f.acked(kOne, 0, 1000);
  f.give(kTwo, {1000, 1000, Kind::kReinjection});
}

TEST_CASE("bytes a subflow has delivered do not go again when it times out") {
  Fixture f(2000);
  f.give(kOne, {0, 1000});
  f.give(kTwo, {1000, 1000});
  f.acked(kTwo, 1000, 1000);
  f.trouble(kTwo, Trouble::kTimedOut);
  CHECK_FALSE(f.sender.has_reinjections());
}

TEST_CASE("a reinjection joins neighbours and may be cut anywhere") {
  Fixture f(3000);
  f.give(kOne, {0, 1000});
  f.give(kOne, {1000, 1000});
  f.give(kOne, {2000, 1000});
  f.trouble(kOne, Trouble::kTimedOut);
  f.give(kTwo, {0, 1500, Kind::kReinjection}, 1500);
  f.give(kThree, {1500, 200, Kind::kReinjection}, 200);
  f.give(kTwo, {1700, 1300, Kind::kReinjection}, 9000);
  CHECK_FALSE(f.sender.has_reinjections());
  // Every piece fares by itself, and a mapping's acknowledgement covers all pieces cut from it.
  f.trouble(kTwo, Trouble::kTimedOut);
  f.trouble(kThree, Trouble::kFailed);
  CHECK(f.next(4, 9000)->length == 3000);
  f.acked(kOne, 1000, 1000);
  f.give(4, {0, 1000, Kind::kReinjection}, 9000);
  f.give(4, {2000, 1000, Kind::kReinjection}, 9000);
}

TEST_CASE("a prefix of an offered range may be mapped") {
  Fixture f(1000);
  std::optional<Range> range = f.next(kOne);
  REQUIRE(range);
  range->length = 300;
  f.sender.mapped(*range, kOne, f.now);
  CHECK(f.sender.snd_nxt() == StreamOffset(300));
  f.trouble(kOne, Trouble::kFailed);
  range = f.next(kTwo);
  REQUIRE(range);
  range->length = 100;
  f.sender.mapped(*range, kTwo, f.now);
  f.give(kTwo, {100, 200, Kind::kReinjection});
}

TEST_CASE("a DATA_ACK takes what it covers off the list of reinjections") {
  Fixture f(3000);
  f.give(kOne, {0, 1000});
  f.give(kOne, {1000, 1000});
  f.trouble(kOne, Trouble::kFailed);
  f.data_ack(1400);
  f.give(kTwo, {1400, 600, Kind::kReinjection});
  f.trouble(kTwo, Trouble::kFailed);
  f.data_ack(2000);
  CHECK_FALSE(f.sender.has_reinjections());
  f.give(kThree, {2000, 1000});
}

TEST_CASE("reinjection needs no window: the bytes were allowed before") {
  Fixture f(1000, 1000);
  f.give(kOne, {0, 1000});
  f.trouble(kOne, Trouble::kFailed);
  CHECK(f.sender.window_left() == 0);
  f.give(kTwo, {0, 1000, Kind::kReinjection});
}

TEST_CASE("a head that subflows acknowledged but no DATA_ACK goes again after an RTO (M73)") {
  Fixture f(3000);
  f.give(kOne, {0, 1000});
  f.give(kTwo, {1000, 1000});
  f.acked(kTwo, 1000, 1000);
  CHECK_FALSE(f.tick());
  CHECK(f.sender.next_deadline() == kNever);  // the head is in flight: TCP is at work
  f.acked(kOne, 0, 1000);
  CHECK(f.sender.next_deadline() <= f.now);
  CHECK_FALSE(f.tick());
  CHECK(f.sender.next_deadline() == f.now + kRto);
  CHECK_FALSE(f.tick(kRto - 1ns));
  CHECK(f.tick(1ns));
  CHECK(f.sender.next_deadline() == kNever);
  SUBCASE("over the same subflow") { f.give(kOne, {0, 2000, Kind::kReinjection}, 9000); }
  SUBCASE("with twice the time for the next try, until a DATA_ACK comes") {
    f.give(kTwo, {0, 2000, Kind::kReinjection}, 9000);
    f.acked(kTwo, 0, 2000);
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + 2 * kRto);
    f.data_ack(1000);
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + kRto);
  }
  SUBCASE("unless the DATA_ACK comes first") {
    f.data_ack(2000);
    CHECK_FALSE(f.sender.has_reinjections());
  }
}

TEST_CASE("a closed window is probed with one byte (persist)") {
  Fixture f(1000, 300);
  f.give(kOne, {0, 300});
  f.tick();
  CHECK(f.sender.next_deadline() == kNever);  // what is outstanding will bring a DATA_ACK
  f.data_ack(300, 0);
  f.tick();
  CHECK(f.sender.next_deadline() == f.now + kRto);
  CHECK_FALSE(f.next(kOne));
  f.tick(kRto);
  CHECK(f.sender.next_deadline() == kNever);
  SUBCASE("and again after twice the time when the peer took it and stays closed") {
    f.give(kOne, {300, 1, Kind::kWindowProbe});
    CHECK_FALSE(f.next(kOne));
    f.data_ack(301, 0);
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + 2 * kRto);
    f.tick(2 * kRto);
    f.give(kTwo, {301, 1, Kind::kWindowProbe});
  }
  SUBCASE("the same byte goes to another subflow while nobody answers: the first may have died") {
    f.give(kOne, {300, 1, Kind::kWindowProbe});
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + 2 * kRto);
    f.tick(2 * kRto);
    CHECK_FALSE(f.next(kOne));
    f.give(kTwo, {300, 1, Kind::kCopy});
    CHECK_FALSE(f.sender.wants_probe());
    f.tick();
    f.tick(4 * kRto);
    CHECK(f.sender.wants_probe());
    CHECK_FALSE(f.next(kOne));
    CHECK_FALSE(f.next(kTwo));
    f.sender.probe_is_everywhere();
    CHECK_FALSE(f.sender.wants_probe());
    f.data_ack(301, 100);
    f.give(kOne, {301, 100});
  }
  SUBCASE("until it opens") {
    f.data_ack(300, 50);
    f.give(kOne, {300, 50});
    f.data_ack(350, 0);
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + kRto);
  }
}

TEST_CASE("one byte asks, too, where the first DATA_ACK promises less than the handshake did") {
  Fixture f(1000, 300);
  f.give(kOne, {0, 300});
  f.data_ack(0, 0);
  f.tick();
  f.tick(kRto);
  REQUIRE(f.sender.wants_probe());
  f.give(kTwo, {0, 1, Kind::kCopy}, 1);
}

TEST_CASE("the persist interval ends growing at a minute") {
  Fixture f(1000, 0);
  f.tick();
  for (int i = 0; i < 20; ++i) {
    CHECK(f.sender.next_deadline() - f.now <= 60s);
    f.now = f.sender.next_deadline();
    f.tick();
    f.give(kOne, {static_cast<std::uint64_t>(i), 1, Kind::kWindowProbe});
    f.data_ack(static_cast<std::uint64_t>(i) + 1, 0);
    f.tick();
  }
  CHECK(f.sender.next_deadline() == f.now + 60s);
}

TEST_CASE("the DATA_FIN rides on the last bytes (RFC 8684 M78)") {
  Fixture f(1500);
  f.pipe.finish();
  CHECK(f.sender.fin_pending());
  f.give(kOne, {0, 1000});
  CHECK_FALSE(f.sender.fin_due(f.now));
  f.give(kOne, {1000, 500, Kind::kNew, true});
  CHECK(f.sender.fin_sent());
  CHECK_FALSE(f.sender.fin_due(f.now));
  SUBCASE("and its acknowledgement is one octet more") {
    CHECK_FALSE(f.data_ack(1500).fin_acked);
    const DataSender::AckOutcome outcome = f.data_ack(1501);
    CHECK(outcome.fin_acked);
    CHECK(outcome.advanced);
    CHECK(f.sender.fin_acked());
    CHECK_FALSE(f.sender.fin_pending());
    CHECK(f.sender.snd_una() == StreamOffset(1500));
    CHECK(f.pipe.released() == StreamOffset(1500));
    CHECK_FALSE(f.data_ack(1501).advanced);
    f.tick();
    CHECK(f.sender.next_deadline() == kNever);
  }
  SUBCASE("with all data in one DATA_ACK") { CHECK(f.data_ack(1501).fin_acked); }
  SUBCASE("again when they are reinjected") {
    f.trouble(kOne, Trouble::kTimedOut);
    f.give(kTwo, {0, 1500, Kind::kReinjection, true}, 9000);
  }
  SUBCASE("but never on the bytes before them") {
    f.trouble(kOne, Trouble::kTimedOut);
    f.give(kTwo, {0, 1499, Kind::kReinjection}, 1499);
  }
}

TEST_CASE("a DATA_FIN after all data was sent goes alone, even through a closed window") {
  Fixture f(1000, 1000);
  f.give(kOne, {0, 1000});
  CHECK_FALSE(f.sender.fin_due(f.now));
  f.pipe.finish();
  CHECK(f.sender.fin_due(f.now));
  CHECK_FALSE(f.next(kOne));
  CHECK_FALSE(f.data_ack(1001).advanced);  // not sent yet: no DATA_ACK can be true
  f.sender.fin_transmitted(f.now);
  CHECK_FALSE(f.sender.fin_due(f.now));
  CHECK(f.data_ack(1001).fin_acked);
  CHECK_FALSE(f.sender.fin_due(f.now));
}

TEST_CASE("a DATA_FIN is repeated until it is acknowledged, ever more slowly") {
  Fixture f(10);
  f.pipe.finish();
  f.give(kOne, {0, 10, Kind::kNew, true});
  f.tick(10 * kRto);
  CHECK_FALSE(f.sender.fin_due(f.now));  // no DATA_ACK can cover it before the data (M80)
  f.data_ack(10);
  f.tick();
  Duration interval = kRto;
  for (int i = 0; i < 3; ++i) {
    CHECK(f.sender.next_deadline() == f.now + interval);
    f.tick(interval - 1ns);
    CHECK_FALSE(f.sender.fin_due(f.now));
    f.now += 1ns;
    CHECK(f.sender.fin_due(f.now));
    f.tick();
    CHECK(f.sender.fin_due(f.now));
    CHECK(f.sender.next_deadline() == kNever);  // it waits for a subflow, not for time
    f.sender.fin_transmitted(f.now);
    CHECK_FALSE(f.sender.fin_due(f.now));
    interval *= 2;
  }
  f.data_ack(11);
  CHECK(f.sender.next_deadline() == kNever);
}

TEST_CASE("a DATA_FIN keeps the time it was given, whatever the round trip") {
  Fixture f;
  f.sender.set_ack_timeout(70ms);
  f.pipe.finish();
  f.sender.fin_transmitted(f.now);
  for (const Duration interval : {70ms, 70ms, 140ms, 280ms}) {
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + interval);
    f.tick(interval - 1ns);
    CHECK_FALSE(f.sender.fin_due(f.now));
    f.tick(1ns);
    CHECK(f.sender.fin_due(f.now));
    f.sender.fin_transmitted(f.now);
  }
}

TEST_CASE("data that waits for its DATA_ACK keeps the time it was given") {
  Fixture f(500);
  f.sender.set_ack_timeout(70ms);
  f.give(kOne, {0, 500});
  f.acked(kOne, 0, 500);
  for (const Duration interval : {70ms, 70ms, 140ms}) {
    f.tick();
    CHECK(f.sender.next_deadline() == f.now + interval);
    f.tick(interval);
    f.give(kOne, {0, 500, Kind::kReinjection});
    f.acked(kOne, 0, 500);
  }
}

TEST_CASE("a DATA_FIN that may have been lost with its subflow goes again at once") {
  Fixture f(10);
  f.pipe.finish();
  f.give(kOne, {0, 10, Kind::kNew, true});
  f.data_ack(10);
  f.trouble(kTwo, Trouble::kTimedOut);
  CHECK_FALSE(f.sender.fin_due(f.now));
  f.trouble(kOne, Trouble::kFailed);
  CHECK(f.sender.fin_due(f.now));
}

TEST_CASE("an empty stream is one DATA_FIN") {
  Fixture f;
  f.pipe.finish();
  CHECK(f.sender.fin_due(f.now));
  CHECK_FALSE(f.next(kOne));
  f.sender.fin_transmitted(f.now);
  CHECK(f.data_ack(1).fin_acked);
}

TEST_CASE("a stream of tiny writes holds a bounded number of ranges") {
  Fixture f(20000);
  std::size_t given = 0;
  while (const std::optional<Range> range = f.next(kOne, 1)) {
    f.sender.mapped(*range, kOne, f.now);
    ++given;
    REQUIRE(given <= 16384);
  }
  CHECK(given == 16384);
  f.data_ack(1);
  CHECK(f.next(kOne, 1).has_value());
}
TEST_SUITE_END();

}  // namespace braid::mptcp
