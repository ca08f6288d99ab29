// Pipe against a model that keeps every byte of the stream in a map.
#include "stack/base/pipe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "tests/property/seeds.h"

TEST_SUITE_BEGIN("property");

using namespace braid;

namespace {

constexpr std::uint64_t kChunk = Chunk::kSize;

struct Marks {
  std::uint64_t released = 0;
  std::uint64_t in_order = 0;
  std::uint64_t capacity = 0;
  std::uint64_t edge = 0;
  std::optional<std::uint64_t> end;

  std::uint64_t readable() const { return in_order - released; }
  std::uint64_t room() const { return capacity > readable() ? capacity - readable() : 0; }
  std::uint64_t limit() const { return end ? std::min(edge, *end) : edge; }
};

// Stands for the pipe's marks and bytes, without chunks: a cell for every byte from the stream's
// beginning, and kAbsent where there is none.
struct Model : Marks {
  static constexpr std::int16_t kAbsent = -1;
  std::vector<std::int16_t> cells;

  void set_capacity(std::uint64_t bytes) {
    capacity = bytes;
    edge = std::max(edge, released + capacity);
  }
  // The answer of a pipe with enough memory.
  Interval would_hold(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t from = std::clamp(in_order, offset, offset + length);
    return {from, std::max(from, std::min(offset + length, limit()))};
  }
  // Keeps the bytes of [got.begin, got.end) out of those offered at `offset`.
  void write(std::uint64_t offset, const std::vector<std::uint8_t>& bytes, Interval got) {
    if (cells.size() < got.end) cells.resize(got.end, kAbsent);
    for (std::uint64_t p = got.begin; p < got.end; ++p) {
      if (cells[p] == kAbsent) cells[p] = bytes[p - offset];  // the first copy wins
    }
    while (in_order < cells.size() && cells[in_order] != kAbsent) ++in_order;
  }
  void release(std::uint64_t offset, std::uint64_t most) {
    if (offset > released) capacity = std::min(capacity, most);
    released = std::max(released, offset);
    edge = std::max(edge, released + capacity);
  }
  void finish(std::uint64_t offset) {
    if (end || offset < in_order) return;
    end = offset;
    if (cells.size() > offset) cells.resize(offset);
  }
  std::uint64_t written() const {
    std::uint64_t top = cells.size();
    while (top > in_order && cells[top - 1] == kAbsent) --top;
    return std::max(top, in_order);
  }
  // Chunks with at least one byte in them that is not released.
  std::uint64_t chunks() const {
    std::uint64_t count = 0;
    std::uint64_t p = released;
    while (p < cells.size()) {
      if (cells[p] == kAbsent) {
        ++p;
      } else {
        ++count;
        p = (p / kChunk + 1) * kChunk;
      }
    }
    return count;
  }
  std::vector<std::uint8_t> bytes(std::uint64_t from, std::uint64_t to) const {
    return {cells.begin() + static_cast<std::ptrdiff_t>(from),
            cells.begin() + static_cast<std::ptrdiff_t>(to)};
  }
};

struct KeptHold {
  Pipe::Hold hold;
  std::vector<std::uint8_t> bytes;
};

class World {
 public:
  World(Random& random, std::uint64_t budget_chunks)
      : random_(random), pool_(budget_chunks * kChunk), pipe_(pool_, 0) {
    reader_.join(agenda_);
    writer_.join(agenda_);
    pipe_.set_reader(&reader_);
    pipe_.set_writer(&writer_);
    const std::uint64_t capacity = 1 + random_.below(6 * kChunk);
    pipe_.set_capacity(capacity);
    model_.set_capacity(capacity);
    while (agenda_.next(Instant()) != nullptr) continue;
  }

  void step() {
    before_ = model_;
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: write(model_.in_order); break;
      case 4:
      case 5: write(model_.released + random_.below(7 * kChunk)); break;
      case 6:
      case 7:
      case 8: release(); break;
      case 9: hold(); break;
      case 10: use_a_hold(); break;
      default: rare();
    }
    compare();
  }

 private:
  void write(std::uint64_t offset) {
    if (random_.chance(0.3)) offset -= std::min<std::uint64_t>(offset, random_.below(3000));
    const std::uint32_t longest = random_.chance(0.2) ? 5 * kChunk : 5000;
    std::vector<std::uint8_t> bytes(random_.below(longest));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_.u32());
    // Cut in two pieces that do not touch in memory.
    const std::size_t cut = random_.below(static_cast<std::uint32_t>(bytes.size()) + 1);
    const std::vector<std::uint8_t> tail(bytes.begin() + static_cast<std::ptrdiff_t>(cut),
                                         bytes.end());
    Slices slices(Bytes(bytes).first(cut));
    slices.append(Bytes(tail));

