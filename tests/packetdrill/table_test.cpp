// The library's table of functions, called as packetdrill calls it: plain TCP and time.
#include "tests/packetdrill/table.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>
#include <vector>

namespace braid::test {

TEST_SUITE_BEGIN("packetdrill");

TEST_CASE("a connection is accepted, carries bytes both ways and ends in order") {
  Table t;
  const int listener = t.listener(IPPROTO_TCP);
  wire::Segment syn = t.segment(0, 0, {.syn = true});
  syn.options.mss = 1460;
  t.send(syn);
  const wire::Segment answer = t.take();
  CHECK((answer.flags.syn && answer.flags.ack));
  CHECK(answer.ack == t.far_isn + 1);
  t.send(t.segment(1, 1, {.ack = true}));
  const int fd = t.i.accept(t.u(), listener, nullptr, nullptr);
  REQUIRE(fd >= 0);
  CHECK(::fcntl(fd, F_GETFD) >= 0);  // packetdrill closes what is left with close(2)

  const std::vector<std::uint8_t> text(100, 7);
  wire::Segment data = t.segment(1, 1, {.psh = true, .ack = true});
  data.payload = Slices(Bytes(text));
  t.send(data);
  CHECK(t.take().ack == t.far_isn + 101);
  std::vector<std::uint8_t> got(200);
  CHECK(t.i.read(t.u(), fd, got.data(), got.size()) == 100);
  CHECK(std::equal(text.begin(), text.end(), got.begin()));

  CHECK(t.i.write(t.u(), fd, text.data(), text.size()) == 100);
  const wire::Segment sent = t.take();
  CHECK(sent.flags.psh);
  CHECK(sent.payload == Slices(Bytes(text)));
  CHECK(t.i.close(t.u(), fd) == 0);
  CHECK(t.take().flags.fin);
}

TEST_CASE("time stands still but for sleeping, waiting for packets and looking at the clock") {
  Table t;
  const double before = t.seconds();
  CHECK(t.seconds() - before < 0.001);
  t.i.usleep(t.u(), 250'000);
  CHECK(t.seconds() - before == doctest::Approx(0.25).epsilon(0.001));
  const int fd = t.i.socket(t.u(), AF_INET, SOCK_STREAM, IPPROTO_TCP);
  t.i.fcntl(t.u(), fd, F_SETFL, static_cast<long>(O_NONBLOCK));
  const sockaddr_in far = Table::address("192.0.2.1", 80);
  CHECK(t.i.connect(t.u(), fd, reinterpret_cast<const sockaddr*>(&far), sizeof far) == -1);
  CHECK(errno == EINPROGRESS);
  CHECK(t.take().flags.syn);
  CHECK(t.take().flags.syn);  // its repetition
  CHECK(t.seconds() - before == doctest::Approx(1.25).epsilon(0.001));
}

TEST_CASE("when nothing comes out for ten seconds the answer is empty") {
  Table t;
  char packet[100];
  std::size_t size = sizeof packet;
  long long when = 0;
  CHECK(t.i.netdev_receive(t.u(), packet, &size, &when) == 0);
  CHECK(size == 0);
}

TEST_CASE("a call that blocks on another thread returns at the moment of its event") {
  Table t;
  const int listener = t.listener(IPPROTO_TCP);
  std::atomic<int> accepted{-1};
  std::atomic<double> ended{0};
  const double start = t.seconds();
  std::thread waiting([&] {
    const int fd = t.i.accept(t.u(), listener, nullptr, nullptr);
    ended = t.seconds();
    accepted = fd;
  });
  t.send(t.segment(0, 0, {.syn = true}));
  t.take();
  t.i.usleep(t.u(), 100'000);
  t.send(t.segment(1, 1, {.ack = true}));
  t.i.usleep(t.u(), 500'000);
  waiting.join();
  CHECK(accepted >= 0);
  CHECK(ended - start < 0.7);
}

TEST_CASE("our SYN announces what the device of its address carries") {
  unsigned mtu = 0;
  std::ifstream("/sys/class/net/lo/mtu") >> mtu;
  REQUIRE(mtu > 1500);
  Table t("local_v4=127.0.0.1");
  const int fd = t.i.socket(t.u(), AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const sockaddr_in far = Table::address("127.0.0.2", 80);
  CHECK(t.i.connect(t.u(), fd, reinterpret_cast<const sockaddr*>(&far), sizeof far) == -1);
  CHECK(t.take().options.mss == std::min(mtu - 40, 65535U));
}

TEST_CASE("a Fast Open SYN holds what the device of its address carries") {
  Table t("local_v4=127.0.0.1");
  const int fd = t.i.socket(t.u(), AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  CHECK(t.i.setsockopt(t.u(), fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &on, sizeof on) == 0);
  const sockaddr_in far = Table::address("127.0.0.2", 80);
  const std::vector<std::uint8_t> bytes(4000);
  CHECK(t.i.sendto(t.u(), fd, bytes.data(), bytes.size(), MSG_FASTOPEN,
                   reinterpret_cast<const sockaddr*>(&far), sizeof far) == 4000);
}

TEST_CASE("a descriptor nobody knows is EBADF") {
  Table t;
  CHECK(t.i.close(t.u(), 12345) == -1);
  CHECK(errno == EBADF);
}

TEST_SUITE_END();

}  // namespace braid::test
