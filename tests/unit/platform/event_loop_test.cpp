#include "platform/event_loop.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <vector>

#include "platform/clock.h"
#include "platform/fd.h"

namespace braid::platform {

namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    a.reset(ends[0]);
    b.reset(ends[1]);
  }
  UniqueFd a;
  UniqueFd b;
};

void send_byte(const UniqueFd& fd, char byte) { REQUIRE(::send(fd.get(), &byte, 1, 0) == 1); }

std::vector<char> drain(const UniqueFd& fd) {
  std::vector<char> bytes;
  char byte = 0;
  while (::recv(fd.get(), &byte, 1, 0) == 1) bytes.push_back(byte);
  return bytes;
}

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("the first wake-up flushes at once, with no descriptor and no timer") {
  EventLoop loop;
  int flushes = 0;
  loop.on_flush([&](Instant) {
    ++flushes;
    loop.stop();
    return kNever;
  });
  loop.run();
  CHECK(flushes == 1);
}

TEST_CASE("a wake-up drains every ready descriptor before its one flush, all at one instant") {
  Pair one;
  Pair two;
  EventLoop loop;
  std::vector<std::string> events;
  std::vector<Instant> instants;
  bool sent = false;
  const auto record = [&](const char* what, Instant now) {
    events.emplace_back(what);
    instants.push_back(now);
  };
  loop.watch(one.a.get(), [&](Instant now) {
    record("one", now);
    drain(one.a);
  });
  loop.watch(two.a.get(), [&](Instant now) {
    record("two", now);
    drain(two.a);
  });
  loop.on_flush([&](Instant now) {
    if (!sent) {  // the first wake-up: nothing was ready
      sent = true;
      send_byte(one.b, 'x');
      send_byte(two.b, 'y');
      return kNever;
    }
    record("flush", now);
    loop.stop();
    return kNever;
  });
  loop.run();
  REQUIRE(events.size() == 3);
  CHECK(events[2] == "flush");
  CHECK(events[0] != events[1]);
  CHECK(instants[0] == instants[2]);
  CHECK(instants[1] == instants[2]);
  loop.unwatch(one.a.get());
  loop.unwatch(two.a.get());
}

TEST_CASE("deadlines of less than a millisecond are kept: never early, and not rounded to one") {
  EventLoop loop;
  const Duration step = 200us;
  Instant deadline = Instant::min();
  Instant before = Instant::min();
  bool early = false;
  int wakes = 0;
  int below_millisecond = 0;
  loop.on_flush([&](Instant now) {
    if (now < deadline) early = true;
    if (wakes++ > 0 && now - before < 1ms) ++below_millisecond;
    // A busy machine may miss many, a millisecond timer all.
    if (below_millisecond == 5 || wakes == 2000) loop.stop();
    before = now;
    deadline = now + step;
    return deadline;
  });
  loop.run();
  CHECK_FALSE(early);
  CHECK(below_millisecond == 5);
}

TEST_CASE("a deadline in the past brings another wake-up after descriptors were looked at") {
  Pair pair;
  EventLoop loop;
  int flushes = 0;
  int flushes_before_read = -1;
  loop.watch(pair.a.get(), [&](Instant) {
    drain(pair.a);
    flushes_before_read = flushes;
  });
  loop.on_flush([&](Instant now) {
    if (++flushes == 1) send_byte(pair.b, 'x');
    if (flushes == 4) loop.stop();
    return now - 1s;
  });
  loop.run();
  CHECK(flushes == 4);
  CHECK(flushes_before_read == 1);
  loop.unwatch(pair.a.get());
}

TEST_CASE("a deadline that is withdrawn does not wake the loop") {
  EventLoop loop;
  int flushes = 0;
  Instant start;
  Instant end;
  loop.on_flush([&](Instant now) {
    ++flushes;
    if (flushes == 1) {
      start = now;
      loop.wake();
      return now + 1h;
    }
    end = now;
    if (flushes == 2) return now + 5ms;
    loop.stop();
    return kNever;
  });
  loop.run();
  CHECK(flushes == 3);
  CHECK(end - start >= 5ms);
}

TEST_CASE("a writable handler is called once per request") {
  Pair pair;
  EventLoop loop;
  int calls = 0;
  int flushes = 0;
  loop.watch(pair.a.get(), [&](Instant) { drain(pair.a); });
  loop.await_writable(pair.a.get(), [&](Instant) { ++calls; });
  loop.on_flush([&](Instant now) {
    if (++flushes == 6) loop.stop();
    return now;
  });
  loop.run();
  CHECK(calls == 1);
  loop.unwatch(pair.a.get());
}

TEST_CASE("a full socket is reported writable only after its peer has read") {
  Pair pair;
  char byte = 'x';
  while (::send(pair.a.get(), &byte, 1, 0) == 1) {
  }
  EventLoop loop;
  bool peer_read = false;
  bool early = false;
  int calls = 0;
  loop.watch(pair.a.get(), [](Instant) {});
  loop.await_writable(pair.a.get(), [&](Instant) {
    ++calls;
    early = !peer_read;
    loop.stop();
  });
  int flushes = 0;
  loop.on_flush([&](Instant now) {
    if (++flushes == 3) {
      drain(pair.b);
      peer_read = true;
    }
    return now + 1ms;
  });
  loop.run();
  CHECK(calls == 1);
  CHECK_FALSE(early);
  loop.unwatch(pair.a.get());
}

TEST_CASE("a handler may unwatch its own descriptor, and another one that is ready too") {
  Pair one;
  Pair two;
  send_byte(one.b, 'x');
  send_byte(two.b, 'x');
  EventLoop loop;
  int calls = 0;
  const auto handler = [&](Instant) {
    ++calls;
    loop.unwatch(one.a.get());
    loop.unwatch(two.a.get());
  };
  loop.watch(one.a.get(), handler);
  loop.watch(two.a.get(), handler);
  int flushes = 0;
  loop.on_flush([&](Instant now) {
    if (++flushes == 4) loop.stop();
    return now;
  });
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("signals arrive as events of a wake-up, followed by its flush") {
  EventLoop loop;
  std::vector<std::string> events;
  loop.on_signal(SIGHUP, [&](Instant) { events.emplace_back("hup"); });
  loop.on_signal(SIGTERM, [&](Instant) {
    events.emplace_back("term");
    loop.stop();
  });
  bool raised = false;
  loop.on_flush([&](Instant) {
    if (!raised) {
      raised = true;
      ::raise(SIGHUP);
      ::raise(SIGTERM);
    } else {
      events.emplace_back("flush");
    }
    return kNever;
  });
  loop.run();
  REQUIRE(events.size() == 3);
  CHECK(events[0] == "hup");
  CHECK(events[1] == "term");
  CHECK(events[2] == "flush");
}

TEST_CASE("a descriptor that only reports errors is given up and does not spin for ever") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0);
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  EventLoop loop;
  int calls = 0;
  loop.watch(writer.get(), [&](Instant) { ++calls; });
  loop.await_writable(writer.get(), [](Instant) {});
  reader.reset();  // the write end now reports an error, always
  Instant start = Instant::min();
  loop.on_flush([&](Instant now) {
    if (start == Instant::min()) start = now;
    if (now - start > 50ms) loop.stop();
    return start + 51ms;
  });
  loop.run();
  CHECK(calls > 0);
  CHECK(calls <= 64);
  loop.unwatch(writer.get());
}
TEST_SUITE_END();

}  // namespace braid::platform
