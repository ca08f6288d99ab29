// DataSender beside an obvious model: one array element per byte, and a peer behind lossy subflows.
//
// Every offered range is compared with the model's, and every run must end with all bytes and the
// DATA_FIN acknowledged once the world behaves: nothing is lost, nothing gets stuck.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "stack/base/random.h"
#include "stack/mptcp/data_sender.h"
#include "tests/property/seeds.h"

namespace braid::mptcp {
namespace {

using Range = DataSender::Range;
using Trouble = DataSender::Trouble;

constexpr Duration kRto = 200ms;
constexpr std::size_t kStream = 4000;
constexpr std::uint64_t kPeerCapacity = 600;

struct Carrier {
  SubflowId subflow;
  bool acked = false;
  bool timed_out = false;
};

struct ByteState {
  bool due = false;
  std::vector<Carrier> carriers;

  Carrier* find(SubflowId subflow) {
    for (Carrier& c : carriers) {
      if (c.subflow == subflow) return &c;
    }
    return nullptr;
  }
  bool may_ride_on(SubflowId subflow) {
    const Carrier* const c = find(subflow);
    return c == nullptr || c->acked;
  }
  bool hopeless() const {
    return std::all_of(carriers.begin(), carriers.end(),
                       [](const Carrier& c) { return c.timed_out && !c.acked; });
  }
  bool settled() const {  // delivered by a subflow, in flight on none
    bool acked = false;
    for (const Carrier& c : carriers) {
      if (!c.acked && !c.timed_out) return false;
      acked = acked || c.acked;
    }
    return acked && !due;
  }
};

// The sender's state as it should be.
struct Model {
  std::vector<ByteState> bytes = std::vector<ByteState>(kStream);
  std::uint64_t una = 0, nxt = 0, edge = kPeerCapacity, written = 0;
  bool ended = false, fin_sent = false, fin_acked = false;

  std::optional<Range> next(SubflowId subflow, std::uint32_t most) {
    std::uint64_t from = una;
    while (from < nxt && !(bytes[from].due && bytes[from].may_ride_on(subflow))) ++from;
    std::uint64_t to = from;
    while (to < nxt && to - from < most && bytes[to].due && bytes[to].may_ride_on(subflow)) ++to;
    Range::Kind kind = Range::Kind::kReinjection;
    if (from == to) {
      kind = Range::Kind::kNew;
      from = nxt;
      to = std::max(from, std::min({written, edge, nxt + most}));
    }
    if (from == to) return std::nullopt;
    return Range{StreamOffset(from), static_cast<std::uint32_t>(to - from), ended && to == written,
                 kind};
  }
  void mapped(const Range& range, SubflowId subflow) {
    for (std::uint64_t i = range.begin.value(); i < range.begin.value() + range.length; ++i) {
      bytes[i].due = false;
      if (Carrier* const former = bytes[i].find(subflow)) {
        *former = Carrier{subflow};
      } else {
        bytes[i].carriers.push_back(Carrier{subflow});
      }
    }
    nxt = std::max(nxt, range.begin.value() + range.length);
    fin_sent = fin_sent || range.data_fin;
  }
  void subflow_acked(const Range& range, SubflowId subflow) {
    for (std::uint64_t i = range.begin.value(); i < range.begin.value() + range.length; ++i) {
      Carrier* const c = bytes[i].find(subflow);
      if (i < una || c == nullptr || c->acked) continue;
      c->acked = true;
      bytes[i].due = false;
    }
  }
  void trouble(SubflowId subflow, Trouble kind) {
    for (std::uint64_t i = una; i < nxt; ++i) {
      Carrier* const c = bytes[i].find(subflow);
      if (c == nullptr) continue;
      if (kind == Trouble::kFailed) {
        bytes[i].carriers.erase(bytes[i].carriers.begin() + (c - bytes[i].carriers.data()));
      } else {
        c->timed_out = true;
      }
      if (bytes[i].hopeless()) bytes[i].due = true;
    }
  }
  void head_timer_fired() {
    for (std::uint64_t i = una; i < nxt && bytes[i].settled(); ++i) bytes[i].due = true;
  }
};

// The other end's data level.
struct Peer {
  std::vector<bool> have = std::vector<bool>(kStream);
  std::uint64_t released = 0;
  std::optional<std::uint64_t> end;

