// Table: the shared library, loaded as packetdrill loads it, and a far end for its connections.
#pragma once

#include <arpa/inet.h>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <vector>

#include "stack/wire/ip_header.h"
#include "stack/wire/segment.h"
#include "tests/packetdrill/shim/abi.h"

namespace braid::test {

class Table {
 public:
  explicit Table(const char* flags = "settings=standard")
      : handle_(::dlopen(PACKETDRILL_LIBRARY, RTLD_NOW | RTLD_LOCAL)) {
    REQUIRE(handle_ != nullptr);
    void* const symbol = ::dlsym(handle_, "packetdrill_interface_init");
    REQUIRE(symbol != nullptr);
    const auto init = reinterpret_cast<void (*)(const char*, packetdrill_interface*)>(symbol);
    init(flags, &i);
  }
  ~Table() {
    i.free(i.userdata);
    ::dlclose(handle_);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void* u() const { return i.userdata; }
  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &out.sin_addr);
    return out;
  }
  int listener(int protocol) {
    const int fd = i.socket(u(), AF_INET, SOCK_STREAM, protocol);
    const sockaddr_in here = address("192.168.0.1", 8080);
    CHECK(i.bind(u(), fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
    CHECK(i.listen(u(), fd, 5) == 0);
    return fd;
  }
  double seconds() {
    timeval now{};
    i.gettimeofday(u(), &now, nullptr);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_usec) / 1e6;
  }

  // A segment of the far end's (192.0.2.1:40000), numbers relative to the SYNs.
  wire::Segment segment(std::uint32_t seq, std::uint32_t ack, wire::TcpFlags flags) const {
    wire::Segment out;
    out.source = {*wire::IpAddress::parse("192.0.2.1"), 40000};
    out.destination = {*wire::IpAddress::parse("192.168.0.1"), 8080};
    out.seq = far_isn + seq;
    if (flags.ack) out.ack = near_isn + ack;
    out.flags = flags;
    out.window = 60000;
    return out;
  }
  void send(const wire::Segment& segment) {
    const auto bytes = wire::flatten(wire::make_packet(segment, 1));
    CHECK(i.netdev_send(u(), bytes.data(), bytes.size()) == 0);
  }
  // The next segment out. Its payload stays valid until the next call.
  wire::Segment take() {
    packet_.resize(70000);
    std::size_t size = packet_.size();
    long long when = 0;
    REQUIRE(i.netdev_receive(u(), packet_.data(), &size, &when) == 0);
    REQUIRE(size >= 40);
    const Bytes whole = Bytes(packet_).first(size);
    const auto source = wire::IpAddress::from_bytes(whole.subspan(12, 4));
    const auto destination = wire::IpAddress::from_bytes(whole.subspan(16, 4));
    REQUIRE(wire::tcp_checksum_ok(source, destination, whole.subspan(20)));
    const auto out = wire::parse_tcp(source, destination, whole.subspan(20));
    REQUIRE(out.has_value());
    if (out->flags.syn) near_isn = out->seq;
    return *out;
  }

  packetdrill_interface i{};
  SeqNum far_isn{1000}, near_isn;

 private:
  void* handle_;
  std::vector<std::uint8_t> packet_;
};

}  // namespace braid::test
