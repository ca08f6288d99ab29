// relay: a null forwarder between the same two doors braid has: a TUN inside, a packet socket
// outside.
//
//   relay TUN INTERFACE FIRST-PORT LAST-PORT
//
// TCP packets the kernel routes to TUN leave by INTERFACE as they are; those to these ports that
// come in at INTERFACE go to the kernel through TUN. Super-packets pass whole, no protocol is
// spoken. What it costs is the floor of any program built this way. Who starts it routes into the
// TUN and keeps the kernel from forwarding what the packet socket has taken (tools/bench does
// both). On SIGTERM or SIGINT it prints what passed and how large the packets were.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "platform/clock.h"
#include "platform/event_loop.h"
#include "platform/next_hop.h"
#include "platform/packet_socket.h"
#include "platform/tun.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ip_header.h"

namespace braid::relay {
namespace {

constexpr std::size_t kBatch = 1'000'000;  // bytes, as braid's doors with few connections
constexpr std::uint16_t kTcpChecksumOffset = 16;
constexpr std::size_t kLeastTcpHeader = 20;

struct Arguments {
  std::string tun;
  std::string interface;
  platform::PortRange ports;
};

std::uint16_t port_of(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::runtime_error(fmt::format("'{}' is not a port", text));
  }
  return port;
}

template <typename T>
T require(platform::Result<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(fmt::format("{}: {}", what, result.error().message()));
  return std::move(*result);
}

void require(std::error_code error, const std::string& what) {
  if (error) throw std::runtime_error(fmt::format("{}: {}", what, error.message()));
}

// The packet as it goes out again, its payload where it lies. Nothing for what is not whole TCP.
std::optional<PacketOut> forwarded(const PacketIn& in) {
  const auto ip = wire::parse_ip_header(in.bytes);
  if (!ip || ip->is_fragment() || ip->protocol != wire::kProtocolTcp) return std::nullopt;
  const Bytes tcp = in.bytes.first(ip->total_length).subspan(ip->header_length);
  if (tcp.size() < kLeastTcpHeader) return std::nullopt;
  const std::size_t header = ip->header_length + std::size_t{4} * (tcp[12] >> 4);
  PacketOut out;
  if (header > out.header.size() || header > ip->total_length) return std::nullopt;
  std::copy_n(in.bytes.begin(), header, out.header.begin());
  out.header_length = static_cast<std::uint16_t>(header);
  out.transport_offset = static_cast<std::uint16_t>(ip->header_length);
  out.gso_size = in.gso_size;
  out.payload.append(in.bytes.subspan(header, ip->total_length - header));
  if (in.checksum == ChecksumState::kPartial) {
    out.checksum_offset = kTcpChecksumOffset;
  } else if (in.gso_size != 0) {
    // A device that cuts fills in the checksum of every piece, from the pseudo-header's sum.
    const auto length = static_cast<std::uint32_t>(tcp.size());
    const std::uint16_t sum =
        wire::pseudo_header_sum(ip->source, ip->destination, wire::kProtocolTcp, length).folded();
    store_be16(out.header.data() + ip->header_length + kTcpChecksumOffset, sum);
    out.checksum_offset = kTcpChecksumOffset;
  }
  return out;
}

class Relay {
 public:
  explicit Relay(const Arguments& arguments);
  void run();

 private:
  void join(platform::Device& from, platform::Device& to);
  void report() const;

  platform::EventLoop loop_;
  platform::NetlinkSocket netlink_;
  platform::NetlinkEvents events_;
  std::unique_ptr<platform::Tun> tun_;
  platform::Link link_;
  platform::NextHops next_hops_;
  std::unique_ptr<platform::PacketSocket> socket_;
  std::uint64_t not_forwarded_ = 0;
};

Relay::Relay(const Arguments& arguments)
    : netlink_(require(platform::NetlinkSocket::open(), "netlink")),
      events_(require(platform::NetlinkEvents::open(), "netlink events")),
      tun_(require(platform::Tun::open(arguments.tun), arguments.tun)),
      link_(require(platform::link_by_name(netlink_, arguments.interface), arguments.interface)),
      next_hops_(platform::kernel_of_link(netlink_, link_.index), link_) {
  const platform::Link inside =
      require(platform::link_by_name(netlink_, arguments.tun), arguments.tun);
  require(platform::set_link_up(netlink_, inside.index), arguments.tun);
  const platform::PacketFilter filter{
      .link = link_.kind, .local_ports = arguments.ports, .peers = {}};
  socket_ = require(platform::PacketSocket::open(link_, filter, next_hops_), arguments.interface);
  join(*tun_, *socket_);
  join(*socket_, *tun_);
  loop_.watch(events_.fd(), [this](Instant now) {
    events_.drain(
        {.message = [this, now](const auto& message) { next_hops_.on_event(message, now); },
         .overrun = [this] { next_hops_.forget(); }});
  });
  for (const int number : {SIGTERM, SIGINT}) {
    loop_.on_signal(number, [this](Instant) { loop_.stop(); });
  }
  loop_.on_flush([this](Instant now) { return next_hops_.maintain(now); });
}

void Relay::join(platform::Device& from, platform::Device& to) {
  // What a full device does not take is lost, as in any router.
  platform::watch_device(
      loop_, from,
      [this, &to](const PacketIn& in, Instant) {
        const auto out = forwarded(in);
        if (!out || to.send(*out) != Door::Sent::kYes) ++not_forwarded_;
      },
      [](std::size_t bytes) { return bytes >= kBatch; }, [] {});
}

void Relay::run() {
  loop_.run();
  report();
}

void Relay::report() const {
  const auto line = [](const char* name, const platform::DeviceCounters& c) {
    fmt::print("{}: {} packets in, mean {} bytes; {} packets out, mean {} bytes\n", name,
               c.packets_in, c.bytes_in / std::max<std::uint64_t>(1, c.packets_in), c.packets_out,
               c.bytes_out / std::max<std::uint64_t>(1, c.packets_out));
  };
  line("inside", tun_->counters());
  line("outside", socket_->counters());
  fmt::print("not forwarded: {}\n", not_forwarded_);
}

}  // namespace
}  // namespace braid::relay

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: relay TUN INTERFACE FIRST-PORT LAST-PORT\n");
    return 2;
  }
  try {
    using namespace braid::relay;
    Relay({argv[1], argv[2], {port_of(argv[3]), port_of(argv[4])}}).run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "relay: %s\n", e.what());
    return 1;
  }
  return 0;
}