  std::uint64_t in_order() const {
    return static_cast<std::uint64_t>(std::find(have.begin(), have.end(), false) - have.begin());
  }
  std::uint64_t edge() const { return released + kPeerCapacity; }
  void receive(const Range& range) {
    const std::uint64_t begin = range.begin.value();
    for (std::uint64_t i = begin; i < std::min(begin + range.length, edge()); ++i) have[i] = true;
    if (range.data_fin) end = begin + range.length;
  }
};

struct DataAck {
  std::uint64_t offset;
  std::uint64_t window;
};

class Run {
 public:
  explicit Run(Random& random)
      : random_(random), sequence_(random_.u64(), StreamOffset(0)), sender_(pipe_, sequence_) {
    sender_.initial_window(kPeerCapacity);
    for (int i = 0; i < 3; ++i) paths_.push_back(Path{next_id_++, {}});
  }

  void step() {
    switch (random_.below(16)) {
      case 0: write(); break;
      case 1: read(); break;
      case 2: trouble(); break;
      case 3: pass_time(Duration(random_.below(300'000'000))); break;
      case 4:
      case 5:
      case 6: deliver(random_path(), random_.chance(0.9)); break;
      case 7:
      case 8: make_data_ack(); break;
      case 9:
      case 10: take_data_ack(); break;
      case 11: send_fin(random_.chance(0.5)); break;
      default: send(random_path(), 1 + random_.below(150)); break;
    }
    compare();
  }

  // The world behaves from now on; whatever happened before, all must arrive.
  void settle() {
    while (!model_.ended) write();
    for (int round = 0; round < 3000 && !sender_.fin_acked(); ++round) {
      peer_.released = peer_.in_order();
      for (Path& path : paths_) {
        while (send(path, 200)) {
        }
        while (!path.queue.empty()) deliver(path, true);
      }
      send_fin(true);
      make_data_ack();
      while (!acks_.empty()) take_data_ack();
      pass_time(kRto / 2);
      compare();
    }
    CHECK(sender_.fin_acked());
    CHECK(sender_.snd_una() == StreamOffset(model_.written));
    CHECK(peer_.in_order() == model_.written);
    CHECK(peer_.end == model_.written);
    CHECK(pipe_.released() == pipe_.in_order());
    sender_.on_deadline(kRto, now_);
    CHECK(sender_.next_deadline() == kNever);
  }

 private:
  struct Path {
    SubflowId id;
    std::deque<Range> queue;
  };
  Path& random_path() { return paths_[random_.below(static_cast<std::uint32_t>(paths_.size()))]; }

