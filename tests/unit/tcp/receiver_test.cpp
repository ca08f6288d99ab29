#include "stack/tcp/receiver.h"

#include <doctest/doctest.h>

#include "tests/support/pipe_end.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;
using AckDue = Receiver::AckDue;

namespace {

constexpr Instant kNow{10s};

// A receiver with a pipe behind it. Positions, not sequence numbers.
struct Fixture {
  explicit Fixture(std::uint64_t capacity = 64 * 1024)
      : end(capacity),
        receiver({.irs = SeqNum(0xffff'ff00),
                  .scope = WindowScope::kStream,
                  .shift = 0,
                  .sack = true,
                  .mss = 1000}) {
    receiver.window().announce(0, end.stream.receive_window(), ReceiveWindow::Field::kScaled);
  }

  wire::Segment make(std::uint64_t position, std::uint32_t length, wire::TcpFlags flags = {}) {
    bytes = stream_bytes(position, length);
    wire::Segment segment;
    segment.seq = receiver.seq_of(position);
    segment.flags = flags;
    segment.payload = Slices(Bytes(bytes));
    return segment;
  }
  void receive(std::uint64_t position, std::uint32_t length, wire::TcpFlags flags = {}) {
    receiver.receive(make(position, length, flags), static_cast<std::int64_t>(position), end.stream,
                     kNow);
  }
  // The ACK that would leave now: its SACK blocks as positions.
  std::vector<Interval> acknowledge() {
    wire::TcpOptions options;
    receiver.add_sack(options);
    std::vector<Interval> blocks;
    for (const wire::SackBlock& block : options.sack) {
      blocks.push_back({static_cast<std::uint64_t>(receiver.position_of(block.begin)),
                        static_cast<std::uint64_t>(receiver.position_of(block.end))});
    }
    receiver.sent(options);
    return blocks;
  }
  // Past the quick ACKs every connection starts with.
  void settle() {
    for (std::uint32_t i = 0; i < Receiver::kQuickAcks; ++i) {
      receive(i * 100, 100);
      acknowledge();
    }
    receive(1600, 1000);
    acknowledge();
  }

  PipeEnd end;
  Receiver receiver;
  std::vector<std::uint8_t> bytes;
};

using Blocks = std::vector<Interval>;

}  // namespace

TEST_SUITE_BEGIN("tcp");

TEST_CASE("bytes in order move rcv_nxt and are readable at once") {
  Fixture f;
  f.receive(0, 700);
  f.receive(700, 300);
  CHECK(f.receiver.next_position() == 1000);
  CHECK(f.receiver.bytes_received() == 1000);
  CHECK(f.end.drain());
  CHECK(f.end.drained == 1000);
}

TEST_CASE("a gap is reported until it is filled, and filling it delivers what waited") {
  Fixture f;
  f.receive(1000, 500);
  CHECK(f.receiver.next_position() == 0);
  CHECK(f.acknowledge() == Blocks{{1000, 1500}});
  f.receive(0, 1000);
  CHECK(f.receiver.next_position() == 1500);
  CHECK(f.acknowledge().empty());
  CHECK(f.end.drain());
  CHECK(f.end.drained == 1500);
}

TEST_CASE("the first SACK block holds the segment that arrived last (RFC 2018 4)") {
  Fixture f;
  f.receive(1000, 100);
  f.receive(3000, 100);
  f.receive(5000, 100);
  CHECK(f.acknowledge() == Blocks{{5000, 5100}, {3000, 3100}, {1000, 1100}});
  f.receive(1100, 100);
  CHECK(f.acknowledge() == Blocks{{1000, 1200}, {5000, 5100}, {3000, 3100}});
  f.receive(7000, 100);
  f.receive(9000, 100);
  CHECK(f.acknowledge() == Blocks{{9000, 9100}, {7000, 7100}, {1000, 1200}, {5000, 5100}});
}

TEST_CASE("blocks that grow together are reported once") {
  Fixture f;
  f.receive(1000, 100);
  f.receive(1200, 100);
  f.receive(1100, 100);
  CHECK(f.acknowledge() == Blocks{{1000, 1300}});
}

TEST_CASE("a duplicate left of rcv_nxt is reported by DSACK, once (RFC 2883 4)") {
  Fixture f;
  f.receive(0, 1000);
  f.acknowledge();
  f.receiver.receive_old(200, 300);
  CHECK(f.receiver.ack_due() == AckDue::kNow);
  CHECK(f.receiver.sack_news());
  CHECK(f.acknowledge() == Blocks{{200, 500}});
  CHECK(f.acknowledge().empty());
}

TEST_CASE("duplicates that adjoin and share an ACK are reported as one run") {
  Fixture f;
  f.receive(0, 4000);
  f.acknowledge();
  f.receiver.receive_old(1000, 1000);
  f.receiver.receive_old(2000, 1000);
  f.receiver.receive_old(0, 1000);
  CHECK(f.acknowledge() == Blocks{{0, 3000}});
  f.receiver.receive_old(0, 1000);
  f.receiver.receive_old(3000, 500);  // apart: the last one is told
  CHECK(f.acknowledge() == Blocks{{3000, 3500}});
}

TEST_CASE("a segment that is half old reports the old half and delivers the new one") {
  Fixture f;
  f.receive(0, 1000);
  f.acknowledge();
  f.receive(500, 1000);
  CHECK(f.receiver.next_position() == 1500);
  CHECK(f.acknowledge() == Blocks{{500, 1000}});
  CHECK(f.end.drain());
}

TEST_CASE("a duplicate of what waits out of order is followed by the block that holds it") {
  Fixture f;
  f.receive(1000, 500);
  f.acknowledge();
  f.receive(1100, 100);
  CHECK(f.acknowledge() == Blocks{{1100, 1200}, {1000, 1500}});
}

TEST_CASE("a segment that covers what waits out of order reports the first of it (RFC 2883 4)") {
  Fixture f;
  f.receive(1000, 1000);
  f.receive(3000, 500);
  f.receive(5000, 500);
  f.acknowledge();
  SUBCASE("and joins it to what is in order") {
    f.receive(0, 4000);
    CHECK(f.acknowledge() == Blocks{{1000, 2000}, {5000, 5500}});
  }
  SUBCASE("and joins it to a block") {
    f.receive(2500, 2000);
    CHECK(f.acknowledge() == Blocks{{3000, 3500}, {2500, 4500}, {5000, 5500}, {1000, 2000}});
  }
}

TEST_CASE("news that found no room in a segment stay news") {
  Fixture f;
  f.receive(1000, 100);
  f.receiver.sent(wire::TcpOptions{});  // timestamps and a DSS took it all
  CHECK(f.receiver.sack_news());
  CHECK(f.receiver.ack_due() == AckDue::kNone);
  f.acknowledge();
  CHECK_FALSE(f.receiver.sack_news());
}

TEST_CASE("without SACK nothing is reported, but a gap still asks for an ACK") {
  PipeEnd end;
  Receiver receiver({.irs = SeqNum(1), .mss = 1000});
  receiver.window().announce(0, 10'000, ReceiveWindow::Field::kScaled);
  const auto bytes = stream_bytes(1000, 100);
  wire::Segment segment;
  segment.payload = Slices(Bytes(bytes));
  receiver.receive(segment, 1000, end.stream, kNow);
  CHECK(receiver.ack_due() == AckDue::kNow);
  wire::TcpOptions options;
  receiver.add_sack(options);
  CHECK(options.sack.empty());
}

TEST_CASE("the first sixteen segments are acknowledged at once, then ACKs are delayed") {
  Fixture f;
  for (std::uint32_t i = 0; i < 16; ++i) {
    f.receive(i * 100, 100);
    CHECK(f.receiver.ack_due() == AckDue::kNow);
    f.acknowledge();
  }
  f.receive(1600, 100);
  CHECK(f.receiver.ack_due() == AckDue::kDelayed);
  CHECK(f.receiver.next_deadline() == kNow + 40ms);
  f.receiver.on_deadline(kNow + 39ms);
  CHECK(f.receiver.ack_due() == AckDue::kDelayed);
  f.receiver.on_deadline(kNow + 40ms);
  CHECK(f.receiver.ack_due() == AckDue::kNow);
}

TEST_CASE("every second full segment is acknowledged at once (RFC 5681 4.2)") {
  Fixture f;
  f.settle();
  f.receive(2600, 1000);
  CHECK(f.receiver.ack_due() == AckDue::kDelayed);
  f.receive(3600, 1000);
  CHECK(f.receiver.ack_due() == AckDue::kNow);
}

TEST_CASE("a super-segment of two pieces is acknowledged at once") {
  Fixture f;
  f.settle();
  wire::Segment segment = f.make(2600, 2000);
  segment.gso_size = 1000;
  f.receiver.receive(segment, 2600, f.end.stream, kNow);
  CHECK(f.receiver.ack_due() == AckDue::kNow);
}

TEST_CASE("a gap, what fills it, and a duplicate are acknowledged at once") {
  Fixture f;
  f.settle();
  SUBCASE("gap and filling") {
    f.receive(2700, 100);
    CHECK(f.receiver.ack_due() == AckDue::kNow);
    f.acknowledge();
    f.receive(2600, 100);
    CHECK(f.receiver.ack_due() == AckDue::kNow);
  }
  SUBCASE("duplicate") {
    f.receiver.receive_old(0, 100);
    CHECK(f.receiver.ack_due() == AckDue::kNow);
  }
}

TEST_CASE("bytes right of the promised edge are cut off") {
  Fixture f(5'000);
  f.receive(4'000, 2'000);
  CHECK(f.acknowledge() == Blocks{{4'000, 5'000}});
  f.receive(0, 4'000);
  CHECK(f.receiver.next_position() == 5'000);
}

TEST_CASE("the FIN is taken when everything before it is there, not sooner") {
  Fixture f;
  f.receive(1000, 500, {.fin = true});
  CHECK_FALSE(f.receiver.finished());
  f.receive(0, 1000);
  CHECK(f.receiver.finished());
  CHECK(f.receiver.next_position() == 1501);
  CHECK(f.end.incoming.complete());
  CHECK(f.receiver.ack_due() == AckDue::kNow);
}

TEST_CASE("a FIN cut off by the window is not seen") {
  Fixture f(5'000);
  f.receive(0, 6'000, {.fin = true});
  CHECK_FALSE(f.receiver.finished());
  CHECK(f.receiver.next_position() == 5'000);
}

TEST_CASE("nothing is taken beyond a FIN, and a FIN left of known bytes is a lie") {
  Fixture f;
  SUBCASE("bytes after it") {
    f.receive(1000, 0, {.fin = true});
    f.receive(500, 1000);
    CHECK(f.acknowledge() == Blocks{{500, 1000}});
  }
  SUBCASE("bytes before it came first") {
    f.receive(1000, 500);
    f.receive(500, 100, {.fin = true});
    f.receive(0, 500);
    f.receive(600, 400);
    CHECK(f.receiver.next_position() == 1500);
    CHECK_FALSE(f.receiver.finished());
  }
}

TEST_CASE("ECE is echoed from a congestion mark until the peer says CWR (RFC 3168 6.1.3)") {
  Fixture f;
  f.settle();
  wire::Segment marked = f.make(2600, 100);
  marked.ecn = wire::Ecn::kCe;
  f.receiver.receive(marked, 2600, f.end.stream, kNow);
  CHECK(f.receiver.ecn_echo());
  CHECK(f.receiver.ack_due() == AckDue::kNow);
  f.acknowledge();
  f.receive(2700, 100);
  CHECK(f.receiver.ecn_echo());
  f.receive(2800, 100, {.cwr = true});
  CHECK_FALSE(f.receiver.ecn_echo());
}

TEST_CASE("the timestamp echoed is that of the segment which made the ACK due (RFC 7323 4.3)") {
  Fixture f;
  f.receiver.note_timestamp({.value = 100}, -1, kNow);
  CHECK(f.receiver.ts_recent() == 100);
  f.receiver.note_timestamp({.value = 105}, 1000, kNow);  // behind a hole
  CHECK(f.receiver.ts_recent() == 100);
  f.receiver.note_timestamp({.value = 103}, 0, kNow);
  CHECK(f.receiver.ts_recent() == 103);
  f.receiver.note_timestamp({.value = 101}, 0, kNow);  // older than what is known
  CHECK(f.receiver.ts_recent() == 103);
}

TEST_CASE("an old timestamp is seen through, across the wrap, and forgiven after 24 idle days") {
  Fixture f;
  f.receiver.note_timestamp({.value = 5}, -1, kNow);
  CHECK(f.receiver.check_timestamp({.value = 4}, kNow) == Receiver::Paws::kOld);
  CHECK(f.receiver.check_timestamp({.value = 5}, kNow) == Receiver::Paws::kFine);
  CHECK(f.receiver.check_timestamp({.value = 0xffff'fff0}, kNow) == Receiver::Paws::kOld);
  const Instant later = kNow + std::chrono::hours(25 * 24);
  CHECK(f.receiver.check_timestamp({.value = 4}, later) == Receiver::Paws::kFine);
}

TEST_CASE("bytes the user has no memory for are not acknowledged") {
  ChunkPool pool(2 * Chunk::kSize);
  Agenda::Entry owner;
  Pipe incoming(pool, 1 << 20), outgoing(pool, 1 << 20);
  PipeStream stream(incoming, outgoing, owner);
  Receiver receiver({.irs = SeqNum(1), .sack = true, .mss = 1000});
  receiver.window().announce(0, 65'535, ReceiveWindow::Field::kScaled);
  const auto bytes = stream_bytes(0, 40'000);
  wire::Segment segment;
  segment.payload = Slices(Bytes(bytes));
  segment.gso_size = 1000;
  receiver.receive(segment, 0, stream, kNow);
  CHECK(receiver.next_position() == 2 * Chunk::kSize);
  CHECK(receiver.ack_due() == AckDue::kNow);
}

TEST_SUITE_END();
