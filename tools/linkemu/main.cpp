// linkemu: emulates links between pairs of interfaces in real time, with the simulator's link
// model.
//
//   linkemu [--control SOCKET] [--seed N] --link NAME A_IF B_IF WORDS... [--link ...]
//   linkemu ctl SOCKET COMMAND...
//
// Frames of A_IF leave from B_IF and the other way round, so the two interfaces usually are the
// middle ends of two veth pairs, in a network namespace of their own, with tso, gso, gro and tx
// checksumming off at the far ends.
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>
#include <random>
#include <system_error>

#include "tools/linkemu/control.h"

namespace braid::linkemu {
namespace {

struct LinkArguments {
  std::string name, a, b;
  std::vector<std::string> words;
};

struct Arguments {
  std::string control;
  std::optional<std::uint64_t> seed;
  std::vector<LinkArguments> links;
};

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size();) {
    const std::string& word = words[i++];
    const auto next = [&] {
      if (i == words.size()) throw TextError(word + " wants more words");
      return words[i++];
    };
    if (word == "--control") {
      arguments.control = next();
    } else if (word == "--seed") {
      const std::string text = next();
      std::uint64_t seed = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
      if (error != std::errc() || end != text.data() + text.size()) {
        throw TextError(fmt::format("--seed: '{}' is not a number", text));
      }
      arguments.seed = seed;
    } else if (word == "--link") {
      LinkArguments link{next(), next(), next(), {}};
      while (i < words.size() && !words[i].starts_with("--")) link.words.push_back(words[i++]);
      arguments.links.push_back(std::move(link));
    } else {
      throw TextError(fmt::format("'{}' is not understood", word));
    }
  }
  if (arguments.links.empty()) throw TextError("no --link given");
  return arguments;
}

// While frames are under way the loop does not wake up for each of them: it sleeps until the next
// is due, at least kGrain, at most kLookAgain or the shortest delay (a frame that came meanwhile is
// not due before that), and then handles all there is. The receive ring has the exact times. With
// nothing under way it waits for a descriptor.
constexpr Duration kGrain = 100us;
constexpr Duration kLookAgain = 1ms;
// How often the control socket and signals are looked at while frames keep coming.
constexpr Duration kControlInterval = 10ms;

class Emulator {
 public:
  explicit Emulator(const Arguments& arguments);
  void run();

 private:
  void watch(int fd);
  void wait_for_work(Instant now);
  void sleep_until(Instant when);
  void handle_descriptors(int timeout_ms);
  void handle(const epoll_event& event);
  void warn_of_offloads();

  Links links_;
  std::optional<ControlServer> control_;
  int epoll_ = -1;
  int signals_ = -1;
  Instant descriptors_checked_;
  bool running_ = true;
  bool warned_ = false;
};

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

Emulator::Emulator(const Arguments& arguments) {
  epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  checked(sigprocmask(SIG_BLOCK, &set, nullptr), "signal mask");
  signals_ = checked(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
  watch(signals_);

  std::random_device entropy;
  Random random(arguments.seed.value_or(std::uint64_t{entropy()} << 32 | entropy()));
  for (const LinkArguments& link : arguments.links) {
    DuplexSettings settings;
    apply_words(link.words, settings);
    links_.push_back(std::make_unique<EmulatedLink>(link.name, link.a, link.b, settings, random));
    for (const FrameSocket* socket : links_.back()->sockets()) watch(socket->descriptor());
  }
  // Precise on a busy machine; without the right to it, as good as the scheduler allows.
  sched_param priority{};
  priority.sched_priority = 1;
  sched_setscheduler(0, SCHED_RR, &priority);
  // Last: whoever waits for the socket finds the links working.
  if (!arguments.control.empty()) {
    control_.emplace(arguments.control);
    watch(control_->listener());
  }
}

void Emulator::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll");
}

void Emulator::run() {
  while (running_) {
    // Read before draining: a frame that comes later also has a later arrival time.
    const Instant now = clock_now();
    for (const auto& link : links_) link->take_in();
    for (const auto& link : links_) link->give_out(now);
    warn_of_offloads();
    wait_for_work(now);
  }
}

void Emulator::wait_for_work(Instant now) {
  Instant deadline = kNever;
  Duration look_again = kLookAgain;
  for (const auto& link : links_) {
    deadline = std::min(deadline, link->next_deadline());
    look_again = std::min(look_again, link->shortest_delay());
  }
  if (deadline == kNever) {
    handle_descriptors(-1);
    return;
  }
  if (now - descriptors_checked_ >= kControlInterval) {
    descriptors_checked_ = now;
    handle_descriptors(0);
  }
  sleep_until(std::max(now + kGrain, std::min(deadline, now + look_again)));
}

void Emulator::sleep_until(Instant when) {
  const auto ns = when.time_since_epoch().count();
  timespec spec{};
  spec.tv_sec = ns / 1'000'000'000;
  spec.tv_nsec = ns % 1'000'000'000;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &spec, nullptr);  // early is harmless
}

void Emulator::handle_descriptors(int timeout_ms) {
  std::array<epoll_event, 16> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
  if (count < 0 && errno != EINTR) checked(count, "epoll");
  for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)]);
}

void Emulator::handle(const epoll_event& event) {
  const int fd = event.data.fd;
  if (fd == signals_) {
    running_ = false;
  } else if (control_ && fd == control_->listener()) {
    const int connection = control_->accept();
    if (connection >= 0) watch(connection);
  } else {
    for (const auto& link : links_) {
      for (FrameSocket* socket : link->sockets()) {
        if (socket->descriptor() != fd) continue;
        if ((event.events & EPOLLERR) != 0) socket->clear_error();
        return;  // its frames are taken next
      }
    }
    control_->serve(fd, links_);  // a closed descriptor leaves the epoll set by itself
    if (control_->quit_asked()) running_ = false;
  }
}

void Emulator::warn_of_offloads() {
  if (warned_) return;
  for (const auto& link : links_) {
    if (!link->unusable_frames_seen()) continue;
    warned_ = true;
    fmt::print(stderr,
               "linkemu: {}: frames dropped that are too long or have no checksum: "
               "turn tso, gso, gro and tx off (ethtool -K) at the far ends\n",
               link->name());
  }
}

int run(const std::vector<std::string>& words) {
  if (words.size() >= 3 && words[0] == "ctl") {
    std::string line = words[2];
    for (std::size_t i = 3; i < words.size(); ++i) line += " " + words[i];
    return send_command(words[1], line);
  }
  Emulator(parse_arguments(words)).run();
  return 0;
}

}  // namespace
}  // namespace braid::linkemu

int main(int argc, char** argv) {
  try {
    return braid::linkemu::run({argv + 1, argv + argc});
  } catch (const braid::linkemu::TextError& error) {
    fmt::print(stderr,
               "linkemu: {}\n"
               "usage: linkemu [--control SOCKET] [--seed N] --link NAME A_IF B_IF WORDS... [...]\n"
               "       linkemu ctl SOCKET set|up|down|stats|show|quit ...\n{}",
               error.what(), braid::linkemu::kSettingsHelp);
    return 2;
  } catch (const std::system_error& error) {
    fmt::print(stderr, "linkemu: {}\n", error.what());
    return 1;
  }
}
