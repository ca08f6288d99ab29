#include "tests/support/sim/offload.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/sim/packets.h"
#include "tests/support/sim/packet_view.h"

namespace braid::sim {

TEST_SUITE_BEGIN("sim");

TEST_CASE("a super-packet leaves as pieces that each stand alone") {
  for (const bool v4 : {true, false}) {
    CAPTURE(v4);
    Packet payload(3500);
    std::iota(payload.begin(), payload.end(), std::uint8_t{0});
    const TcpSketch sketch{.v4 = v4,
                           .seq = 0xfffffc00,
                           .flags = kAck | kPsh | kFin | kCwr,
                           .options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}};
    const PacketOut out = super_packet(sketch, payload, 1400);
    auto pieces = segment(out);
    REQUIRE(pieces.size() == 3);
    Packet joined;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto view = PacketView::of(pieces[i]);
      REQUIRE(view);
      CHECK(view->tcp_checksum_ok());
      CHECK(view->seq() == static_cast<std::uint32_t>(sketch.seq + i * 1400));
      CHECK(std::ranges::equal(view->tcp_options(), sketch.options));
      CHECK(bool(view->tcp_flags() & kFin) == (i == 2));
      CHECK(bool(view->tcp_flags() & kPsh) == (i == 2));
      CHECK(bool(view->tcp_flags() & kCwr) == (i == 0));
      if (v4) {
        CHECK(load_be16(&pieces[i][4]) == load_be16(&out.header[4]) + i);
        CHECK(fold(add_words(0, Bytes(pieces[i]).first(20))) == 0xffff);
      }
      joined.insert(joined.end(), view->tcp_payload().begin(), view->tcp_payload().end());
    }
    CHECK(joined == payload);
  }
}

TEST_CASE("a wrong partial checksum stays wrong on the wire") {
  const Packet payload(3000, 7);
  PacketOut out = super_packet({}, payload, 1400);
  out.header[out.transport_offset + 16] ^= 1;
  for (Packet& piece : segment(out)) CHECK_FALSE(PacketView::of(piece)->tcp_checksum_ok());
}

TEST_CASE("what was cut is joined again, byte for byte") {
  for (const bool v4 : {true, false}) {
    CAPTURE(v4);
    Packet payload(5000);
    std::iota(payload.begin(), payload.end(), std::uint8_t{3});
    const TcpSketch sketch{.v4 = v4, .flags = kAck | kPsh};
    auto received = coalesce(segment(super_packet(sketch, payload, 1400)));
    REQUIRE(received.size() == 1);
    CHECK(received[0].gso_size == 1400);
    CHECK(received[0].checksum == ChecksumState::kPartial);
    const auto view = PacketView::of(received[0].packet);
    REQUIRE(view);
    CHECK(std::ranges::equal(view->tcp_payload(), payload));
    CHECK(view->tcp_flags() == (kAck | kPsh));
    CHECK(load_be16(view->transport() + 16) == fold(view->pseudo_sum(view->transport_length())));
  }
}

TEST_CASE("packets that differ in what matters are not joined") {
  TcpSketch first;
  const Packet payload(1000, 1);
  TcpSketch second{.seq = first.seq + 1000};
  std::size_t expected = 2;
  bool damage = false;
  SUBCASE("nothing differs: joined") { expected = 1; }
  SUBCASE("options") { second.options = {1, 1, 1, 1}; }
  SUBCASE("acknowledgement") { second.ack = first.ack + 1; }
  SUBCASE("window") { second.window = 1; }
  SUBCASE("a gap") { second.seq += 1; }
  SUBCASE("an earlier PSH ends the run") { first.flags = kAck | kPsh; }
  SUBCASE("RST") { second.flags = kAck | kRst; }
  SUBCASE("another port") { second.source_port = 9; }
  SUBCASE("wrong checksum") { damage = true; }
  std::vector<Packet> packets{tcp_packet(first, payload), tcp_packet(second, payload)};
  if (damage) packets[1].back() ^= 1;
  CHECK(coalesce(packets).size() == expected);
}

TEST_CASE("a smaller piece ends a run and a larger one does not enter it") {
  const TcpSketch a{.seq = 0};
  const TcpSketch b{.seq = 1000};
  const TcpSketch c{.seq = 1500};
  const auto received = coalesce({tcp_packet(a, Packet(1000, 1)), tcp_packet(b, Packet(500, 2)),
                                  tcp_packet(c, Packet(500, 3))});
  CHECK(received.size() == 2);
  CHECK(coalesce({tcp_packet(a, Packet(1000, 1)), tcp_packet(b, Packet(1001, 2))}).size() == 2);
}

TEST_SUITE_END();

}  // namespace braid::sim
