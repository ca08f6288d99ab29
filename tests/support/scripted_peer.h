// ScriptedPeer: one tcp::Layer under test, facing segments made by hand. Sequence numbers are said
// relative to both ends' SYNs (the SYN is 0, the first byte 1), as packet scripts do.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "tests/support/pipe_end.h"

namespace braid::test {

class ScriptedPeer : public tcp::Exit {
 public:
  struct Sent {
    wire::Segment segment;  // its payload points into `bytes`
    std::vector<std::uint8_t> bytes;
    std::uint32_t seq = 0;  // relative to our SYN
    std::uint32_t ack = 0;  // relative to the peer's SYN
  };

  ScriptedPeer() : layer(random_) {
    peer_options.mss = 1460;
    peer_options.sack_permitted = true;
  }

  // --- the wire
  bool ready(tcp::InterfaceId) const override { return door_ready; }
  void send(tcp::InterfaceId, const wire::Segment& segment) override {
    if (segment.flags.syn) iss = segment.seq;
    Sent copy{segment, segment.payload.to_vector(), 0, 0};
    copy.seq = static_cast<std::uint32_t>(segment.seq - iss);
    copy.ack = segment.flags.ack ? static_cast<std::uint32_t>(segment.ack - peer_isn) : 0;
    copy.segment.payload = {};
    sent.push_back(std::move(copy));
  }
  // A segment of the peer's: relative numbers, `A` always set unless cleared by the caller.
  wire::Segment segment(std::uint32_t seq, std::uint32_t ack,
                        wire::TcpFlags flags = {.ack = true}) {
    wire::Segment made;
    made.source = TcpPair::endpoint(Side::kB);
    made.destination = TcpPair::endpoint(Side::kA);
    made.seq = peer_isn + seq;
    if (flags.ack) made.ack = iss + ack;
    made.flags = flags;
    made.window = window;
    return made;
  }
  tcp::Layer::Received receive(const wire::Segment& arriving) {
    const auto result = layer.receive(TcpPair::kInterface, arriving, now);
    flush();
    return result;
  }
  tcp::Layer::Received receive(std::uint32_t seq, std::uint32_t ack,
                               wire::TcpFlags flags = {.ack = true}) {
    return receive(segment(seq, ack, flags));
  }
  // Bytes of the peer's stream: those that belong at `seq`.
  void receive_data(std::uint32_t seq, std::uint32_t length, std::uint32_t ack,
                    wire::TcpFlags flags = {.ack = true}) {
    const auto bytes = stream_bytes(seq - 1, length);
    wire::Segment made = segment(seq, ack, flags);
    made.payload = Slices(Bytes(bytes));
    receive(made);
  }
  void flush() { layer.flush(now, *this); }
  // Lets time pass, stopping wherever the layer wants to.
  void pass(Duration time) {
    const Instant limit = now + time;
    while (layer.next_deadline() <= limit) {
      now = std::max(now, layer.next_deadline());
      flush();
    }
    now = limit;
    flush();
  }
  // The oldest segment not looked at yet; there must be one.
  Sent take() {
    REQUIRE(!sent.empty());
    Sent first = std::move(sent.front());
    sent.pop_front();
    first.segment.payload = Slices(Bytes(first.bytes));
    return first;
  }

  // --- beginnings
  tcp::Connection& connect() {
    auto& connection = layer.connect(TcpPair::tuple(Side::kA), end.stream, std::move(config), now);
    end.stream.attach(connection);
    flush();
    return connection;
  }
  wire::Segment syn_ack(std::uint32_t acked = 0) {
    wire::Segment made = segment(0, 1 + acked, {.syn = true, .ack = true});
    made.options = peer_options;
    return made;
  }
  wire::Segment syn() {
    wire::Segment made = segment(0, 0, {.syn = true});
    made.options = peer_options;
    return made;
  }
  // An active open that has been answered; nothing is left in `sent`.
  tcp::Connection& establish() {
    tcp::Connection& connection = connect();
    receive(syn_ack());
    REQUIRE(connection.state() == tcp::State::kEstablished);
    sent.clear();
    return connection;
  }
  tcp::Connection& accept() {
    REQUIRE(receive(syn()) == tcp::Layer::Received::kNewSyn);
    return accept(syn());
  }
  tcp::Connection& accept(const wire::Segment& first) {
    auto& connection = layer.accept(TcpPair::kInterface, first, end.stream, std::move(config), now);
    end.stream.attach(connection);
    flush();
    return connection;
  }

  Instant now{1s};
  bool door_ready = true;
  SeqNum peer_isn{0xffff'fff0};  // wraps early in every test
  SeqNum iss;                    // ours, once seen
  std::uint16_t window = 60000;  // the peer announces
  wire::TcpOptions peer_options;
  tcp::ConnectionConfig config = default_config();
  PipeEnd end;
  std::deque<Sent> sent;

 private:
  Random random_{7};

 public:
  tcp::Layer layer;
};

}  // namespace braid::test
