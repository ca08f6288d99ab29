// DataReceiver beside an obvious model: one array element per byte of the stream.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "stack/base/random.h"
#include "stack/mptcp/data_receiver.h"
#include "tests/property/seeds.h"

namespace braid::mptcp {
namespace {

constexpr std::uint64_t kStream = 3000;  // bytes the model has room for
constexpr std::uint32_t kLongestRun = 120;

struct Model {
  std::vector<std::optional<std::uint8_t>> bytes =
      std::vector<std::optional<std::uint8_t>>(kStream);
  std::uint64_t released = 0;
  std::uint64_t capacity = 200;
  static constexpr std::uint64_t kMost = 400;
  std::uint64_t edge = 200;  // the highest released + capacity so far
  std::optional<std::uint64_t> end;

  std::uint64_t in_order() const {
    const auto hole = std::find(bytes.begin(), bytes.end(), std::nullopt);
    return static_cast<std::uint64_t>(hole - bytes.begin());
  }
  std::uint64_t written() const {
    for (std::uint64_t i = kStream; i > 0; --i) {
      if (bytes[i - 1]) return i;
    }
    return 0;
  }
  // Takes what fits; returns how many bytes from the run's front are held afterwards.
  std::uint64_t place(std::int64_t offset, const std::vector<std::uint8_t>& run) {
    const std::uint64_t limit = end ? std::min(*end, edge) : edge;
    const std::uint64_t next = in_order();
    std::uint64_t held = 0;
    for (; held < run.size(); ++held) {
      const std::int64_t at = offset + static_cast<std::int64_t>(held);
      if (at < 0) continue;  // left of the stream: as old as it gets
      const auto position = static_cast<std::uint64_t>(at);
      if (position >= limit) break;
      if (!bytes[position]) bytes[position] = run[held];
    }
    if (held > 0 && offset > static_cast<std::int64_t>(next)) widen();
    return held;
  }
  // More than half of the window waits for a slower path: it doubles.
  void widen() {
    if (capacity >= kMost || written() - in_order() <= capacity / 2) return;
    capacity = std::min(2 * capacity, kMost);
    raise_edge();
  }
  bool data_fin(std::uint64_t at) {
    if (end || at < written() || at > edge) return false;
    end = at;
    return true;
  }
  std::uint64_t acked() const { return in_order() + (end == in_order() ? 1 : 0); }
  void raise_edge() { edge = std::max(edge, released + capacity); }
};

class Run {
 public:
  explicit Run(Random& random)
      : random_(random),
        idsn_(random_.chance(0.5) ? random_.u64() : ~std::uint64_t{0} - 700),
        sequence_(idsn_, StreamOffset(0)),
        receiver_(pipe_, sequence_) {
    pipe_.set_max_capacity(Model::kMost);
  }

  void step() {
    switch (random_.below(8)) {
      case 0: release(); break;
      case 1: set_capacity(); break;
      case 2: data_fin(); break;
      default: place(); break;
    }
    compare();
  }

 private:
  void place() {
    std::vector<std::uint8_t> run(1 + random_.below(kLongestRun));
    for (std::uint8_t& byte : run) byte = static_cast<std::uint8_t>(random_.u32());
    // Around the window, left and right of both its edges; now and then nowhere near.
    const std::uint64_t span = model_.edge + 2 * kLongestRun;
    const std::uint64_t low = model_.released > kLongestRun ? model_.released - kLongestRun : 0;
    auto offset =
        static_cast<std::int64_t>(low + random_.below(static_cast<std::uint32_t>(span - low)));
    if (random_.chance(0.4)) offset = static_cast<std::int64_t>(model_.in_order());
    if (random_.chance(0.02)) offset = -static_cast<std::int64_t>(random_.below(500));
    if (random_.chance(0.02)) offset = (std::int64_t{1} << 40) + random_.below(1000);
    const std::uint64_t dsn = idsn_ + 1 + static_cast<std::uint64_t>(offset);
    CHECK(receiver_.place(dsn, cut(run)) == Interval{0, model_.place(offset, run)});
  }
  // The same bytes in one to four slices.
  Slices cut(const std::vector<std::uint8_t>& run) {
    Slices slices;
    std::size_t from = 0;
    for (int i = 0; i < 3 && from < run.size(); ++i) {
      const std::size_t length = random_.below(static_cast<std::uint32_t>(run.size() - from) + 1);
      slices.append(Bytes(run.data() + from, length));
      from += length;
    }
    slices.append(Bytes(run.data() + from, run.size() - from));
    return slices;
  }
  void release() {
    const auto readable = static_cast<std::uint32_t>(model_.in_order() - model_.released);
    model_.released += random_.below(readable + 1);
    model_.raise_edge();
    pipe_.release(StreamOffset(model_.released));
  }
  void set_capacity() {
    model_.capacity = random_.below(Model::kMost);
    model_.raise_edge();
    pipe_.set_capacity(model_.capacity);
  }
  void data_fin() {
    if (random_.chance(0.9)) return;
    const std::uint64_t at = random_.below(static_cast<std::uint32_t>(model_.edge + 50));
    CHECK(receiver_.data_fin(idsn_ + 1 + at) == model_.data_fin(at));
  }
  void compare() {
    receiver_.validate();
    CHECK(receiver_.data_ack() == idsn_ + 1 + model_.acked());
    CHECK(receiver_.fin_received() == (model_.end == model_.in_order()));
    CHECK(receiver_.out_of_order() == (model_.written() > model_.in_order()));
    const std::uint64_t window = receiver_.window();
    CHECK(receiver_.promise_window() == window);
    // M66: a DATA_FIN's octet at a closed window's edge is the only thing that may pass the edge.
    CHECK(model_.acked() + window == std::max(model_.edge, model_.acked()));
    const auto readable = pipe_.peek(StreamOffset(model_.released), kStream).to_vector();
    REQUIRE(readable.size() == model_.in_order() - model_.released);
    for (std::size_t i = 0; i < readable.size(); ++i) {
      if (readable[i] != model_.bytes[model_.released + i]) FAIL("a byte differs at ", i);
    }
  }

  Random& random_;
  Model model_;
  ChunkPool pool_{1 << 20};
  Pipe pipe_{pool_, model_.capacity};
  std::uint64_t idsn_;
  DataSequence sequence_;
  DataReceiver receiver_;
};

}  // namespace

TEST_SUITE_BEGIN("property");
TEST_CASE("a data receiver does what a byte-by-byte model does") {
  test::for_seeds(150, [](Random& random) {
    Run run(random);
    for (int i = 0; i < 150; ++i) run.step();
  });
}
TEST_SUITE_END();

}  // namespace braid::mptcp
