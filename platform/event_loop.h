// EventLoop: the one loop of the program, on libuv: descriptors, one timer, signals.
//
// One wake-up is: read the clock once -> handlers of the ready descriptors drain their devices ->
// flush(now) -> arm the timer with the deadline flush returned. Handlers only take input; whatever
// sends, sends from flush. The timer is a timerfd, because pacing wants a finer grain than libuv's
// milliseconds. Single-threaded; every member is called from the thread that runs the loop.
#pragma once

#include <functional>
#include <memory>

#include "stack/base/time.h"

namespace braid::platform {

class EventLoop {
 public:
  using Handler = std::function<void(Instant now)>;
  // Does what is due and returns when to come back (kNever: only on input). A deadline that is not
  // after `now` brings another wake-up at once, after descriptors were looked at again.
  using Flush = std::function<Instant(Instant now)>;

  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Calls `readable` in every wake-up in which `fd` has something (or an error) to read. The
  // descriptor stays the caller's, who calls unwatch() before closing it. A descriptor that only
  // ever reports errors is given up after a while: its owner learns of its end elsewhere.
  void watch(int fd, Handler readable);
  // Calls `writable` once, in the next wake-up in which `fd`, which is watched, can be written.
  void await_writable(int fd, Handler writable);
  void unwatch(int fd);
  // Signals arrive as ordinary events of a wake-up.
  void on_signal(int signal_number, Handler handler);
  void on_flush(Flush flush);
  // Another wake-up soon, although no descriptor is ready.
  void wake();

  // Runs until stop(); the first wake-up comes at once. Can be run again afterwards.
  void run();
  // Ends run() after the current wake-up's flush.
  void stop();

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace braid::platform
