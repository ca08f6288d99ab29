#include "stack/base/fair_share.h"

#include <doctest/doctest.h>

#include <vector>

#include "stack/base/pipe.h"

TEST_SUITE_BEGIN("base");

using namespace braid;

namespace {

class Stream final : public FairShare::Member {
 public:
  explicit Stream(FairShare& shares) : shares_(shares) {}
  ~Stream() override { shares_.leave(*this); }
  bool gave_back = false;

 private:
  void give_back() override {
    gave_back = true;
    shares_.leave(*this);
  }
  FairShare& shares_;
};

}  // namespace

TEST_CASE("members share three quarters of the budget, and nobody has more than one") {
  FairShare shares(1200);
  CHECK(shares.share() == 300);
  Stream a(shares), b(shares), c(shares), d(shares);
  for (Stream* one : {&a, &b, &c}) shares.join(*one);
  CHECK(shares.share() == 300);
  shares.join(d);
  shares.join(d);
  CHECK(shares.members() == 4);
  CHECK(shares.share() == 225);
  shares.leave(a);
  shares.leave(a);
  CHECK(shares.members() == 3);
}

TEST_CASE(
    "who took nothing while others took the whole budget gives back, the longest at rest first") {
  FairShare shares(1000);
  Stream idle(shares), quiet(shares), busy(shares), small(shares);
  for (Stream* one : {&idle, &quiet, &busy}) shares.join(*one);
  shares.took(small, 600);  // no member, but the memory is taken all the same
  shares.took(quiet, 1);
  shares.took(busy, 399);
  shares.reclaim();
  CHECK_FALSE(idle.gave_back);  // exactly the budget
  shares.took(busy, 1);
  shares.reclaim();
  CHECK(idle.gave_back);
  CHECK_FALSE(quiet.gave_back);
  CHECK(shares.members() == 2);
  shares.took(busy, 1000);
  shares.reclaim();
  CHECK(quiet.gave_back);
  CHECK_FALSE(busy.gave_back);
}

TEST_CASE("whoever leaves from the middle leaves the order of the others") {
  FairShare shares(100);
  Stream first(shares), middle(shares), last(shares);
  for (Stream* one : {&first, &middle, &last}) shares.join(*one);
  shares.leave(middle);
  shares.took(first, 101);
  shares.reclaim();
  CHECK(last.gave_back);
  CHECK_FALSE(middle.gave_back);
  CHECK_FALSE(first.gave_back);
}

namespace {

constexpr std::uint64_t kFirst = 4096;

// A relay whose writer fills the room at once and whose reader could carry more.
void relay(Pipe& pipe) {
  std::vector<std::uint8_t> bytes(pipe.room());
  for (std::size_t at = 0; at < bytes.size(); at += 65536) {
    const std::size_t size = std::min<std::size_t>(65536, bytes.size() - at);
    CHECK(pipe.append(Slices(Bytes(bytes).subspan(at, size))) == size);  // as promised
  }
  pipe.reader_starved();
}

}  // namespace

TEST_CASE("busy pipes grow to equal parts of the pool, and what is promised can be kept") {
  ChunkPool pool(4 << 20);
  std::vector<std::unique_ptr<Pipe>> pipes;
  for (int i = 0; i < 24; ++i) pipes.push_back(std::make_unique<Pipe>(pool, kFirst));
  for (int round = 0; round < 30; ++round) {
    for (const auto& pipe : pipes) relay(*pipe);  // all are full at the same time
    CHECK_FALSE(pool.used_bytes() == pool.budget_bytes());
    for (const auto& pipe : pipes) pipe->release(pipe->in_order());
  }
  for (const auto& pipe : pipes) CHECK(pipe->capacity() == (3 << 20) / 24);

  SUBCASE("those who remain have the part of those who left") {
    pipes.resize(3);
    for (int round = 0; round < 10; ++round) {
      for (const auto& pipe : pipes) relay(*pipe);
      for (const auto& pipe : pipes) pipe->release(pipe->in_order());
    }
    for (const auto& pipe : pipes) CHECK(pipe->capacity() == 1 << 20);
  }
  SUBCASE("those who rest give theirs back, and keep what they promised") {
    Pipe& resting = *pipes.back();
    const StreamOffset promised = resting.in_order() + resting.room();
    for (int round = 0; round < 60; ++round) {
      for (int i = 0; i < 4; ++i) relay(*pipes[i]);
      for (int i = 0; i < 4; ++i) pipes[i]->release(pipes[i]->in_order());
    }
    CHECK(resting.capacity() == kFirst);
    CHECK(pipes[0]->capacity() == (3 << 20) / 4);
    const std::vector<std::uint8_t> bytes(promised - resting.in_order());
    CHECK(resting.append(Slices(Bytes(bytes).first(65536))) == 65536);
  }
}

TEST_CASE("a pipe whose part has become smaller follows as its bytes leave") {
  ChunkPool pool(4 << 20);
  Pipe early(pool, kFirst);
  early.grow(1 << 20);
  REQUIRE(early.capacity() == 1 << 20);
  std::vector<std::unique_ptr<Pipe>> others;
  for (int i = 0; i < 5; ++i) {
    others.push_back(std::make_unique<Pipe>(pool, kFirst));
    others.back()->grow(1 << 20);
  }
  CHECK(others.back()->capacity() == (3 << 20) / 6);
  CHECK(early.capacity() == 1 << 20);
  const std::vector<std::uint8_t> bytes(1000);
  early.append(Slices(Bytes(bytes)));
  early.release(early.in_order());
  CHECK(early.capacity() == (3 << 20) / 6);
}

TEST_SUITE_END();
