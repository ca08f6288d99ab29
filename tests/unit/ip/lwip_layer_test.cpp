#include "stack/ip/lwip_layer.h"

#include <doctest/doctest.h>

#include "stack/ip/plain_layer.h"
#include "tests/unit/ip/packets.h"

namespace braid::ip::test {
namespace {

constexpr InterfaceId kDoor = 5;
const Instant kStart{1h};

struct Hosts {
  wire::IpAddress own;
  wire::IpAddress peer;
};
const Hosts kHosts[] = {{address("192.0.2.1"), address("192.0.2.99")},
                        {address("2001:db8::1"), address("2001:db8::99")}};

Input receive(Layer& layer, const Packet& packet) {
  return layer.receive(kDoor, PacketIn{.bytes = packet}, kStart);
}

}  // namespace

TEST_SUITE_BEGIN("ip");
TEST_CASE("an echo request to an address of our own is answered through the same door") {
  for (const auto& [own, peer] : kHosts) {
    LwipLayer layer;
    layer.set_own_addresses({own});
    const Packet request = echo_request(peer, own, 56);
    const Packet before = request;
    CHECK(std::holds_alternative<Nothing>(receive(layer, request)));
    CHECK(request == before);
    CHECK(layer.next_deadline() == Instant::min());
    const auto& out = layer.flush(kStart);
    REQUIRE(out.size() == 1);
    CHECK(out[0].interface == kDoor);
    const Packet reply = wire::flatten(out[0].packet);
    const Header h = header_of(reply);
    CHECK(h.source == own);
    CHECK(h.destination == peer);
    CHECK(icmp_checksum_ok(h));
    CHECK(h.transport[0] == (own.is_v4() ? 0 : 129));
    CHECK(Slices(h.transport.subspan(4)) == Slices(header_of(request).transport.subspan(4)));
  }
}

TEST_CASE("an echo request to somebody else is a datagram and is not answered") {
  for (const auto& [own, peer] : kHosts) {
    LwipLayer layer;
    layer.set_own_addresses({peer});
    const Input input = receive(layer, echo_request(peer, own, 56));
    CHECK(std::holds_alternative<Datagram>(input));
    CHECK(layer.flush(kStart).empty());
  }
}

TEST_CASE("a damaged echo request is not answered") {
  for (const auto& [own, peer] : kHosts) {
    LwipLayer layer;
    layer.set_own_addresses({own});
    Packet request = echo_request(peer, own, 56);
    request.back() ^= 1;
    CHECK(std::holds_alternative<Nothing>(receive(layer, request)));
    CHECK(layer.flush(kStart).empty());
  }
}

TEST_CASE("a fragmented echo request is answered in fragments of at most 1500 bytes") {
  for (const auto& [own, peer] : kHosts) {
    LwipLayer layer;
    layer.set_own_addresses({own});
    const Packet request = echo_request(peer, own, 2992);
    receive(layer, fragment(request, 1480, 2960));
    receive(layer, fragment(request, 0, 1480));
    CHECK(std::holds_alternative<Nothing>(receive(layer, fragment(request, 2960, 0))));
    const auto& out = layer.flush(kStart);
    CHECK(out.size() == 3);
    PlainLayer peer_layer;
    Input answer = Nothing{};
    for (const Outgoing& o : out) {
      CHECK(o.packet.total_length() <= 1500);
      const Packet bytes = wire::flatten(o.packet);
      answer = receive(peer_layer, bytes);
    }
    REQUIRE(std::holds_alternative<Datagram>(answer));
    CHECK(std::get<Datagram>(answer).payload.size() == 3000);
  }
}

TEST_CASE("what a layer answers does not depend on the layers before it") {
  for (const auto& [own, peer] : kHosts) {
    const Packet request = echo_request(peer, own, 2992);
    std::vector<Packet> answers[2];
    for (auto& answer : answers) {
      LwipLayer layer;
      layer.set_own_addresses({own});
      for (int i = 0; i < 2; ++i) {
        receive(layer, fragment(request, 0, 1480));
        receive(layer, fragment(request, 1480, 0));
      }
      for (const Outgoing& o : layer.flush(kStart)) answer.push_back(wire::flatten(o.packet));
    }
    CHECK(answers[0].size() >= 4);
    CHECK(answers[0] == answers[1]);
  }
}

TEST_CASE("a flood of echo requests is answered within the limit") {
  LwipLayer layer;
  const auto& [own, peer] = kHosts[0];
  layer.set_own_addresses({own});
  for (int i = 0; i < 300; ++i) receive(layer, echo_request(peer, own, 8));
  CHECK(layer.flush(kStart).size() == IcmpLimiter::kBurst);
  CHECK(layer.counters().icmp_suppressed == 300 - IcmpLimiter::kBurst);
}

TEST_CASE("a second layer finds nothing of the first one's fragments") {
  const auto payload = pattern(140);
  const Packet packet = packet_of(segment(wire::Family::kIpv4, payload));
  {
    LwipLayer first;
    CHECK(std::holds_alternative<Nothing>(receive(first, fragment(packet, 0, 80))));
    CHECK(first.next_deadline() == kStart + 1s);
  }
  LwipLayer second;
  CHECK(second.next_deadline() == kNever);
  CHECK(std::holds_alternative<Nothing>(receive(second, fragment(packet, 80, 0))));
  CHECK(second.counters().reassembled == 0);
}

TEST_CASE("no packet of any protocol number makes lwIP answer") {
  LwipLayer layer;
  for (const auto& [own, peer] : kHosts) {
    layer.set_own_addresses({own});
    Header h;
    h.source = peer;
    h.destination = own;
    h.hop_limit = 255;
    const std::vector<std::uint8_t> body(64);
    for (unsigned protocol = 0; protocol < 256; ++protocol) {
      h.first_protocol = static_cast<std::uint8_t>(protocol);
      receive(layer, build_packet(h, body));
    }
    // Neighbour and router discovery do not reach lwIP either.
    for (const std::uint8_t type : {133, 134, 135, 136, 137, 2}) {
      std::vector<std::uint8_t> message(64);
      message[0] = type;
      receive(layer, icmp_packet(peer, own, message));
    }
  }
  CHECK(layer.flush(kStart).empty());
}
TEST_SUITE_END();

}  // namespace braid::ip::test