    const Interval got = pipe_.write_at(StreamOffset(offset), slices);
    const Interval best = model_.would_hold(offset, bytes.size());
    REQUIRE(got.begin == best.begin);
    REQUIRE(got.end <= best.end);
    if (got.end < best.end) {  // only for want of memory
      const std::uint64_t budget = pool_.budget_bytes() / kChunk;
      const std::uint64_t reserve = got.begin == model_.in_order ? 0 : (budget + 7) / 8;
      REQUIRE(pool_.used_bytes() / kChunk + reserve >= budget);
    }
    model_.write(offset, bytes, got);
  }

  void release() {
    const std::uint64_t readable = model_.in_order - model_.released;
    const std::uint64_t to =
        random_.chance(0.3)
            ? model_.in_order
            : model_.released + random_.below(static_cast<std::uint32_t>(readable) + 1);
    pipe_.release(StreamOffset(to));
    model_.release(to, pipe_.max_capacity());
  }

  void hold() {
    const auto readable = static_cast<std::uint32_t>(model_.in_order - model_.released);
    const std::uint64_t from = model_.released + random_.below(readable + 1);
    const auto most = std::min<std::uint64_t>(model_.in_order - from, Pipe::kMaxHold);
    const std::uint32_t length = random_.below(static_cast<std::uint32_t>(most) + 1);
    if (holds_.size() == 3) holds_.erase(holds_.begin());
    holds_.push_back({pipe_.hold(StreamOffset(from), length), model_.bytes(from, from + length)});
  }

  void use_a_hold() {
    if (holds_.empty()) return;
    KeptHold& kept = holds_[random_.below(static_cast<std::uint32_t>(holds_.size()))];
    const std::uint32_t cut = random_.below(kept.hold.length() + 1);
    kept.hold.trim_front(kept.hold.begin() + cut);
    kept.bytes.erase(kept.bytes.begin(), kept.bytes.begin() + cut);
    REQUIRE(kept.hold.length() == kept.bytes.size());
  }

  void rare() {
    if (random_.chance(0.7)) {
      const std::uint64_t capacity = random_.below(8 * kChunk);
      pipe_.set_capacity(capacity);
      model_.set_capacity(capacity);
    } else if (random_.chance(0.1)) {
      const std::uint64_t end =
          model_.in_order - std::min<std::uint64_t>(model_.in_order, 5) + random_.below(3 * kChunk);
      pipe_.finish_at(StreamOffset(end));
      model_.finish(end);
    }
  }

  void compare() {
    pipe_.validate();
    REQUIRE(pipe_.released().value() == model_.released);
    REQUIRE(pipe_.in_order().value() == model_.in_order);
    REQUIRE(pipe_.written().value() == model_.written());
    REQUIRE(pipe_.end().has_value() == model_.end.has_value());
    REQUIRE(pipe_.complete() == (model_.end == model_.in_order));
    const std::uint64_t readable = model_.readable();
    REQUIRE(pipe_.room() == model_.room());
    if (holds_.empty()) REQUIRE(pool_.used_bytes() == model_.chunks() * kChunk);

    const std::uint64_t from =
        model_.released + random_.below(static_cast<std::uint32_t>(readable) + 1);
    const std::uint32_t length = random_.below(9 * kChunk);
    const std::vector<std::uint8_t> seen = pipe_.peek(StreamOffset(from), length).to_vector();
    REQUIRE(seen == model_.bytes(from, std::min(from + seen.size(), model_.in_order)));
    REQUIRE(seen.size() >= std::min<std::uint64_t>({length, model_.in_order - from, 7 * kChunk}));
    for (const KeptHold& kept : holds_) {
      REQUIRE(kept.hold.peek(kept.hold.begin(), ~0U).to_vector() == kept.bytes);
    }
    compare_wakes();
  }

  void compare_wakes() {
    bool reader_woke = false;
    bool writer_woke = false;
    while (Agenda::Entry* entry = agenda_.next(Instant())) {
      (entry == &reader_ ? reader_woke : writer_woke) = true;
    }
    const bool news = model_.in_order != before_.in_order || model_.end != before_.end;
    REQUIRE(reader_woke == news);
    // Room that came from release or a larger capacity; writing only ever takes room.
    const bool grew = model_.released != before_.released || model_.room() > before_.room();
    REQUIRE(writer_woke == grew);
  }

  Random& random_;
  ChunkPool pool_;
  Agenda agenda_;
  Agenda::Entry reader_;
  Agenda::Entry writer_;
  Pipe pipe_;
  Model model_;
  Marks before_;
  std::vector<KeptHold> holds_;
};

void run(Random& random, std::uint64_t budget_chunks) {
  World world(random, budget_chunks);
  for (int i = 0; i < 60; ++i) world.step();
}

}  // namespace

TEST_CASE("a pipe gives back the bytes written to it and keeps its marks") {
  test::for_seeds(40, [](Random& random) { run(random, 1000); });
}

TEST_CASE("a pipe that runs out of memory takes a prefix and loses nothing") {
  test::for_seeds(40, [](Random& random) { run(random, 1 + random.below(8)); });
}

TEST_SUITE_END();
