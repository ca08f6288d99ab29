// A sender, a path and a receiver that only counts: virtual time, and a say over every segment.
//
// What one plan sends is cut into segments; those that are not dropped arrive `delay` later
// together and are answered by one ACK (as a receiver with GRO does), which takes `delay` back.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "stack/base/interval_set.h"
#include "stack/cc/factory.h"
#include "stack/tcp/sender.h"

namespace braid::tcp {

// A controller with a window of the test's choice that writes down what it is told.
class FixedWindow final : public cc::Controller {
 public:
  explicit FixedWindow(std::uint64_t window) : window_(window) {}
  void set_mss(std::uint32_t) override {}
  void on_ack(const cc::Ack& ack) override { acks.push_back(ack); }
  void on_congestion(const cc::Congestion& event) override {
    events.push_back(event);
    saved_ = window_;
    window_ = std::max<std::uint64_t>(window_ / 2, 2000);
  }
  void on_timeout(const cc::Congestion& event) override {
    timeouts.push_back(event);
    saved_ = window_;
    window_ = 1000;
  }
  void undo() override {
    ++undone;
    window_ = saved_;
  }
  void on_idle(Duration idle, Duration) override { idles.push_back(idle); }
  std::uint64_t cwnd() const override { return window_; }
  std::uint64_t ssthresh() const override { return cc::kUnlimited; }
  Rate pacing_rate(Duration) const override { return rate; }
  std::string_view name() const override { return "fixed"; }

  std::vector<cc::Ack> acks;
  std::vector<cc::Congestion> events;
  std::vector<cc::Congestion> timeouts;
  std::vector<Duration> idles;
  int undone = 0;
  Rate rate;

 private:
  std::uint64_t window_;
  std::uint64_t saved_ = 0;
};

struct Leg {
  static constexpr std::uint32_t kMss = 1000;

  struct Piece {  // one segment on the wire
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    int attempt = 1;  // how often its first position has left, this time included
    Sender::Kind kind = Sender::Kind::kNew;
    bool operator==(const Piece&) const = default;
  };
  struct Options {
    std::uint64_t cwnd = 20000;
    std::uint64_t window = 1 << 20;
    bool sack = true;
    bool timestamps = false;
    Duration delay = 10ms;  // one way
    std::uint32_t max_super = 64000;
    std::optional<Duration> handshake_rtt = 20ms;
  };

  explicit Leg(Options o) : options(o), window(o.window) {
    auto fixed = std::make_unique<FixedWindow>(o.cwnd);
    controller = fixed.get();
    make(std::move(fixed));
  }
  Leg(Options o, cc::Algorithm algorithm) : options(o), window(o.window) {
    make(cc::make_controller(algorithm, kMss));
  }
  void make(std::unique_ptr<cc::Controller> c) {
    sender = std::make_unique<Sender>(Sender::Setup{.mss = kMss,
                                                    .max_super_payload = options.max_super,
                                                    .sack = options.sack,
                                                    .controller = std::move(c),
                                                    .max_retransmissions = 5});
  }
  void start() { sender->start(0, 0, options.window, options.handshake_rtt, now); }

  // The application has `end` bytes in all, and perhaps no more to come.
  void offer(std::uint64_t end, bool finished = false) {
    sender->set_end(end, finished);
    flush();
  }

  void flush() {
    while (const auto plan = sender->plan(now)) {
      transmit(*plan);
      sender->validate();
    }
    sender->validate();
  }

  // Lives until `until`, or until nothing is left to happen.
  void run(Duration span) {
    const Instant until = now + span;
    while (true) {
      const Instant due =
          std::min(events.empty() ? kNever : events.begin()->first, sender->next_deadline());
      if (due > until || gave_up) break;
      now = std::max(now, due);
      while (!events.empty() && events.begin()->first <= now) {
        const auto event = std::move(events.begin()->second);
        events.erase(events.begin());
        event();
        sender->validate();
      }
      if (sender->next_deadline() <= now) {
        const auto outcome = sender->on_deadline(now);
        outcomes.push_back(outcome);
        gave_up = outcome == Sender::TimerOutcome::kGiveUp;
      }
      if (!gave_up) flush();
    }
    now = std::max(now, until);
  }

