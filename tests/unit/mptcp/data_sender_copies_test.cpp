// Bytes given to a second subflow while the first still carries them.
#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "stack/mptcp/data_sender.h"

namespace braid::mptcp {
namespace {

using Range = DataSender::Range;
using Kind = DataSender::Range::Kind;
using Trouble = DataSender::Trouble;

constexpr SubflowId kOne = 1;
constexpr SubflowId kTwo = 2;
constexpr SubflowId kThree = 3;

struct Fixture {
  ChunkPool pool{1 << 20};
  Pipe pipe{pool, 1 << 19};
  DataSequence sequence{77, StreamOffset(0)};
  DataSender sender{pipe, sequence};
  Instant now{1s};

  explicit Fixture(std::size_t bytes, std::uint64_t window = 100000) {
    const std::string text(bytes, 'x');
    pipe.append(Slices(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
    sender.initial_window(window);
  }
  // "begin+length kind" of what was taken and mapped; "-" for nothing.
  std::string copy(SubflowId subflow, std::uint32_t most = 1000) {
    return take(sender.next_or_copy(subflow, most, now), subflow);
  }
  std::string next(SubflowId subflow, std::uint32_t most = 1000) {
    return take(sender.next(subflow, most, now), subflow);
  }
  std::string take(const std::optional<Range>& range, SubflowId subflow) {
    if (!range) return "-";
    sender.mapped(*range, subflow, now);
    sender.validate();
    const char* const kinds[] = {"new", "again", "probe", "copy"};
    return std::to_string(range->begin.value()) + "+" + std::to_string(range->length) + " " +
           kinds[static_cast<int>(range->kind)] + (range->data_fin ? " fin" : "");
  }
  void data_ack(std::uint64_t offset) {
    sender.receive_data_ack(sequence.dsn(StreamOffset(offset)), 100000, now);
  }
};

}  // namespace

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("who asks for copies gets what others carry, lowest first, and new bytes after that") {
  Fixture f(5000);
  CHECK(f.next(kOne) == "0+1000 new");
  CHECK(f.next(kOne) == "1000+1000 new");
  CHECK(f.copy(kTwo, 700) == "0+700 copy");
  CHECK(f.copy(kTwo, 700) == "700+700 copy");
  CHECK(f.copy(kTwo, 700) == "1400+600 copy");
  CHECK(f.copy(kTwo) == "2000+1000 new");
  CHECK(f.copy(kOne) == "2000+1000 copy");
  CHECK(f.copy(kOne) == "3000+1000 new");
  CHECK(f.copy(kThree, 9000) == "0+2000 copy");  // as far as the same subflow got it last
  CHECK(f.copy(kThree, 9000) == "2000+2000 copy");
  CHECK(f.copy(kThree, 9000) == "4000+1000 new");
  CHECK(f.copy(kThree, 9000) == "-");
}

TEST_CASE("what has been delivered is not copied any more") {
  Fixture f(4000);
  f.next(kOne);
  f.next(kOne);
  f.next(kOne);
  f.sender.subflow_acked(kOne, StreamOffset(1000), 1000);
  CHECK(f.copy(kTwo) == "0+1000 copy");
  CHECK(f.copy(kTwo) == "2000+1000 copy");
  SUBCASE("nor what the peer has acknowledged at the data level") {
    f.data_ack(2500);
    CHECK(f.copy(kThree) == "2500+500 copy");
  }
}

TEST_CASE("the last byte's copy carries the DATA_FIN as well") {
  Fixture f(1500);
  f.pipe.finish();
  CHECK(f.next(kOne) == "0+1000 new");
  CHECK(f.next(kOne) == "1000+500 new fin");
  CHECK(f.copy(kTwo, 9000) == "0+1500 copy fin");
}

TEST_CASE("what is due goes before copies, and is given out by next()") {
  Fixture f(3000);
  f.next(kOne);
  f.next(kTwo);
  f.sender.subflow_trouble(kTwo, Trouble::kTimedOut, f.now);
  CHECK(f.copy(kThree) == "1000+1000 again");
  CHECK(f.copy(kThree) == "0+1000 copy");
}

TEST_CASE("a copy keeps bytes from being due when the first carrier fails") {
  Fixture f(1000);
  f.next(kOne);
  f.copy(kTwo);
  f.sender.subflow_trouble(kOne, Trouble::kFailed, f.now);
  CHECK_FALSE(f.sender.has_reinjections());
  f.sender.subflow_trouble(kTwo, Trouble::kTimedOut, f.now);
  CHECK(f.sender.has_reinjections());
}

TEST_CASE("what waits elsewhere is told with its carrier and since when") {
  Fixture f(3000);
  f.next(kOne);
  f.now += 30ms;
  f.next(kTwo);
  const auto first = f.sender.waiting(kThree, f.sender.snd_una(), 5000);
  REQUIRE(first.has_value());
  CHECK(first->range.begin.value() == 0);
  CHECK(first->range.length == 1000);
  CHECK(first->carrier == kOne);
  CHECK(first->mapped_at == Instant(1s));
  const auto second = f.sender.waiting(kThree, StreamOffset(1200), 500);
  REQUIRE(second.has_value());
  CHECK(second->range.begin.value() == 1200);
  CHECK(second->range.length == 500);
  CHECK(second->carrier == kTwo);
  CHECK(second->mapped_at == Instant(1s + 30ms));
  CHECK(f.sender.waiting(kTwo, f.sender.snd_una(), 5000)->range.begin.value() == 0);
  CHECK_FALSE(f.sender.waiting(kTwo, StreamOffset(1000), 5000).has_value());
}

TEST_CASE("the window is full when it holds back bytes and something is outstanding") {
  Fixture f(3000, 2000);
  CHECK_FALSE(f.sender.is_window_full());
  f.next(kOne);
  CHECK_FALSE(f.sender.is_window_full());
  f.next(kOne);
  CHECK(f.sender.is_window_full());
  f.data_ack(1000);
  CHECK_FALSE(f.sender.is_window_full());
}
TEST_SUITE_END();

}  // namespace braid::mptcp
