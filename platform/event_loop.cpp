#include "platform/event_loop.h"

#include <sys/timerfd.h>
#include <uv.h>

#include <algorithm>
#include <map>
#include <optional>

#include "platform/clock.h"
#include "platform/fd.h"
#include "stack/base/ensure.h"

namespace braid::platform {

namespace {

// A poll that reports nothing but errors this often in a row is given up.
constexpr int kErrorsUntilGivenUp = 64;

struct Watch {
  uv_poll_t poll{};
  EventLoop::Handler readable;
  EventLoop::Handler writable;  // set while awaited
  int errors = 0;
  bool closing = false;
};

struct SignalWatch {
  uv_signal_t handle{};
  EventLoop::Handler handler;
};

}  // namespace

struct EventLoop::Loop {
  uv_loop_t uv{};
  uv_check_t check{};
  UniqueFd timer_fd;
  uv_poll_t timer_poll{};
  Instant armed = kNever;
  std::map<int, Watch*> watches;
  std::map<int, std::unique_ptr<SignalWatch>> signals;
  Flush flush;
  std::optional<Instant> now;  // set while a wake-up is being handled
  bool wake_wanted = false;

  Loop();
  ~Loop();
  Instant wake_up();
  void arm(Instant deadline);
  void start_poll(Watch& watch);
  void end_of_wake_up();
  static void on_poll(uv_poll_t* poll, int status, int events);
  static void on_timer(uv_poll_t* poll, int status, int events);
};

EventLoop::Loop::Loop() {
  ENSURE(uv_loop_init(&uv) == 0);
  uv.data = this;
  timer_fd = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  ENSURE(timer_fd.get() >= 0);
  ENSURE(uv_poll_init(&uv, &timer_poll, timer_fd.get()) == 0);
  ENSURE(uv_poll_start(&timer_poll, UV_READABLE, &Loop::on_timer) == 0);
  ENSURE(uv_check_init(&uv, &check) == 0);
  ENSURE(uv_check_start(&check, [](uv_check_t* handle) {
           static_cast<Loop*>(handle->loop->data)->end_of_wake_up();
         }) == 0);
}

EventLoop::Loop::~Loop() {
  for (auto& [fd, watch] : watches) {
    uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll),
             [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
  }
  for (auto& [number, signal] : signals) {
    uv_close(reinterpret_cast<uv_handle_t*>(&signal->handle), nullptr);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_poll), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&check), nullptr);
  uv_run(&uv, UV_RUN_DEFAULT);  // lets every close callback run
  ENSURE(uv_loop_close(&uv) == 0);
}

// The clock is read by the first event of a wake-up; the others share that instant.
Instant EventLoop::Loop::wake_up() {
  if (!now) now = clock_now();
  return *now;
}

void EventLoop::Loop::arm(Instant deadline) {
  if (deadline == armed) return;
  armed = deadline;
  itimerspec spec{};  // all zero disarms
  if (deadline != kNever) {
    const auto ns = std::max<std::int64_t>(1, deadline.time_since_epoch().count());
    spec.it_value.tv_sec = ns / 1'000'000'000;
    spec.it_value.tv_nsec = ns % 1'000'000'000;
  }
  ENSURE(timerfd_settime(timer_fd.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0);
}

void EventLoop::Loop::start_poll(Watch& watch) {
  const int events = UV_READABLE | (watch.writable ? UV_WRITABLE : 0);
  ENSURE(uv_poll_start(&watch.poll, events, &Loop::on_poll) == 0);
}

void EventLoop::Loop::on_poll(uv_poll_t* poll, int status, int events) {
  auto& watch = *static_cast<Watch*>(poll->data);
  auto& loop = *static_cast<Loop*>(poll->loop->data);
  const Instant now = loop.wake_up();
  // libuv stops a poll that reports an error. Reading takes a socket's error away (an interface
  // that went down), so the handlers are called all the same and the poll starts again.
  watch.errors = status < 0 ? watch.errors + 1 : 0;
  if ((events & UV_WRITABLE) != 0 || status < 0) {
    if (watch.writable) {
      const Handler writable = std::exchange(watch.writable, nullptr);
      writable(now);
    }
  }
  if (!watch.closing && ((events & UV_READABLE) != 0 || status < 0)) watch.readable(now);
  if (watch.closing) return;
  const bool was_awaiting = (events & UV_WRITABLE) != 0;
  if (status < 0 ? watch.errors < kErrorsUntilGivenUp : was_awaiting) loop.start_poll(watch);
}

void EventLoop::Loop::on_timer(uv_poll_t* poll, int, int) {
  auto& loop = *static_cast<Loop*>(poll->loop->data);
  std::uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t n = ::read(loop.timer_fd.get(), &expirations, sizeof expirations);
  loop.armed = kNever;
  loop.wake_up();
}

void EventLoop::Loop::end_of_wake_up() {
  if (!now) return;
  const Instant at = *now;
  wake_wanted = false;
  Instant deadline = flush ? flush(at) : kNever;
  now.reset();
  if (wake_wanted) deadline = at;
  arm(deadline);
}

EventLoop::EventLoop() : loop_(std::make_unique<Loop>()) {}

EventLoop::~EventLoop() = default;

void EventLoop::watch(int fd, Handler readable) {
  ENSURE(!loop_->watches.contains(fd));
  auto watch = std::make_unique<Watch>();
  ENSURE(uv_poll_init(&loop_->uv, &watch->poll, fd) == 0);
  watch->poll.data = watch.get();
  watch->readable = std::move(readable);
  loop_->start_poll(*watch);
  loop_->watches.emplace(fd, watch.release());  // freed by the close callback
}

void EventLoop::await_writable(int fd, Handler writable) {
  const auto it = loop_->watches.find(fd);
  ENSURE(it != loop_->watches.end());
  it->second->writable = std::move(writable);
  loop_->start_poll(*it->second);
}

void EventLoop::unwatch(int fd) {
  const auto it = loop_->watches.find(fd);
  if (it == loop_->watches.end()) return;
  Watch* watch = it->second;
  loop_->watches.erase(it);
  watch->closing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll),
           [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
}

void EventLoop::on_signal(int signal_number, Handler handler) {
  auto& slot = loop_->signals[signal_number];
  if (slot) {
    slot->handler = std::move(handler);
    return;
  }
  slot = std::make_unique<SignalWatch>();
  slot->handler = std::move(handler);
  ENSURE(uv_signal_init(&loop_->uv, &slot->handle) == 0);
  slot->handle.data = slot.get();
  const auto on_signal = [](uv_signal_t* handle, int) {
    auto& loop = *static_cast<Loop*>(handle->loop->data);
    const Instant now = loop.wake_up();
    static_cast<SignalWatch*>(handle->data)->handler(now);
  };
  ENSURE(uv_signal_start(&slot->handle, on_signal, signal_number) == 0);
}

void EventLoop::on_flush(Flush flush) { loop_->flush = std::move(flush); }

void EventLoop::wake() {
  loop_->wake_wanted = true;
  // Inside a wake-up the coming flush is soon enough, and a wake from flush itself is seen by
  // end_of_wake_up().
  if (!loop_->now) loop_->arm(Instant(Duration(1)));
}

void EventLoop::run() {
  wake();
  uv_run(&loop_->uv, UV_RUN_DEFAULT);
}

void EventLoop::stop() { uv_stop(&loop_->uv); }

}  // namespace braid::platform
