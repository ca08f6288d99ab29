// The receiver against an obvious model: a map from position to "arrived", and nothing else.
#include <doctest/doctest.h>

#include <set>

#include "stack/tcp/receiver.h"
#include "tests/property/seeds.h"
#include "tests/support/pipe_end.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;

namespace {

constexpr std::uint64_t kStream = 40'000;  // bytes, then the FIN

struct Model {
  std::vector<bool> arrived = std::vector<bool>(kStream, false);
  bool fin = false;
  std::uint64_t edge = 0;  // the highest promised

  void receive(std::uint64_t begin, std::uint64_t end, bool with_fin) {
    for (std::uint64_t i = begin; i < std::min(end, edge); ++i) arrived[i] = true;
    if (with_fin && end <= edge) fin = true;
  }
  std::uint64_t next() const {
    std::uint64_t n = 0;
    while (n < kStream && arrived[n]) ++n;
    return n == kStream && fin ? n + 1 : n;
  }
  bool holds(std::uint64_t begin, std::uint64_t end) const {
    for (std::uint64_t i = begin; i < end; ++i)
      if (!arrived[i]) return false;
    return true;
  }
};

class Run {
 public:
  Run(Random& random, std::uint8_t shift)
      : random_(random),
        end_(8'000),
        irs_(random.u32()),
        receiver_({.irs = irs_,
                   .scope = WindowScope::kStream,
                   .shift = shift,
                   .sack = true,
                   .mss = 1000}) {
    announce();
  }

  void step() {
    const auto position = static_cast<std::uint64_t>(random_.below(
        static_cast<std::uint32_t>(std::min(kStream, receiver_.next_position() + 12'000)) + 1));
    const std::uint64_t length = std::min<std::uint64_t>(random_.below(3'000), kStream - position);
    const bool fin = position + length == kStream;
    arrive(position, length, fin);
    if (random_.chance(0.5)) CHECK(end_.drain(random_.below(6'000)));
    if (random_.chance(0.7)) acknowledge();
  }
  // What a peer's retransmission would do in the end.
  void finish() {
    for (int tries = 0; !receiver_.finished(); ++tries) {
      REQUIRE(tries < 1000);
      CHECK(end_.drain());
      acknowledge();
      const std::uint64_t from = receiver_.next_position();
      const std::uint64_t length = std::min<std::uint64_t>(1000, kStream - from);
      arrive(from, length, from + length == kStream);
    }
    CHECK(end_.drain());
    CHECK(end_.drained == kStream);
    CHECK(end_.incoming.complete());
  }

 private:
  void arrive(std::uint64_t position, std::uint64_t length, bool fin) {
    const auto bytes = stream_bytes(position, length);
    wire::Segment segment;
    segment.seq = receiver_.seq_of(position);
    segment.flags.fin = fin;
    segment.payload = Slices(Bytes(bytes));
    // The connection's own check: wholly old or wholly right of the window never gets here.
    const bool old = position + length + (fin ? 1 : 0) <= receiver_.next_position();
    if (receiver_.finished() || old || position > receiver_.window().edge()) return;
    model_.receive(position, position + length, fin);
    receiver_.receive(segment, receiver_.position_of(segment.seq), end_.stream, Instant(1s));
    CHECK(receiver_.next_position() == model_.next());
    if (segment.seq_length() > 0) CHECK(receiver_.ack_due() != Receiver::AckDue::kNone);
    receiver_.validate();
    end_.incoming.validate();
  }

  void acknowledge() {
    wire::TcpOptions options;
    receiver_.add_sack(options);
    for (std::size_t i = 0; i < options.sack.size(); ++i) {
      const auto begin = static_cast<std::uint64_t>(receiver_.position_of(options.sack[i].begin));
      const auto end = static_cast<std::uint64_t>(receiver_.position_of(options.sack[i].end));
      CHECK(begin < end);
      CHECK(model_.holds(begin, end));
      const bool duplicate =
          i == 0 && (end <= receiver_.next_position() || reported_before(begin, end));
      // Anything but a DSACK is a whole block right of what is acknowledged.
      if (!duplicate) {
        CHECK(begin > receiver_.next_position());
        CHECK((begin == 0 || !model_.arrived[begin - 1]));
        CHECK((end >= kStream || !model_.arrived[end] || end >= model_.edge));
      }
    }
    receiver_.sent(options);
    announce();
  }
  bool reported_before(std::uint64_t begin, std::uint64_t end) const {
    return receiver_.out_of_order().covers(begin, end);
  }

  void announce() {
    receiver_.window().announce(receiver_.next_position(), end_.stream.receive_window(),
                                ReceiveWindow::Field::kScaled);
    const std::uint64_t edge = receiver_.window().edge();
    CHECK(edge >= model_.edge);
    // Beyond what the pipe takes there is nothing but the rounding of the scale.
    model_.edge = std::min(edge, end_.incoming.in_order().value() + end_.stream.receive_window());
    model_.edge = std::max(model_.edge, receiver_.next_position());
  }

  Random& random_;
  PipeEnd end_;
  SeqNum irs_;
  Receiver receiver_;
  Model model_;
};

}  // namespace

TEST_SUITE_BEGIN("property");

TEST_CASE("the receiver keeps, acknowledges and reports exactly what arrived inside the window") {
  for_seeds(300, [](Random& random) {
    Run run(random, static_cast<std::uint8_t>(random.below(3)));
    for (int i = 0; i < 150; ++i) run.step();
    run.finish();
  });
}

TEST_SUITE_END();
