// The parts too small for a file of their own: log, clock, entropy, descriptors, device
// bookkeeping.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "platform/clock.h"
#include "platform/device.h"
#include "platform/entropy.h"
#include "platform/fd.h"
#include "platform/log.h"
#include "platform/result.h"
#include "platform/scatter.h"

namespace braid::platform {

namespace {

// A device whose packets are datagrams of a local socket, one byte of room at a time.
class SocketDevice final : public Device {
 public:
  explicit SocketDevice(UniqueFd fd) : Device(std::move(fd)) {}
  std::optional<PacketIn> read() override {
    const ssize_t n = ::recv(fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n < 0) return std::nullopt;
    return received({.bytes = Bytes(buffer_).first(static_cast<std::size_t>(n))});
  }
  Sent send(const PacketOut& packet) override {
    const ssize_t n = ::send(fd(), packet.header.data(), packet.header_length, MSG_DONTWAIT);
    return outcome(n < 0 ? errno : 0, packet.total_length());
  }
  Sent fail_with(int error_number) { return outcome(error_number, 100); }
  std::uint32_t mtu() const override { return 1500; }
  std::uint32_t max_super_packet() const override { return 1500; }
};

// Has always one more packet.
class EndlessDevice final : public Device {
 public:
  EndlessDevice() : Device(UniqueFd()) {}
  std::optional<PacketIn> read() override { return received({.bytes = Bytes(buffer_).first(1)}); }
  Sent send(const PacketOut&) override { return Sent::kYes; }
  std::uint32_t mtu() const override { return 1500; }
  std::uint32_t max_super_packet() const override { return 1500; }
};

std::pair<UniqueFd, UniqueFd> socket_pair() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

TEST_SUITE_BEGIN("platform");
TEST_CASE("a log line stays one line, whatever is in it") {
  CHECK(format_log_line(LogLevel::kWarning, "uplink dsl is down") ==
        "warning uplink dsl is down\n");
  CHECK(format_log_line(LogLevel::kInfo, "a\nerror forged\r\t\x7f!") ==
        "info a error forged   !\n");
}

TEST_CASE("lines below the level are left out") {
  CHECK_FALSE(log_enabled(LogLevel::kDebug));
  set_log_level(LogLevel::kError);
  CHECK_FALSE(log_enabled(LogLevel::kWarning));
  CHECK(log_enabled(LogLevel::kError));
  set_log_level(LogLevel::kInfo);
  CHECK(log_enabled(LogLevel::kInfo));
}

TEST_CASE("the clock does not go back and keys are not repeated") {
  const Instant a = clock_now();
  CHECK(clock_now() >= a);
  CHECK(a > Instant());
  const auto one = random_key();
  const auto two = random_key();
  REQUIRE(one);
  REQUIRE(two);
  CHECK(*one != *two);
}

TEST_CASE("a descriptor is closed once, by its last owner") {
  int number = -1;
  {
    UniqueFd first(::open("/dev/null", O_RDONLY));
    number = first.get();
    UniqueFd second(std::move(first));
    CHECK_FALSE(first);
    CHECK(second.get() == number);
    CHECK(::fcntl(number, F_GETFD) >= 0);
  }
  CHECK(::fcntl(number, F_GETFD) < 0);
}

TEST_CASE("a result is its value or its error") {
  const Result<int> good(7);
  CHECK(good);
  CHECK(*good == 7);
  const Result<int> bad(system_error(ENOENT));
  CHECK_FALSE(bad);
  CHECK(bad.error() == std::errc::no_such_file_or_directory);
}

TEST_CASE("a full device says so once, stays unready, and any other failure loses the packet") {
  auto [a, b] = socket_pair();
  SocketDevice device(std::move(a));
  int blocked = 0;
  device.on_blocked([&] { ++blocked; });
  CHECK(device.ready());
  CHECK(device.fail_with(EAGAIN) == Door::Sent::kBusy);
  CHECK(device.fail_with(EAGAIN) == Door::Sent::kBusy);
  CHECK_FALSE(device.ready());
  CHECK(blocked == 1);
  device.unblock();
  CHECK(device.ready());
  for (const int error : {ENOBUFS, ENETDOWN, EMSGSIZE, EIO}) {
    CHECK(device.fail_with(error) == Door::Sent::kLost);
    CHECK(device.counters().last_send_error == system_error(error));
  }
  CHECK(device.ready());
  CHECK(device.counters().lost == 4);
  CHECK(device.counters().busy == 2);
  CHECK(device.counters().packets_out == 0);
  CHECK(device.fail_with(0) == Door::Sent::kYes);
  CHECK(device.counters().bytes_out == 100);
}

TEST_CASE("a watched device is read in bounded batches and opens again when writable") {
  auto [a, b] = socket_pair();
  SocketDevice device(std::move(a));
  const std::array<char, 10> text{};
  for (int i = 0; i < 7; ++i) REQUIRE(::send(b.get(), text.data(), text.size(), 0) == 10);
  EventLoop loop;
  int in_this_wake_up = 0;
  std::vector<int> batches;
  bool opened = false;
  watch_device(
      loop, device, [&](const PacketIn&, Instant) { ++in_this_wake_up; },
      [&](std::size_t bytes) { return bytes >= 25; },
      [&] {
        CHECK(device.ready());
        opened = true;
      });
  CHECK(device.fail_with(EAGAIN) == Door::Sent::kBusy);
  int flushes = 0;
  loop.on_flush([&](Instant now) {
    if (in_this_wake_up > 0) batches.push_back(std::exchange(in_this_wake_up, 0));
    if (++flushes == 8) loop.stop();
    return now;
  });
  loop.run();
  CHECK(batches == std::vector<int>{3, 3, 1});
  CHECK(opened);
  CHECK(device.counters().packets_in == 7);
  loop.unwatch(device.fd());
}

TEST_CASE("a device that never runs dry gives way to the others") {
  EndlessDevice device;
  std::size_t seen = 0;
  const std::size_t count =
      device.drain([&](const PacketIn&) { ++seen; }, [](std::size_t) { return false; });
  CHECK(count == Device::kMostPackets);
  CHECK(seen == count);
}

TEST_CASE("a scatter list holds every part of a packet, in order") {
  const std::vector<std::uint8_t> link{1, 2};
  const std::vector<std::uint8_t> x(5, 9);
  const std::vector<std::uint8_t> y(3, 8);
  PacketOut packet{};
  packet.header_length = 40;
  packet.payload.append(x);
  packet.payload.append(y);
  const VnetHeader vnet;
  Scatter parts(vnet, link, packet);
  REQUIRE(parts.count() == 5);
  const std::array<std::size_t, 5> lengths{10, 2, 40, 5, 3};
  for (std::size_t i = 0; i < lengths.size(); ++i) CHECK(parts.data()[i].iov_len == lengths[i]);
  CHECK(parts.data()[4].iov_base == y.data());
  CHECK(Scatter(vnet, {}, packet).count() == 4);
}
TEST_SUITE_END();

}  // namespace braid::platform