  void write() {
    if (model_.ended) return;
    const std::uint64_t length =
        std::min<std::uint64_t>(random_.below(400), kStream - model_.written);
    const std::vector<std::uint8_t> bytes(length);
    model_.written += pipe_.append(Slices(Bytes(bytes)));
    if (model_.written < kStream && random_.chance(0.98)) return;
    pipe_.finish();
    model_.ended = true;
  }
  void read() {
    const auto readable = static_cast<std::uint32_t>(peer_.in_order() - peer_.released);
    peer_.released += random_.below(readable + 1);
  }
  bool send(Path& path, std::uint32_t most) {
    std::optional<Range> range = sender_.next(path.id, most, now_);
    const std::optional<Range> expected = model_.next(path.id, most);
    if (range && range->kind == Range::Kind::kWindowProbe) {
      CHECK_FALSE(expected.has_value());
      CHECK(range->length == 1);
      CHECK(model_.una == model_.nxt);
      CHECK(model_.edge <= model_.nxt);
    } else if (range && range->kind == Range::Kind::kCopy) {  // the byte that asks, once more
      CHECK_FALSE(expected.has_value());
      CHECK(range->begin.value() == model_.una);
      CHECK(range->length == 1);
      CHECK(model_.edge <= model_.una);
      CHECK(model_.bytes[model_.una].find(path.id) == nullptr);
    } else {
      REQUIRE(range.has_value() == expected.has_value());
      if (!range) return false;
      CHECK(range->begin == expected->begin);
      CHECK(range->length == expected->length);
      CHECK(range->kind == expected->kind);
      CHECK(range->data_fin == expected->data_fin);
      if (random_.chance(0.2) && range->length > 1) {
        range->length = 1 + random_.below(range->length - 1);
        range->data_fin = false;
      }
    }
    sender_.mapped(*range, path.id, now_);
    model_.mapped(*range, path.id);
    path.queue.push_back(*range);
    return true;
  }
  // The subflow delivers its oldest mapping; `reaches_peer` is false where a proxy on the path
  // acknowledged it and lost it.
  void deliver(Path& path, bool reaches_peer) {
    if (path.queue.empty()) return;
    const Range range = path.queue.front();
    path.queue.pop_front();
    if (reaches_peer) peer_.receive(range);
    sender_.subflow_acked(path.id, range.begin, range.length);
    model_.subflow_acked(range, path.id);
  }
  void make_data_ack() {
    const std::uint64_t next = peer_.in_order();
    acks_.push_back(DataAck{next + (peer_.end == next ? 1 : 0), peer_.edge() - next});
  }
  void take_data_ack() {
    if (acks_.empty()) return;
    const std::size_t which = random_.below(static_cast<std::uint32_t>(acks_.size()));
    const DataAck ack = acks_[which];
    acks_.erase(acks_.begin() + static_cast<std::ptrdiff_t>(which));
    const auto outcome =
        sender_.receive_data_ack(sequence_.dsn(StreamOffset(ack.offset)), ack.window, now_);
    const std::uint64_t most = model_.nxt + (model_.fin_sent ? 1 : 0);
    if (ack.offset < model_.una || ack.offset > most) {
      CHECK_FALSE(outcome.advanced);
      return;
    }
    CHECK(outcome.fin_acked == (ack.offset > model_.nxt && !model_.fin_acked));
    model_.fin_acked = model_.fin_acked || ack.offset > model_.nxt;
    model_.una = std::min(ack.offset, model_.nxt);
    model_.edge = std::max(model_.edge, ack.offset + ack.window);
    if (outcome.advanced) quiet_since_ = now_;
  }
  void send_fin(bool arrives) {
    if (!sender_.fin_due(now_)) return;
    REQUIRE(model_.ended);
    REQUIRE(model_.nxt == model_.written);
    REQUIRE_FALSE(model_.fin_acked);
    sender_.fin_transmitted(now_);
    model_.fin_sent = true;
    if (arrives) peer_.end = model_.written;
  }
  void trouble() {
    Path& path = random_path();
    const Trouble kind = random_.chance(0.3) ? Trouble::kFailed : Trouble::kTimedOut;
    sender_.subflow_trouble(path.id, kind, now_);
    model_.trouble(path.id, kind);
    if (kind == Trouble::kFailed) path = Path{next_id_++, {}};
  }
  void pass_time(Duration d) {
    now_ += d;
    const bool fired = sender_.on_deadline(kRto, now_);
    CHECK(sender_.next_deadline() > now_);
    if (!fired) return;
    REQUIRE(model_.una < model_.nxt);
    CHECK(model_.bytes[model_.una].settled());
    CHECK(now_ - quiet_since_ >= kRto);
    model_.head_timer_fired();
  }
  void compare() {
    sender_.validate();
    CHECK(sender_.snd_una() == StreamOffset(model_.una));
    CHECK(sender_.snd_nxt() == StreamOffset(model_.nxt));
    CHECK(pipe_.released() == StreamOffset(model_.una));
    CHECK(sender_.unsent() == model_.written - model_.nxt);
    CHECK(sender_.fin_sent() == model_.fin_sent);
    CHECK(sender_.fin_acked() == model_.fin_acked);
    CHECK(sender_.window_left() == (model_.edge > model_.nxt ? model_.edge - model_.nxt : 0));
    bool due = false;
    for (std::uint64_t i = model_.una; i < model_.nxt; ++i) due = due || model_.bytes[i].due;
    CHECK(sender_.has_reinjections() == due);
  }

  Random& random_;
  Model model_;
  Peer peer_;
  ChunkPool pool_{1 << 20};
  Pipe pipe_{pool_, 1 << 16};
  DataSequence sequence_;
  DataSender sender_;
  std::vector<Path> paths_;
  std::vector<DataAck> acks_;
  SubflowId next_id_ = 1;
  Instant now_{1s};
  Instant quiet_since_{1s};  // no DATA_ACK moved snd_una since
};

}  // namespace

TEST_SUITE_BEGIN("property");
TEST_CASE("a data sender offers what a byte-by-byte model does, and all of it arrives") {
  test::for_seeds(120, [](Random& random) {
    Run run(random);
    for (int i = 0; i < 400; ++i) run.step();
    run.settle();
  });
}
TEST_SUITE_END();

}  // namespace braid::mptcp