  void transmit(const Sender::Plan& plan) {
    const std::uint64_t end = plan.position + plan.max_length + (plan.fin ? 1 : 0);
    std::vector<Piece> arriving;
    const bool probe = plan.size == Sender::Size::kPathProbe;
    const std::uint32_t mss = probe ? plan.max_length : sender->mss();
    for (std::uint64_t at = plan.position; at < end;) {
      const bool last = end - at <= mss + (plan.fin ? 1 : 0);
      const std::uint64_t piece_end = last ? end : at + mss;
      Piece piece{at, piece_end, ++attempts[at], plan.kind};
      log.emplace_back(now, piece);
      if (!drop || !drop(piece)) arriving.push_back(piece);
      at = piece_end;
    }
    sender->sent(plan, plan.max_length, plan.fin, now);
    if (arriving.empty()) return;
    events.emplace(now + options.delay + extra(plan.position),
                   [this, arriving, sent_at = now] { arrive(arriving, sent_at); });
  }
  Duration extra(std::uint64_t position) const { return lag ? lag(position) : Duration::zero(); }

  void arrive(const std::vector<Piece>& pieces, Instant sent_at) {
    std::optional<Interval> twice;
    for (const Piece& piece : pieces) {
      if (piece.end > promised) continue;  // beyond the window: not taken
      const bool known = piece.end <= next || received.covers(piece.begin, piece.end);
      if (known) twice = Interval{piece.begin, piece.end};
      received.insert(piece.begin, piece.end);
      latest = {piece.begin, piece.end};
    }
    const std::uint64_t before = next;
    next = received.find(0).end;
    if (next > before || pieces[0].begin <= before) echo = sent_at;
    acknowledge(twice);
  }

  // The ACK the receiver would send now.
  void acknowledge(std::optional<Interval> duplicate = {}) {
    if (mute) return;
    promised = std::max(promised, next + window);
    std::vector<Interval> sack;
    if (options.sack) {
      if (duplicate) sack.push_back(*duplicate);
      if (latest.end > next) sack.push_back(received.find(latest.begin));
      for (const Interval& range : received.ranges()) {
        const bool room = sack.size() < 3;
        if (room && range.begin > next && !range_in(sack, range)) sack.push_back(range);
      }
    }
    events.emplace(now + options.delay, [this, sack, ack = next, w = window, echoed = echo] {
      Sender::AckInput input{.ack = ack, .sack = sack, .window = w, .window_update_allowed = true};
      input.ecn_echo = ecn_echo;
      if (options.timestamps) {
        const auto tick = std::chrono::floor<std::chrono::milliseconds>(echoed.time_since_epoch());
        input.echoed = Instant(tick);
        input.timestamp_rtt = now - *input.echoed;
      }
      const auto outcome = sender->receive_ack(input, now);
      fin_acked |= outcome.fin_acked;
      largest_segment = std::max(largest_segment, outcome.largest_segment);
    });
  }
  static bool range_in(const std::vector<Interval>& list, const Interval& range) {
    return std::find(list.begin(), list.end(), range) != list.end();
  }
  // The peer changes its window and says so.
  void set_window(std::uint64_t bytes) {
    window = bytes;
    acknowledge();
  }

  // Segments that left, without their times.
  std::vector<Piece> pieces() const {
    std::vector<Piece> all;
    for (const auto& [at, piece] : log) all.push_back(piece);
    return all;
  }
  std::size_t count(Sender::Kind kind) const {
    return static_cast<std::size_t>(std::count_if(
        log.begin(), log.end(), [&](const auto& entry) { return entry.second.kind == kind; }));
  }

  Options options;
  std::unique_ptr<Sender> sender;
  FixedWindow* controller = nullptr;
  Instant now{1s};
  std::function<bool(const Piece&)> drop;
  std::function<Duration(std::uint64_t)> lag;  // extra delay of the segment at a position
  bool mute = false;
  bool ecn_echo = false;

  IntervalSet received;
  Interval latest;
  std::uint64_t next = 0;
  std::uint64_t window;
  std::uint64_t promised = options.window;  // a right edge that was told is kept
  Instant echo{};

  std::multimap<Instant, std::function<void()>> events;
  std::map<std::uint64_t, int> attempts;
  std::vector<std::pair<Instant, Piece>> log;
  std::vector<Sender::TimerOutcome> outcomes;
  bool gave_up = false;
  std::uint32_t largest_segment = 0;  // ever told of
  bool fin_acked = false;
};

}  // namespace braid::tcp
