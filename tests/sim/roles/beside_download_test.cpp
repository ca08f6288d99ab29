// What a small request waits for beside a download that fills both uplinks: the queue that stands
// on the way, and nothing else. In virtual time, so the figures are the same on every machine.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/sim/roles/transfers.h"

namespace braid::sim {
namespace {

constexpr std::uint64_t kEndless = 1'000'000'000;  // bytes; never all sent
constexpr std::uint16_t kBulkPort = 80;
constexpr std::uint16_t kAskPort = 81;
constexpr std::uint64_t kQuestion = 10;  // bytes
constexpr std::uint64_t kAnswer = 1000;

// A connection whose client asks and waits for the answer, again and again.
class Asker {
 public:
  explicit Asker(TwoUplinks& net)
      : net_(net),
        client_(net.client->connect(net.server_at(kAskPort), script(kUpload, kDownload),
                                    net.world.now())) {
    REQUIRE(net.world.run_until([&] { return client_.established(); }, 2s));
    server_ = net.server->apps().back().get();
  }

  void ask() {
    const std::uint64_t asked = server_->received() + kQuestion;
    const std::uint64_t answered = client_.received() + kAnswer;
    client_.send_more(kQuestion);
    REQUIRE(net_.world.run_until([&] { return server_->received() == asked; }, 2s));
    server_->send_more(kAnswer);
    REQUIRE(net_.world.run_until([&] { return client_.received() == answered; }, 2s));
  }
  void leave() { client_.reset(net_.world.now()); }

  static AppScript script(std::uint64_t sends, std::uint64_t expects) {
    return {.send_stream = sends, .expect_stream = expects, .finish = AppScript::Finish::kNever};
  }

 private:
  TwoUplinks& net_;
  App& client_;
  App* server_ = nullptr;
};

struct Times {
  Duration kept;   // a request on a connection that is kept
  Duration fresh;  // and on a new one, from its first SYN on
};

// What 99 of 100 requests take at most.
Times ask_often(TwoUplinks& net, std::size_t requests) {
  std::vector<Duration> kept, fresh;
  const auto timed = [&net](std::vector<Duration>& times, auto&& act) {
    const Instant begin = net.world.now();
    act();
    times.push_back(net.world.now() - begin);
    net.world.run_for(25ms);
  };
  Asker asker(net);
  for (std::size_t i = 0; i < requests; ++i) {
    timed(kept, [&] { asker.ask(); });
    timed(fresh, [&net] {
      Asker other(net);
      other.ask();
      other.leave();
    });
  }
  const auto p99 = [requests](std::vector<Duration>& times) {
    std::sort(times.begin(), times.end());
    return times[requests * 99 / 100];
  };
  return {p99(kept), p99(fresh)};
}

TEST_SUITE_BEGIN("sim");
TEST_CASE("a small request beside downloads that fill both uplinks waits 30 ms more at most") {
  std::size_t downloads = 0;
  SUBCASE("one") { downloads = 1; }
  SUBCASE("four") { downloads = 4; }
  TwoUplinks net(91);
  net.server->listen(kAskPort, [] { return Asker::script(kDownload, kUpload); });
  const Times idle = ask_often(net, 20);

  net.server->listen(kBulkPort, [] {
    return AppScript{.send_bytes = kEndless, .send_stream = kDownload, .expect_stream = kUpload};
  });
  std::vector<const App*> bulk;
  for (std::size_t i = 0; i < downloads; ++i) {
    bulk.push_back(&connect_to(net, net.server_at(kBulkPort)));
  }
  const auto received = [&bulk] {
    std::uint64_t bytes = 0;
    for (const App* app : bulk) bytes += app->received();
    return bytes;
  };
  net.world.run_for(2500ms);
  const Instant begin = net.world.now();
  const std::uint64_t before = received();
  const Times busy = ask_often(net, 100);
  CHECK(busy.kept <= idle.kept + 30ms);
  CHECK(busy.fresh <= idle.fresh + 30ms);
  // Of the uplinks' 80 Mbit/s: it is no use to ask quickly beside a download that gave way.
  const Rate rate = Rate::of(received() - before, net.world.now() - begin);
  CHECK(rate.bits_per_second() > 72'000'000);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::sim
