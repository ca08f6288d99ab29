#include "tests/support/sim/link_model.h"

#include <doctest/doctest.h>

#include <bit>
#include <vector>

namespace braid::sim {
namespace {

constexpr Instant kStart{};

Packet packet_of(std::size_t size, std::uint8_t tag = 0) { return Packet(size, tag); }

// Everything that comes out until the model has nothing more to do.
std::vector<LinkModel::Delivery> drain(LinkModel& link) {
  std::vector<LinkModel::Delivery> out;
  for (Instant at = link.next_deadline(); at != kNever; at = link.next_deadline()) {
    while (auto delivery = link.pop_delivered(at)) out.push_back(std::move(*delivery));
  }
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("sim");

TEST_CASE("packets take the time their bytes need at the rate, one after the other") {
  LinkModel link({.rate = Rate::bits_per_second(50'000'000), .delay = 10ms}, Random(1), kStart);
  for (int i = 0; i < 1000; ++i)
    CHECK(link.enqueue(packet_of(1500), kStart) == LinkModel::Fate::kAccepted);
  const auto out = drain(link);
  REQUIRE(out.size() == 1000);
  CHECK(out.front().at == kStart + 10ms + 240us);
  CHECK(out.back().at == kStart + 10ms + 240ms);
  CHECK(link.stats().delivered_bytes == 1'500'000);
}

TEST_CASE("a late caller still learns the exact instant of each delivery") {
  LinkModel link({.rate = Rate::bytes_per_second(1'000'000), .delay = 5ms}, Random(1), kStart);
  link.enqueue(packet_of(1000), kStart);
  link.enqueue(packet_of(1000), kStart);
  CHECK(link.pop_delivered(kStart + 1s)->at == kStart + 6ms);
  CHECK(link.pop_delivered(kStart + 1s)->at == kStart + 7ms);
  CHECK_FALSE(link.pop_delivered(kStart + 1s));
}

TEST_CASE("nothing is delivered before its time, and the deadline is never late") {
  LinkModel link({.delay = 5ms}, Random(1), kStart);
  CHECK(link.next_deadline() == kNever);
  link.enqueue(packet_of(100), kStart);
  CHECK(link.next_deadline() <= kStart + 5ms);
  CHECK_FALSE(link.pop_delivered(kStart + 5ms - 1ns));
  CHECK(link.pop_delivered(kStart + 5ms));
}

TEST_CASE("a link without a rate delivers at once after its delay") {
  LinkModel link({}, Random(1), kStart);
  link.enqueue(packet_of(1500), kStart + 3ms);
  CHECK(link.pop_delivered(kStart + 3ms)->at == kStart + 3ms);
}

TEST_CASE("a full queue drops what arrives and keeps what waits") {
  LinkSettings settings{.rate = Rate::bytes_per_second(1'000'000)};
  std::size_t accepted = 0;
  SUBCASE("limited in bytes") {
    settings.queue_bytes = 10'000;
    accepted = 10;
  }
  SUBCASE("limited in time") {
    settings.queue_time = 10ms;
    accepted = 11;  // the eleventh finds exactly 10 ms before it
  }
  LinkModel link(settings, Random(1), kStart);
  for (std::uint8_t i = 0; i < 20; ++i) {
    const auto fate = link.enqueue(packet_of(1000, i), kStart);
    CHECK(fate == (i < accepted ? LinkModel::Fate::kAccepted : LinkModel::Fate::kQueueFull));
  }
  const auto out = drain(link);
  REQUIRE(out.size() == accepted);
  for (std::size_t i = 0; i < accepted; ++i) CHECK(out[i].packet[0] == i);
  CHECK(link.stats().dropped_queue == 20 - accepted);
}

TEST_CASE("a queue smaller than a packet still carries a packet at a time") {
  LinkModel link({.rate = Rate::bytes_per_second(1'000'000), .queue_bytes = 100}, Random(1),
                 kStart);
  CHECK(link.enqueue(packet_of(1000), kStart) == LinkModel::Fate::kAccepted);
  CHECK(link.enqueue(packet_of(1000), kStart) == LinkModel::Fate::kQueueFull);
  CHECK(drain(link).size() == 1);
}

TEST_CASE("a change of rate applies to what is left of the packet in service") {
  LinkModel link({.rate = Rate::bytes_per_second(1'000'000)}, Random(1), kStart);
  link.enqueue(packet_of(1000), kStart);
  link.enqueue(packet_of(1000), kStart);
  link.set({.rate = Rate::bytes_per_second(100'000)}, kStart + 500us);  // half of the first is out
  const auto out = drain(link);
  REQUIRE(out.size() == 2);
  CHECK(out[0].at == kStart + 500us + 5ms);
  CHECK(out[1].at == kStart + 500us + 15ms);
}

TEST_CASE("a schedule changes the rate at its instants, over and over") {
  LinkSettings settings{.rate = Rate::bytes_per_second(1'000'000)};
  settings.schedule = {{.at = 0ms, .rate = Rate::bytes_per_second(1'000'000)},
                       {.at = 10ms, .rate = Rate::bytes_per_second(500'000)}};
  settings.schedule_period = 20ms;
  LinkModel link(settings, Random(1), kStart);
  // 10 kB in the first half of each period, 5 kB in the second.
  for (int i = 0; i < 30; ++i) link.enqueue(packet_of(1000), kStart);
  const auto out = drain(link);
  REQUIRE(out.size() == 30);
  CHECK(out[9].at == kStart + 10ms);
  CHECK(out[14].at == kStart + 20ms);
  CHECK(out[29].at == kStart + 40ms);
}

TEST_CASE("a link that is down loses everything in silence, also what was under way") {
  LinkModel link({.rate = Rate::bytes_per_second(1'000'000), .delay = 5ms}, Random(1), kStart);
  link.enqueue(packet_of(1000), kStart);
  link.enqueue(packet_of(1000), kStart);
  link.set_state(LinkState::kBlackHole, kStart + 1500us);
  CHECK(link.enqueue(packet_of(1000), kStart + 2ms) == LinkModel::Fate::kDown);
  link.set_state(LinkState::kUp, kStart + 100ms);
  link.enqueue(packet_of(1000), kStart + 100ms);
  const auto out = drain(link);
  REQUIRE(out.size() == 1);
  CHECK(out[0].at == kStart + 106ms);
  CHECK(link.stats().dropped_down == 3);
}

TEST_CASE("a scheduled outage begins and ends by itself") {
  LinkSettings settings;
  settings.schedule = {{.at = 8s, .state = LinkState::kBlackHole},
                       {.at = 10s, .state = LinkState::kUp}};
  settings.schedule_period = 10s;
  LinkModel link(settings, Random(1), kStart);
  int delivered = 0;
  for (int second = 0; second < 40; ++second) {
    link.enqueue(packet_of(10), kStart + second * 1s + 500ms);
    while (link.pop_delivered(kStart + second * 1s + 500ms)) ++delivered;
  }
  CHECK(delivered == 32);
}

TEST_CASE("a packet above the MTU is refused and says so") {
  LinkModel link({.mtu = 1400}, Random(1), kStart);
  CHECK(link.enqueue(packet_of(1401), kStart) == LinkModel::Fate::kTooBig);
  CHECK(link.enqueue(packet_of(1400), kStart) == LinkModel::Fate::kAccepted);
}

TEST_CASE("the share of packets lost is what was asked for, and lost packets use the wire") {
  LinkModel link({.rate = Rate::bytes_per_second(1'000'000), .loss = 0.1}, Random(7), kStart);
  for (int i = 0; i < 20'000; ++i) link.enqueue(packet_of(100), kStart);
  const auto out = drain(link);
  CHECK(out.size() > 17'700);
  CHECK(out.size() < 18'300);
  CHECK(out.size() + link.stats().dropped_loss == 20'000);
  CHECK(out.back().at > kStart + 1990ms);
}

TEST_CASE("bursts lose packets in runs") {
  LinkModel link({.burst = {.enter = 0.01, .leave = 0.2, .loss_when_bad = 1.0}}, Random(3), kStart);
  int lost = 0;
  int runs = 0;
  bool before = false;
  for (int i = 0; i < 50'000; ++i) {
    link.enqueue(packet_of(100), kStart);
    const bool now_lost = !link.pop_delivered(kStart);
    lost += now_lost;
    runs += now_lost && !before;
    before = now_lost;
  }
  // Stationary share 0.01 / 0.21, mean run 5.
  CHECK(lost > 1900);
  CHECK(lost < 2900);
  CHECK(lost / runs >= 4);
  CHECK(lost / runs <= 6);
}

TEST_CASE(
    "bit errors flip one bit of a packet, at the rate asked for, and never the frame header") {
  LinkModel link({.bit_error_rate = 1e-5, .frame_header = 14}, Random(5), kStart);
  int damaged = 0;
  for (int i = 0; i < 20'000; ++i) {
    link.enqueue(packet_of(1014), kStart);
    const auto out = link.pop_delivered(kStart);
    int bits = 0;
    for (std::size_t at = 0; at < out->packet.size(); ++at) {
      bits += std::popcount(out->packet[at]);
      if (at < 14) CHECK(out->packet[at] == 0);
    }
    CHECK(bits <= 1);
    damaged += bits;
  }
  // 20,000 x 8000 bits x 1e-5 = 1600 errors, of which about 4 % would be second ones in a packet.
  CHECK(damaged > 1400);
  CHECK(damaged < 1700);
  CHECK(link.stats().damaged == static_cast<std::uint64_t>(damaged));
}

TEST_CASE("jitter keeps the order unless it is allowed not to") {
  LinkSettings settings{.delay = 10ms, .jitter = 5ms};
  bool in_order = true;
  SUBCASE("kept") { settings.jitter_order = JitterOrder::kKept; }
  SUBCASE("not kept") {
    settings.jitter_order = JitterOrder::kMayReorder;
    in_order = false;
  }
  LinkModel link(settings, Random(9), kStart);
  for (std::uint8_t i = 0; i < 100; ++i) link.enqueue(packet_of(10, i), kStart + i * 100us);
  const auto out = drain(link);
  REQUIRE(out.size() == 100);
  bool ascending = true;
  for (std::size_t i = 1; i < out.size(); ++i) {
    CHECK(out[i].at >= out[i - 1].at);
    ascending = ascending && out[i].packet[0] > out[i - 1].packet[0];
  }
  CHECK(ascending == in_order);
  for (const auto& one : out) {
    CHECK(one.at >= kStart + one.packet[0] * 100us + 10ms);
    CHECK(one.at <= kStart + 100 * 100us + 15ms);
  }
}

TEST_CASE("reordering holds back single packets and duplication repeats them") {
  LinkModel link({.duplicate = 0.1, .reorder = 0.1, .reorder_delay = 1ms}, Random(11), kStart);
  for (int i = 0; i < 1000; ++i) link.enqueue(packet_of(10), kStart + i * 10us);
  const auto out = drain(link);
  CHECK(link.stats().reordered > 60);
  CHECK(link.stats().reordered < 140);
  CHECK(link.stats().duplicated > 60);
  CHECK(out.size() == 1000 + link.stats().duplicated);
}

TEST_CASE("the frame header is not counted") {
  LinkModel link({.rate = Rate::bytes_per_second(1'000'000), .mtu = 1000, .frame_header = 14},
                 Random(1), kStart);
  CHECK(link.enqueue(packet_of(1014), kStart) == LinkModel::Fate::kAccepted);
  CHECK(drain(link)[0].at == kStart + 1ms);
  CHECK(link.stats().delivered_bytes == 1000);
}

TEST_CASE("equal generators give equal fates") {
  const LinkSettings settings{.jitter = 3ms,
                              .jitter_order = JitterOrder::kMayReorder,
                              .loss = 0.2,
                              .bit_error_rate = 1e-4,
                              .duplicate = 0.1,
                              .reorder = 0.1};
  auto run = [&](std::uint64_t seed) {
    LinkModel link(settings, Random(seed), kStart);
    std::vector<std::pair<Instant, Packet>> out;
    for (std::uint8_t i = 0; i < 200; ++i) link.enqueue(packet_of(200, i), kStart + i * 50us);
    for (auto& one : drain(link)) out.emplace_back(one.at, std::move(one.packet));
    return out;
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}

TEST_SUITE_END();

}  // namespace braid::sim
